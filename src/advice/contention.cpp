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

constexpr std::uint64_t longest_ns = 500'000'000;  // should this process die, its copies eat on for so long at most

class copies {
 public:
  copies(unsigned count, const std::function<void()>& eat) {
    for (unsigned i = 0; i < count; ++i) {
      const pid_t pid = fork_flushed();
      if (pid < 0) return;
      if (pid == 0) {
        settle_signals();
        end_after(longest_ns);
        try {
          for (;;) eat();
        } catch (...) {
          leave(1);  // the slice fails here, too: one who does not eat is in nobody's way
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

double time_of(const std::function<void()>& eat) {
  const std::uint64_t began = now_ns();
  eat();
  return seconds_since(began);
}

}  // namespace

double slowdown_beside(unsigned others, const std::function<void()>& eat) {
  const double alone = std::min({time_of(eat), time_of(eat), time_of(eat)});
  const copies beside(others, eat);
  if (!beside.any()) return 1;
  eat();  // while they begin, and until pages shared by the fork are written to
  const double together = std::min({time_of(eat), time_of(eat), time_of(eat)});
  return std::max(1.0, together / alone);
}

}  // namespace forkful::detail
