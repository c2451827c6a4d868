#include "advice/course.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "format/fmt.hpp"
#include "os/others.hpp"
#include "race/crew.hpp"

namespace advice_bench {

namespace {

constexpr double enough_seconds = 0.35;  // of one workload, all ways together
constexpr double most_seconds = 2.5;     // waiting for quiet included
constexpr std::size_t fewest_rounds = 5;
constexpr std::size_t most_rounds = 60;

// Workers and threads fall asleep meanwhile, as they do while a program does something else between its calls.
void pause(std::chrono::milliseconds rest) {
  const auto until = clock_type::now() + std::chrono::milliseconds(1);
  while (clock_type::now() < until) {
  }
  if (rest > std::chrono::milliseconds(1)) std::this_thread::sleep_for(rest);
}

}  // namespace

course::course(bool short_course, std::vector<std::string> wanted)
    : short_course_(short_course), wanted_(std::move(wanted)) {
  fmt::print("{:<36} {:>9} {:>9} {:>9} {:>9} {:>9}  {}\n{:<36} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "workload", "serial",
             "thread", "process", "snapshot", "auto", "said", "", "error", "error", "error", "error", "/ best");
}

bool course::chosen(const std::string& name) {
  const bool turn = met_++ % 5 == 0;
  if (wanted_.empty()) return turn || !short_course_;
  return std::any_of(wanted_.begin(), wanted_.end(),
                     [&](const std::string& word) { return name.find(word) != std::string::npos; });
}

// Each of them once.
void course::run_round(workload& work, std::span<way> ways, const clock_type::time_point& until, double& spent) {
  const auto others = [] { return forkful::detail::others_running() > 0; };
  pause(work.rest);
  bool disturbed = others();
  for (way& each : ways) {
    for (int i = 0; disturbed && i != 40 && clock_type::now() < until; ++i) {
      pause(work.rest);
      disturbed = others();
    }
    const double took = each.run();
    pause(work.rest);
    const bool disturbed_after = others();
    each.times.push_back(took);
    if (!disturbed && !disturbed_after) each.quiet.push_back(took);
    disturbed = disturbed_after;
    spent += took;
  }
}

bool course::run_in_turns(workload& work) {
  const auto until =
      clock_type::now() + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(most_seconds));
  const auto forks = [](const way& each) { return std::string_view(each.name) == "snapshot"; };
  const auto middle = std::stable_partition(work.ways.begin(), work.ways.end(), std::not_fn(forks));
  std::size_t fewest = most_rounds;
  for (const std::span<way> ways :
       {std::span<way>(work.ways.begin(), middle), std::span<way>(middle, work.ways.end())}) {
    double spent = 0;
    for (way& each : ways) each.run();  // finds everything cold
    for (std::size_t round = 0; round < most_rounds; ++round) {
      std::size_t quiet = most_rounds;
      for (const way& each : ways) quiet = std::min(quiet, each.quiet.size());
      if (quiet >= fewest_rounds && spent > enough_seconds * static_cast<double>(ways.size()) / 6) break;
      if (round >= fewest_rounds && clock_type::now() > until) break;
      run_round(work, ways, until, spent);
    }
    for (const way& each : ways) fewest = std::min(fewest, each.quiet.size());
  }
  if (fewest < 3) return false;
  for (way& each : work.ways) each.times = each.quiet;
  return true;
}

void course::finish(workload& work) {
  result found{.name = work.name, .in = list_, .quiet = run_in_turns(work)};
  const auto look = [&](std::string_view name) -> const way* {
    for (const way& each : work.ways)
      if (each.name == name) return &each;
    return nullptr;
  };
  std::string times;
  std::string errors;
  found.loop = median(look("serial")->times);
  found.best = 1e9;
  for (const char* name : {"serial", "thread", "process", "snapshot"}) {
    const way* const one = look(name);
    if (one == nullptr) {
      times += fmt::format(" {:>9}", "-");
      errors += fmt::format(" {:>9}", "");
      continue;
    }
    const double real = median(one->times);
    if (std::string_view(name) != "serial") found.best = std::min(found.best, real);
    times += fmt::format(" {:>7.1f}us", 1e6 * real);
    std::string error;
    for (const forkful::expected_time& each : work.told.ways) {
      if (each.way != name || !each.possible) continue;
      found.predicted.push_back(
          {name, 1e-9 * static_cast<double>(each.time.count()) / real - 1, against_itself(one->times)});
      error = fmt::format("{:+.0f}%", 100 * found.predicted.back().error);
    }
    errors += fmt::format(" {:>9}", error);
  }
  if (const way* const automatic = look("auto"); automatic != nullptr) {
    const way* better = look("one");
    if (median(look("thread")->times) < median(better->times)) better = look("thread");
    found.automatic = median(automatic->times) / median(better->times);
    found.automatic_noise = std::max(against_itself(better->times), against_itself(automatic->times));
    times += fmt::format(" {:>7.1f}us", 1e6 * median(automatic->times));
    errors += fmt::format(" {:>9.3f}", found.automatic);
  } else {
    times += fmt::format(" {:>9}", "-");
  }
  found.said_nothing = work.told.too_close;
  found.right = !work.told.too_close && work.told.parallel == (found.best < found.loop);
  found.said = work.told.too_close ? "too close" : work.told.parallel ? "parallel" : "loop";
  found.is_parallel = work.parallel_already;
  found.said_parallel = work.told.already_parallel;
  fmt::print("{:<36}{}  {}{}{}\n{:<36}{}\n", work.name, times, found.said,
             found.clear() && !found.right ? "  MISSED" : "", found.quiet ? "" : "  (disturbed)", "", errors);
  std::fflush(stdout);
  results_.push_back(std::move(found));
}

void course::race(std::string_view work, const std::string& name, const race::work_options& said,
                  bool parallel_already) {
  const auto entries = ::race::works();
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const auto& each) { return each.name == work; });
  ::race::crew* crew = nullptr;
  const auto run = [&](const ::race::work& what, bool in_shared_memory) {
    const auto told = what.advised(in_shared_memory);
    if (!told) return;
    workload one{.name = name + (in_shared_memory ? ", shared" : ""),
                 .told = *told,
                 .parallel_already = parallel_already,
                 .rest = what.rest()};
    const auto add = [&](const char* as, ::race::way which) {
      if (what.why_not(which).empty())
        one.ways.push_back(
            {as, [&, which] { return std::chrono::duration<double>(what.run(*crew, which).time).count(); }});
    };
    add("serial", ::race::way::serial);
    if (in_shared_memory) {
      add("process", ::race::way::shared);
    } else {
      add("thread", ::race::way::thread);
      add("process", ::race::way::process);
      add("snapshot", ::race::way::snapshot);
    }
    finish(one);
  };
  const bool ordinary = chosen(name);
  const bool shared = chosen(name + ", shared");
  if (!ordinary && !shared) return;
  const auto what = entry->make(said);
  // After the work, which may load the libraries that its slices need.
  ::race::crew here(::race::all_ways, 2, false);
  crew = &here;
  if (ordinary) run(*what, false);
  if (shared && what->why_not(::race::way::shared).empty()) run(*what, true);
}

// Not inlined, so that it is the same code on every pool.
[[gnu::noinline]] double chew(std::size_t steps) {
  double x = 1;
  for (std::size_t i = 0; i < steps; ++i) x = std::sqrt(x + 1);
  return x;
}

std::size_t steps_in(double seconds) {
  static const double rate = [] {
    constexpr std::size_t steps = 200'000;
    double best = 1e9;
    for (int i = 0; i < 9; ++i) best = std::min(best, seconds_of([] { return chew(steps); }));
    return steps / best;
  }();
  return std::max<std::size_t>(1, static_cast<std::size_t>(seconds * rate));
}

std::string text_of(double time) {
  return time < 1e-6   ? fmt::format("{:.0f}ns", 1e9 * time)
         : time < 1e-3 ? fmt::format("{:.0f}us", 1e6 * time)
                       : fmt::format("{:.0f}ms", 1e3 * time);
}

}  // namespace advice_bench
