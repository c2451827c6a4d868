// The codes, and the one place where the vtables and type infos of the public classes live: programs and the shared
// library must agree on them to catch each other's exceptions.
#include <forkful/errors.hpp>

#include <memory>
#include <stdexcept>
#include <string_view>

#include <forkful/outcome.hpp>

namespace forkful {

slice_info::~slice_info() = default;
error::~error() = default;

worker_crashed::worker_crashed(const std::shared_ptr<const slice_failure>& failure)
    : error{failure->what}, slice_info{failure} {}
slice_timeout::slice_timeout(const std::shared_ptr<const slice_failure>& failure)
    : error{failure->what}, slice_info{failure} {}
slice_error::slice_error(const std::shared_ptr<const slice_failure>& failure)
    : std::runtime_error{failure->what}, slice_info{failure} {}
slice_error::~slice_error() = default;

std::string_view error::code() const noexcept { return "error"; }
std::string_view worker_crashed::code() const noexcept { return "worker_crashed"; }
std::string_view slice_timeout::code() const noexcept { return "slice_timeout"; }
std::string_view arena_exhausted::code() const noexcept { return "arena_exhausted"; }
std::string_view codec_error::code() const noexcept { return "codec_error"; }
std::string_view start_failed::code() const noexcept { return "start_failed"; }
std::string_view cancelled::code() const noexcept { return "cancelled"; }
std::string_view pool_closed::code() const noexcept { return "pool_closed"; }
std::string_view not_shared::code() const noexcept { return "not_shared"; }
std::string_view wrong_process::code() const noexcept { return "wrong_process"; }

namespace detail {

void no_failure() {
  throw std::logic_error{"this outcome has no failure: its slice succeeded. Ask has_value() before failure()"};
}

}  // namespace detail

}  // namespace forkful
