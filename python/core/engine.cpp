#include "engine.hpp"

#include <utility>

#include "clock.hpp"
#include "gil.hpp"
#include "owned.hpp"

namespace forkful::python {

engine::engine(running where, py::object side, std::optional<std::string_view> shipped, int late_signal,
               const pool_options& options)
    : where_(where),
      side_(std::move(side)),
      shipped_(shipped ? std::optional<shipped_host>(std::in_place, *shipped) : std::nullopt),
      host_(side_.ptr(), late_signal, shipped_ ? shipped_->callbacks(late_signal) : nullptr) {
  const in_engine away;
  if (where_ == running::shipped) {
    std::unique_ptr<detail::lasting_engine> made = detail::start_processes(options, host_.callbacks());
    lasting_ = made.get();
    running_ = std::move(made);
  } else {
    running_ =
        where_ == running::here ? detail::start_serial(options) : detail::start_snapshot(options, host_.callbacks());
  }
}

engine::~engine() {
  {
    const in_engine away;
    running_.reset();
  }
  let_go(side_.release().ptr());
}

unsigned engine::size() { return running_->size(); }

void engine::terminate() {
  const in_engine away;
  running_->terminate();
}

bool engine::started(double seconds) {
  const in_engine away;
  return lasting_ == nullptr || lasting_->started(in_seconds(seconds));
}

bool engine::finish(double seconds) {
  const in_engine away;
  return lasting_ == nullptr || lasting_->finish(in_seconds(seconds));
}

report engine::last_report() {
  const in_engine away;
  return detail::last_report(*running_);
}

std::unique_ptr<detail::port> engine::open_port() {
  const in_engine away;
  return lasting_ == nullptr ? nullptr : lasting_->open_port();
}

}  // namespace forkful::python
