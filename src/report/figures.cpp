// What follows from the figures of a report.
#include <algorithm>
#include <forkful/report.hpp>

namespace forkful {

namespace {

void add(time_split& sum, const time_split& part) {
  sum.start += part.start;
  sum.pass_in += part.pass_in;
  sum.wake += part.wake;
  sum.compute += part.compute;
  sum.idle += part.idle;
  sum.pass_out += part.pass_out;
  sum.reassemble += part.reassemble;
}

}  // namespace

time_split report::time() const noexcept {
  time_split sum = caller;
  for (const worker_row& row : per_worker) add(sum, row.time);
  return sum;
}

double report::imbalance() const noexcept {
  std::chrono::nanoseconds sum{0};
  std::chrono::nanoseconds longest{0};
  for (const worker_row& row : per_worker) {
    sum += row.time.compute;
    longest = std::max(longest, row.time.compute);
  }
  if (sum.count() == 0) return 0;
  return static_cast<double>(longest.count()) * static_cast<double>(per_worker.size()) /
         static_cast<double>(sum.count());
}

}  // namespace forkful
