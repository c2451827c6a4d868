#include "race/crew.hpp"

#include <algorithm>
#include <ctime>

namespace race {

crew::crew(std::span<const way> ways, unsigned workers, bool recorded) : recorded_(recorded) {
  const auto wanted = [&](way which) { return std::find(ways.begin(), ways.end(), which) != ways.end(); };
  const forkful::pool_options options{.workers = workers, .record_timeline = recorded};
  if (wanted(way::process) || wanted(way::shared)) workers_ = processes_.emplace(options).size();
  if (wanted(way::snapshot)) workers_ = snapshots_.emplace(options).size();
  if (wanted(way::thread)) workers_ = threads_.emplace(options).size();
  if (recorded) serial_.emplace(options);
}

std::chrono::nanoseconds crew::cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace race
