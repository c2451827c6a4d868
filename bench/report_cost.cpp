// What the report costs. Counting cannot be switched off: build this at two commits and run them in turns. Timelines can: off and
// on are run in turns here.
//   map of 4 short strings on a warm pool of 2, back to back: a whole call;
//   slices of 1 us, chunks as they come and chunks of 1: all in all, and for each chunk;
//   asking for the report.
// A benchmark reports; it never fails.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <forkful/forkful.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

template <class Work>
double microseconds(Work&& work) {
  const auto began = clock_type::now();
  work();
  return std::chrono::duration<double, std::micro>(clock_type::now() - began).count();
}

// The tenth part that was disturbed least, and the median.
std::pair<double, double> typical(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return {times[times.size() / 10], times[times.size() / 2]};
}

// About 1 us of arithmetic.
std::uint64_t slice(std::size_t i) {
  std::uint64_t x = i;
  for (int k = 0; k < 700; ++k) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

template <class Call>
void compare(const char* name, int rounds, Call call) {
  forkful::process_pool off{forkful::pool_options{.workers = 2}};
  forkful::process_pool on{forkful::pool_options{.workers = 2, .record_timeline = true}};
  std::vector<double> without;
  std::vector<double> with;
  for (int i = 0; i < rounds; ++i) {
    without.push_back(microseconds([&] { call(off); }));
    with.push_back(microseconds([&] { call(on); }));
  }
  const auto [low, median] = typical(without);
  const auto [low_on, median_on] = typical(with);
  const double chunks = static_cast<double>(off.report().chunks);
  fmt::print("{:<34} {:>10.2f} us, median {:>10.2f} us\n", name, low, median);
  fmt::print("{:>34} {:>10.2f} us, median {:>10.2f} us   ratio {:.3f}, {:.0f} ns a chunk more\n", "with a timeline",
             low_on, median_on, low_on / low, (low_on - low) * 1000 / chunks);
}

}  // namespace

int main() {
  const std::vector<std::string> cake = {"slice_0", "slice_1", "slice_2", "slice_3"};
  compare("map of 4 short strings, warm", 30'000,
          [&](auto& pool) { (void)pool.map(cake, [](const std::string& one) { return one + "_eaten"; }); });
  compare("100 000 slices of 1 us", 15, [](auto& pool) { (void)pool.map(forkful::indices(100'000), slice); });
  compare("20 000 slices of 1 us, chunks of 1", 15,
          [](auto& pool) { (void)pool.with(forkful::call_options{.chunk = 1}).map(forkful::indices(20'000), slice); });
  forkful::process_pool pool{2};
  std::vector<double> asked;
  (void)pool.map(forkful::indices(1000), slice);
  for (int i = 0; i < 1000; ++i) asked.push_back(microseconds([&] { (void)pool.report(); }));
  fmt::print("{:<34} {:>10.2f} us\n", "report()", typical(asked).first);
}
