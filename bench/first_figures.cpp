// The three figures the first version is held to, each next to a peer measured in turns in the same run:
//   map of 4 short strings on a warm pool of 2, back to back;
//   for_each in place, 10 M doubles x 8 square roots, against two std::threads on the same kernel;
//   starting and stopping a pool of 2.
// A benchmark reports; it never fails.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

template <class Work>
double microseconds(Work&& work) {
  const auto began = clock_type::now();
  work();
  return std::chrono::duration<double, std::micro>(clock_type::now() - began).count();
}

struct spread {
  double low, median, high;  // 10th, 50th and 90th percentile
};

spread spread_of(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](std::size_t percent) { return times[std::min(times.size() - 1, times.size() * percent / 100)]; };
  return {at(10), at(50), at(90)};
}

void print(const char* figure, const spread& ours, const char* peer, const spread& theirs, const char* goal) {
  fmt::print("{:<34} {:>10.2f} us ({:.2f} - {:.2f})\n{:>34} {:>10.2f} us ({:.2f} - {:.2f})   ratio {:.3f}   goal {}\n",
             figure, ours.median, ours.low, ours.high, peer, theirs.median, theirs.low, theirs.high,
             ours.median / theirs.median, goal);
}

void eight_roots(double& x) {
  for (int i = 0; i < 8; ++i) x = std::sqrt(x);
}

void map_of_four_strings() {
  const std::vector<std::string> cake = {"slice_0", "slice_1", "slice_2", "slice_3"};
  const auto eat = [](const std::string& slice) { return slice + "_eaten"; };
  forkful::process_pool pool{2};
  forkful::serial_pool loop;
  std::vector<double> ours;
  std::vector<double> theirs;
  std::size_t eaten = 0;
  for (int i = 0; i < 50'000; ++i) {
    ours.push_back(microseconds([&] { eaten += pool.map(cake, eat).size(); }));
    if (i % 100 == 0) theirs.push_back(microseconds([&] { eaten += loop.map(cake, eat).size(); }));
  }
  print("map of 4 short strings, warm", spread_of(ours), "serial_pool", spread_of(theirs), "<= 5 us");
}

void roots_in_place() {
  constexpr std::size_t count = 10'000'000;
  forkful::process_pool pool{2};
  forkful::shared_vector<double> table(count, 1e9);
  std::vector<double> other(count, 1e9);
  const auto half = [](std::span<double> part) {
    for (double& x : part) eight_roots(x);
  };
  const auto two_threads = [&] {
    std::thread first(half, std::span(other).first(count / 2));
    std::thread second(half, std::span(other).last(count / 2));
    first.join();
    second.join();
  };
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int i = 0; i < 15; ++i) {
    const double one = microseconds([&] { pool.for_each(table, [](double& x) { eight_roots(x); }); });
    const double two = microseconds(two_threads);
    if (i < 2) continue;  // the first rounds touch the memory
    ours.push_back(one);
    theirs.push_back(two);
  }
  print("10 M doubles x 8 sqrt in place", spread_of(ours), "two std::threads", spread_of(theirs), "<= 1.05");
}

void start_and_stop() {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int i = 0; i < 200; ++i) {
    ours.push_back(microseconds([] { const forkful::process_pool pool{2}; }));
    theirs.push_back(microseconds([] {
      std::thread first([] {});
      std::thread second([] {});
      first.join();
      second.join();
    }));
  }
  print("pool of 2, start and stop", spread_of(ours), "two std::threads", spread_of(theirs), "<= 2000 us");
}

}  // namespace

int main() {
  map_of_four_strings();
  roots_in_place();
  start_and_stop();
}
