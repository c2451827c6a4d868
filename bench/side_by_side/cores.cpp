#include "cores.hpp"

#include <sched.h>

#include <atomic>
#include <thread>

namespace forkful_bench {

void stay_on(int n) {
  cpu_set_t usable;
  sched_getaffinity(0, sizeof(usable), &usable);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable) || n-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
}

measured line_round_trips() {
  constexpr unsigned trips = 10'000;
  alignas(64) static std::atomic<unsigned> line;
  line.store(0);
  // Odd numbers are answered.
  std::thread other([] {
    stay_on(1);
    for (unsigned turn = 1; turn < 2 * trips; turn += 2) {
      while (line.load(std::memory_order_acquire) != turn) {
      }
      line.store(turn + 1, std::memory_order_release);
    }
  });
  double took = 0;
  std::thread here([&took] {
    stay_on(0);
    const auto trip = [](unsigned turn) {
      line.store(turn, std::memory_order_release);
      while (line.load(std::memory_order_acquire) != turn + 1) {
      }
    };
    trip(1);
    took = seconds([&] {
      for (unsigned turn = 3; turn < 2 * trips; turn += 2) trip(turn);
    });
  });
  here.join();
  other.join();
  return {{took / (trips - 1)}};
}

}  // namespace forkful_bench
