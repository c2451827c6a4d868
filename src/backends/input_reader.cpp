#include "backends/input_reader.hpp"

#include <algorithm>
#include <utility>

#include "board/pace.hpp"
#include "os/account.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

std::size_t input_reader::read(const job& work, std::size_t wanted, bool whole) {
  if (thrown_ != nullptr) std::rethrow_exception(std::exchange(thrown_, nullptr));
  not_before_ = 0;
  // What is in memory does not have to be waited for.
  if (work.slices != 0) return work.pull(work.caller, wanted);
  const std::uint64_t computed = slow_ ? cpu_time_of_thread() : 0;
  const std::uint64_t began = now_ns();
  std::uint64_t now = began;
  std::size_t got = 0;
  if (slow_ && !whole) wanted = std::min<std::size_t>(wanted, 1);  // what there is is run while the next comes
  if (whole) {
    got = work.pull(work.caller, wanted);
    now = now_ns();
  } else {
    try {
      while (got != wanted && now - began < slow_input_ns && work.pull(work.caller, 1) != 0) {
        ++got;
        now = now_ns();
      }
    } catch (...) {
      if (got == 0) throw;
      thrown_ = std::current_exception();
    }
  }
  const std::uint64_t took = now - began;
  const bool known = std::exchange(slow_, took >= slow_input_ns);
  if (slow_ && (!known || cpu_time_of_thread() - computed < took / 2)) not_before_ = now + took;
  return got;
}

}  // namespace forkful::detail
