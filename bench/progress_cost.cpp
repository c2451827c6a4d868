// What watching costs: a progress bar that is told of every slice, and maps of short slices with and without one.
// Drawn into /dev/null, as if it were a terminal that is always told. In turns, medians with the 10th and 90th percentile.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::size_t slices = 1'000'000;

struct contender {
  std::string name;
  std::function<void()> work;
  std::vector<double> times{};  // ns a slice
};

double percentile(std::vector<double>& times, std::size_t percent) {
  std::sort(times.begin(), times.end());
  return times[std::min(times.size() - 1, times.size() * percent / 100)];
}

}  // namespace

int main() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const forkful::progress_bar bar{"eating", {.fd = nowhere, .always = true}};
  forkful::serial_pool serial;
  forkful::process_pool processes{2};
  const auto eat = [](std::size_t slice) { return slice * slice; };
  const auto with_bar = [&] { return forkful::call_options{.progress = bar}; };
  const auto told = [](const forkful::progress&) {};

  std::vector<contender> all{
      {"progress_bar told of each slice",
       [&] {
         for (std::size_t done = 1; done <= slices; ++done) bar({done, slices, std::chrono::nanoseconds(done * 20), 2});
       }},
      {"serial map", [&] { std::ignore = serial.map(forkful::indices(slices), eat); }},
      {"serial map, told to an empty function",
       [&] { std::ignore = serial.with({.progress = told}).map(forkful::indices(slices), eat); }},
      {"serial map with a bar", [&] { std::ignore = serial.with(with_bar()).map(forkful::indices(slices), eat); }},
      {"process map", [&] { std::ignore = processes.map(forkful::indices(slices), eat); }},
      {"process map with a bar", [&] { std::ignore = processes.with(with_bar()).map(forkful::indices(slices), eat); }},
  };
  for (int round = 0; round < 12; ++round) {
    for (contender& each : all) {
      const auto began = clock_type::now();
      each.work();
      const double took = std::chrono::duration<double, std::nano>(clock_type::now() - began).count();
      if (round != 0) each.times.push_back(took / static_cast<double>(slices));  // the first finds everything cold
    }
  }
  fmt::print("{} slices that do next to nothing: ns a slice\n", slices);
  for (contender& each : all) {
    fmt::print("  {:<40} {:8.1f}   ({:.1f} ... {:.1f})\n", each.name, percentile(each.times, 50),
               percentile(each.times, 10), percentile(each.times, 90));
  }
}
