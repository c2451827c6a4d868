#include "map/map_advice.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "format/fmt.hpp"
#include "map/turn.hpp"
#include "os/command.hpp"
#include "units.hpp"

namespace mapping {

namespace {

constexpr double most_starting = 0.05;  // of a job's time, for it to be worth its start
constexpr std::size_t least_jobs = 20;  // of which a median says something

std::string time_of(double seconds) {
  return cli::time_text(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)));
}

struct sentence {
  double costs;  // seconds
  std::string text;
};

}  // namespace

std::vector<std::string> advice_on(const measures& run, const advice_facts& facts) {
  std::vector<sentence> found;
  const double wall = run.wall();
  const double median = run.median();
  const unsigned slots = std::max(run.slots(), 1U);
  const double start = std::min(facts.command_start, median);
  if (run.jobs() >= least_jobs && facts.one_item_a_job && start > 0 && median < 10 * start) {
    const double work = std::max(median - start, start / 1000);
    const double wanted = std::ceil(start * (1 - most_starting) / most_starting / work);
    const double most = std::min(1000.0, std::floor(static_cast<double>(run.jobs()) / slots));
    const double items = std::min(wanted, most);
    const double sooner = median / (work + start / items);
    if (items >= 2 && sooner > 1.1) {
      found.push_back(
          {wall * (1 - 1 / sooner), fmt::format("jobs took {}, {:.0f} % of it starting them: if {} takes several "
                                                "arguments, -n {:.0f} is done {:.1f} x sooner",
                                                time_of(median), 100 * start / median, facts.command, items, sooner)});
    }
  }
  const double busy = wall > 0 ? run.cpu() / (wall * slots) : 0;
  const bool long_enough = wall > 0.5 && run.jobs() > slots;
  if (long_enough && busy < 0.5) {
    const double jobs =
        std::min({std::ceil(facts.cpus / std::max(busy, 0.05)), static_cast<double>(run.jobs()), 16.0 * slots});
    if (jobs > slots)
      found.push_back(
          {wall * (1 - slots / jobs),
           fmt::format("they waited (CPU {:.0f} %): more at a time may help: -j {:.0f}", 100 * busy, jobs)});
  }
  if (long_enough && slots > facts.cpus && run.cpu() > 0.9 * facts.cpus * wall)
    found.push_back({0, fmt::format("the jobs kept all {} CPUs busy: -j {} is enough", facts.cpus, facts.cpus)});
  if (const auto [number, seconds] = run.alone(); long_enough && seconds > wall / 2)
    found.push_back({seconds, fmt::format("job {} ran alone for {}: start long ones first", number, time_of(seconds))});
  if (facts.ordered && facts.held > turn::most_held)
    found.push_back({0, fmt::format("{} of output had to wait for its turn: --unordered would not hold it",
                                    cli::bytes_text(facts.held))});
  std::stable_sort(found.begin(), found.end(), [](const sentence& a, const sentence& b) { return a.costs > b.costs; });
  std::vector<std::string> texts;
  constexpr std::size_t most = 2;
  for (const sentence& each : found) {
    if (texts.size() < most) texts.push_back(each.text);
  }
  return texts;
}

double measure_command_start(const forkful::detail::command_setting& setting) {
  constexpr std::size_t times = 20;
  const std::unique_ptr<std::byte[]> stack(new std::byte[forkful::detail::command::stack_bytes]);
  std::vector<double> took;
  static char program[] = "/bin/true";
  std::array<char*, 2> words{program, nullptr};
  for (std::size_t i = 0; i != times; ++i) {
    const auto began = std::chrono::steady_clock::now();
    forkful::detail::command one;
    if (one.start({program, words.data(), environ}, setting, {}, {stack.get(), forkful::detail::command::stack_bytes})
            .happened())
      return 0;
    one.reap();
    took.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  std::nth_element(took.begin(), took.begin() + times / 2, took.end());
  return took[times / 2];
}

}  // namespace mapping
