#include "advice/contention.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "advice/samples.hpp"
#include "os/child.hpp"
#include "os/cpu.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/timer.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t longest_ns = 500'000'000;  // should this process die, its copies run on for so long at most

class copies {
 public:
  copies(unsigned count, const std::function<void()>& slice) {
    for (unsigned i = 0; i < count; ++i) {
      const pid_t pid = fork_flushed();
      if (pid < 0) return;
      if (pid == 0) {
        reset_signals();
        end_after(longest_ns);
        try {
          for (;;) slice();
        } catch (...) {
          leave(1);  // the slice fails here, too: a copy that does not run is in no slice's way
        }
      }
      child watched(pid);
      if (watched.valid()) {
        all_.push_back(std::move(watched));
      } else {
        reap_unwatched(pid);  // ends by itself
      }
    }
  }
  copies(const copies&) = delete;
  copies& operator=(const copies&) = delete;
  ~copies() {
    for (const child& each : all_) each.kill();
    for (const child& each : all_) {
      static_cast<void>(each.ended(-1));
      static_cast<void>(each.reap());
    }
  }
  [[nodiscard]] bool any() const noexcept { return !all_.empty(); }

 private:
  std::vector<child> all_;
};

double time_of(const std::function<void()>& slice) {
  const std::uint64_t began = now_ns();
  slice();
  return seconds_since(began);
}

}  // namespace

double slowdown_beside(unsigned others, const std::function<void()>& slice) {
  const double alone = std::min({time_of(slice), time_of(slice), time_of(slice)});
  const copies beside(others, slice);
  if (!beside.any()) return 1;
  slice();  // while they begin, and until pages shared by the fork are written to
  const double together = std::min({time_of(slice), time_of(slice), time_of(slice)});
  return std::max(1.0, together / alone);
}

}  // namespace forkful::detail
