// S11: slices of unequal lengths, default settings, beside the best that two workers can do with them: the longer of half of all
// work and the longest slice; where long slices come late, what is possible without knowing lengths beforehand, which
// is giving one slice after the other to the worker that is free (list scheduling, R. L. Graham 1969). The bound is
// worked out from what the loop took, in the same turns. OpenMP and oneTBB show how much of it any library reaches on
// this machine.
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <forkful/forkful.hpp>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "format/fmt.hpp"
#include "side_by_side/contest.hpp"
#include "side_by_side/kernel.hpp"

namespace {

using namespace forkful_bench;

using lengths = std::vector<std::uint64_t>;  // steps of each slice
using results = std::vector<std::uint64_t>;

constexpr double mean = 100e-6;

std::uint64_t eat_slice(std::uint64_t steps) { return run_slice(steps, steps); }

// `parts` of the mean.
lengths in_steps(const std::vector<double>& parts) {
  lengths steps;
  for (const double part : parts) steps.push_back(steps_in(mean * part));
  return steps;
}

lengths shape_of_400(const std::string& name) {
  constexpr std::size_t count = 400;
  std::mt19937_64 random(7);
  std::exponential_distribution<double> exponential(1);
  std::vector<double> parts(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (name == "linear") parts[i] = 2 * (static_cast<double>(i) + 0.5) / count;
    if (name == "linear, long ones first") parts[i] = 2 * (static_cast<double>(count - i) - 0.5) / count;
    if (name == "exponential") parts[i] = exponential(random);
    if (name == "bimodal") parts[i] = i % 10 == 3 ? 5.5 : 0.5;
    if (name == "one giant first") parts[i] = i == 0 ? count / 2.0 : 0.5;
    if (name == "one giant last") parts[i] = i == count - 1 ? count / 2.0 : 0.5;
  }
  return in_steps(parts);
}

// So many that chunks hold many of them: what a worker has begun, and what may be taken from it, differ.
lengths shape_of_5000(const std::string& name) {
  constexpr std::size_t count = 5000;
  constexpr std::size_t giants = 8;  // together half of all
  std::size_t first_giant = count;   // none
  if (name == "8 giants first") first_giant = 0;
  if (name == "8 giants in the middle") first_giant = (count - giants) / 2;
  if (name == "8 giants last") first_giant = count - giants;
  const bool with_giants = first_giant != count;
  std::vector<double> parts(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    const bool giant = i >= first_giant && i < first_giant + giants;
    if (with_giants) parts[i] = count / 2.0 / static_cast<double>(giant ? giants : count - giants);
    if (name == "sawtooth") parts[i] = 2 * (static_cast<double>(i % 50) + 0.5) / 50;
    // Of 1000 such slices the long one takes 1000 parts of 1999.
    if (name == "one in 1000 is 1000 times longer") parts[i] = (i % 1000 == 500 ? 1000 : 1) * 1000.0 / 1999;
  }
  return in_steps(parts);
}

/// What is possible at best, as a part of what the loop takes.
double bound(const lengths& steps) {
  const double all = std::accumulate(steps.begin(), steps.end(), 0.0);
  return std::max(0.5, static_cast<double>(*std::max_element(steps.begin(), steps.end())) / all);
}
double in_order(const lengths& steps) {
  const double all = std::accumulate(steps.begin(), steps.end(), 0.0);
  std::array<double, 2> busy_until{};
  for (const std::uint64_t each : steps)
    *std::min_element(busy_until.begin(), busy_until.end()) += static_cast<double>(each);
  return *std::max_element(busy_until.begin(), busy_until.end()) / all;
}

template <class Work>
auto timed(Work work) {
  return [work] {
    results finished;
    const double took = seconds([&] { finished = work(); });
    return measured{{took}, std::to_string(std::accumulate(finished.begin(), finished.end(), std::uint64_t{0}))};
  };
}

void race(score_sheet& sheet, forkful::process_pool& pool, const std::string& name, const lengths& steps) {
  tbb::task_arena arena(2);
  const std::size_t count = steps.size();
  const double best = bound(steps);
  const double listed = in_order(steps);
  // Long slices that come late cannot be foreseen; all other work could be balanced perfectly.
  const bool unforeseen = name == "one giant last" || name == "8 giants last" || name.starts_with("one in 1000");
  const std::string limit = unforeseen ? "in-order list scheduling, chunk 1" : "max(T1 / 2, longest)";
  contest(sheet, "S11", fmt::format("{} slices of {} each, lengths: {}", count, quantity(mean, "s"), name))
      .ours("process_pool::map", timed([&] { return pool.map(steps, eat_slice); }))
      .peer(limit,
            [&] {
              measured taken = timed([&] {
                results finished;
                for (const std::uint64_t each : steps) finished.push_back(eat_slice(each));
                return finished;
              })();
              taken.values[0] *= unforeseen ? listed : best;
              return taken;
            })
      .peer("OpenMP schedule(dynamic, 1)", timed([&] {
              results finished(count);
#pragma omp parallel for num_threads(2) schedule(dynamic, 1)
              for (std::size_t i = 0; i < count; ++i) finished[i] = eat_slice(steps[i]);
              return finished;
            }))
      .peer("oneTBB parallel_for", timed([&] {
              results finished(count);
              arena.execute([&] {
                tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) { finished[i] = eat_slice(steps[i]); });
              });
              return finished;
            }))
      .goal(at_most_times(limit, 1.05))
      .run({.rounds = 31, .budget = 12});
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "balance");
  forkful::process_pool pool{2};
  for (const char* name :
       {"equal", "linear", "linear, long ones first", "exponential", "bimodal", "one giant first", "one giant last"}) {
    if (sheet.wanted("S11", name)) race(sheet, pool, name, shape_of_400(name));
  }
  for (const char* name :
       {"8 giants first", "8 giants in the middle", "8 giants last", "sawtooth", "one in 1000 is 1000 times longer"}) {
    if (sheet.wanted("S11", name)) race(sheet, pool, name, shape_of_5000(name));
  }
  return sheet.finish();
}
