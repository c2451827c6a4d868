// S3: for_each in place, 10 M doubles x 8 square roots: what it costs that workers are processes, beside threads of all kinds.
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <forkful/forkful.hpp>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "side_by_side/contest.hpp"

namespace {

using namespace forkful_bench;

constexpr std::size_t count = 10'000'000;

// The one kernel of all.
inline void eight_roots(double& x) {
  for (int i = 0; i < 8; ++i) x = std::sqrt(x);
}

// All contestants find the same numbers; neither making these nor looking at the results is timed.
template <class Table, class Work>
auto round_on(Table& table, Work work) {
  return [&table, work] {
    std::iota(table.begin(), table.end(), 1.0);
    const double took = seconds(work);
    return measured{{took}, std::to_string(std::accumulate(table.begin(), table.end(), 0.0))};
  };
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "in_place");
  forkful::process_pool pool{2};
  forkful::shared_vector<double> shared(count);
  std::vector<double> table(count);
  tbb::task_arena arena(2);
  const auto part = [](std::span<double> some) {
    for (double& x : some) eight_roots(x);
  };
  contest(sheet, "S3", "for_each in place, 10 M doubles x 8 sqrt, 2 workers")
      .ours("process_pool", round_on(shared, [&] { pool.for_each(shared, [](double& x) { eight_roots(x); }); }))
      .peer("oneTBB parallel_for", round_on(table,
                                            [&] {
                                              arena.execute([&] {
                                                tbb::parallel_for(
                                                    tbb::blocked_range<std::size_t>(0, count),
                                                    [&](const tbb::blocked_range<std::size_t>& some) {
                                                      part(std::span(table).subspan(some.begin(), some.size()));
                                                    });
                                              });
                                            }))
      .peer("OpenMP parallel for", round_on(table,
                                            [&] {
#pragma omp parallel for num_threads(2) schedule(static)
                                              for (std::size_t i = 0; i < count; ++i) eight_roots(table[i]);
                                            }))
      .peer("2 std::threads", round_on(table,
                                       [&] {
                                         std::thread first(part, std::span(table).first(count / 2));
                                         std::thread second(part, std::span(table).last(count / 2));
                                         first.join();
                                         second.join();
                                       }))
      .goal(at_most_times_fastest_peer(1.03))
      .run({.rounds = 41, .budget = 45, .thrown_away = 2});
  return sheet.finish();
}
