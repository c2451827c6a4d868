#include "advice/score.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "format/fmt.hpp"

namespace advice_bench {

namespace {

double percentile(std::vector<double> all, double share) {
  std::sort(all.begin(), all.end());
  return all.empty() ? 0
                     : all[std::min(all.size() - 1, static_cast<std::size_t>(share * static_cast<double>(all.size())))];
}

using results = std::vector<const result*>;

template <class Of>
std::vector<double> values(const results& all, Of&& of) {
  std::vector<double> found;
  for (const result* const each : all) of(*each, found);
  return found;
}

void print_verdicts(const results& all) {
  int right = 0;
  int unsure = 0;
  int clear = 0;
  int close_said = 0;
  for (const result* const each : all) {
    if (each->clear()) {
      ++clear;
      right += each->right ? 1 : 0;
      unsure += each->said_nothing ? 1 : 0;
    } else {
      close_said += each->said_nothing ? 1 : 0;
    }
  }
  const auto others = static_cast<int>(all.size()) - clear;
  fmt::print(
      "A1  loop and best parallel way differ by more than 20 % in {}: right {}, wrong {}, \"too close\" {}: {:.0f} % "
      "right "
      "(goal 95)\n    of the {} others: \"too close\" {}, a verdict {}\n",
      clear, right, clear - right - unsure, unsure, 100.0 * right / std::max(1, clear), others, close_said,
      others - close_said);
  for (const result* const each : all)
    if (each->clear() && !each->right)
      fmt::print("    missed: {}: said {}, loop {:.1f} us, best {:.1f} us\n", each->name, each->said, 1e6 * each->loop,
                 1e6 * each->best);
}

void print_times(const results& all) {
  const auto errors = values(all, [](const result& one, auto& to) {
    for (const auto& each : one.predicted) to.push_back(std::abs(each.error));
  });
  const auto noise = values(all, [](const result& one, auto& to) {
    for (const auto& each : one.predicted) to.push_back(each.noise);
  });
  fmt::print(
      "A2  {} predicted times: error median {:.1f} % (goal 10), 90th percentile {:.1f} % (goal 25)\n    the machine "
      "alone, the "
      "same way raced against itself: median {:.1f} %, 90th percentile {:.1f} %\n",
      errors.size(), 100 * percentile(errors, 0.5), 100 * percentile(errors, 0.9), 100 * percentile(noise, 0.5),
      100 * percentile(noise, 0.9));
  for (const char* const way : {"serial", "thread", "process", "snapshot"}) {
    const auto signed_errors = values(all, [&](const result& one, auto& to) {
      for (const auto& each : one.predicted)
        if (each.of == way) to.push_back(each.error);
    });
    if (signed_errors.empty()) continue;
    fmt::print("    {:<9} error from {:+.0f} % (10th percentile) over {:+.0f} % to {:+.0f} %\n", way,
               100 * percentile(signed_errors, 0.1), 100 * percentile(signed_errors, 0.5),
               100 * percentile(signed_errors, 0.9));
  }
  std::vector<std::pair<double, std::string>> worst;
  for (const result* const each : all)
    for (const auto& one : each->predicted)
      worst.emplace_back(std::abs(one.error), fmt::format("{}, {}: {:+.0f} %", each->name, one.of, 100 * one.error));
  std::sort(worst.begin(), worst.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i != std::min<std::size_t>(6, worst.size()); ++i)
    fmt::print("    worst: {}\n", worst[i].second);
}

void print_automatic(const results& all) {
  const auto ratios = values(all, [](const result& one, auto& to) {
    if (one.automatic > 0) to.push_back(one.automatic);
  });
  const auto noise = values(all, [](const result& one, auto& to) {
    if (one.automatic > 0) to.push_back(1 + one.automatic_noise);
  });
  if (ratios.empty()) return;
  const auto slower = std::count_if(ratios.begin(), ratios.end(), [](double each) { return each > 1.05; });
  const auto beyond = std::count_if(all.begin(), all.end(), [](const result* one) {
    return one->automatic > 1.05 && one->automatic > 1 + 2 * one->automatic_noise;
  });
  fmt::print(
      "A3  auto_pool over the better of serial_pool and thread_pool, {} times: median {:.3f}, 90th percentile {:.3f}, "
      "most "
      "{:.3f} (goal 1.05)\n    above 1.05: {}, by more than twice the noise: {}\n    the machine alone, the same way "
      "over "
      "itself: median {:.3f}, 90th percentile {:.3f}, most {:.3f}\n",
      ratios.size(), percentile(ratios, 0.5), percentile(ratios, 0.9), percentile(ratios, 1), slower, beyond,
      percentile(noise, 0.5), percentile(noise, 0.9), percentile(noise, 1));
  for (const result* const each : all)
    if (each->automatic > 1.05 && each->automatic > 1 + 2 * each->automatic_noise)
      fmt::print("    slower: {}: {:.3f}, against itself {:.3f}\n", each->name, each->automatic,
                 1 + each->automatic_noise);
}

void print_parallel(const results& all) {
  int parallel = 0;
  int recognised = 0;
  int falsely = 0;
  for (const result* const each : all) {
    parallel += each->is_parallel ? 1 : 0;
    recognised += each->is_parallel && each->said_parallel ? 1 : 0;
    falsely += !each->is_parallel && each->said_parallel ? 1 : 0;
  }
  fmt::print("A4  parallel already: {} of {} recognised, {} others taken for it\n", recognised, parallel, falsely);
}

void print_list(const std::string& title, const results& all) {
  if (all.empty()) return;
  fmt::print("\n=== {}: {} workloads ===\n", title, all.size());
  print_verdicts(all);
  print_times(all);
  print_automatic(all);
  print_parallel(all);
}

}  // namespace

bool result::clear() const { return std::max(best, loop) > 1.2 * std::min(best, loop); }

double median(const std::vector<double>& all) { return percentile(all, 0.5); }

double against_itself(const std::vector<double>& times) {
  std::array<std::vector<double>, 2> halves;
  for (std::size_t i = 0; i != times.size(); ++i) halves[i % 2].push_back(times[i]);
  if (halves[1].empty()) return 0;
  const double one = median(halves[0]);
  const double other = median(halves[1]);
  return std::max(one, other) / std::min(one, other) - 1;
}

void print_score(const std::vector<result>& all) {
  const auto chosen = [&](auto&& wanted) {
    results some;
    for (const result& each : all)
      if (wanted(each)) some.push_back(&each);
    return some;
  };
  constexpr std::array names{"tuned on, which proves nothing", "judged, made up", "judged, real programs"};
  for (const bool quiet : {false, true}) {
    for (const list which : {list::tuned, list::judged, list::real}) {
      const auto in_list = chosen([&](const result& one) { return one.in == which; });
      const auto some = chosen([&](const result& one) { return one.in == which && (one.quiet || !quiet); });
      if (quiet && some.size() == in_list.size()) continue;  // nothing was disturbed
      print_list(fmt::format("{}{}", names[static_cast<std::size_t>(which)], quiet ? ", undisturbed" : ""), some);
    }
  }
  print_list("all that is judged", chosen([](const result& one) { return one.in != list::tuned; }));
}

}  // namespace advice_bench
