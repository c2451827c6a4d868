// S10: a stream of 100 000 small slices: imap, whose results come in order while they are made, and submit, one future each; beside
// Python's imap and ProcessPoolExecutor, and oneTBB's pipeline and task_group. Python runs fewer of them: it is the time of one that counts.
// Besides, how evenly results come: the time from one to the next.
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <cstdint>
#include <forkful/forkful.hpp>
#include <memory>
#include <string>
#include <vector>

#include "side_by_side/contest.hpp"

namespace {

using namespace forkful_bench;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t slices = 100'000;

std::uint64_t square(std::size_t slice) { return slice * slice; }

// One measurement a round: what a slice took. The check of every contestant is of the first 10 000 slices, which all of
// them run.
template <class Work>
auto each_of(Work work) {
  return [work]() mutable {
    std::uint64_t first = 0;
    const double took = seconds([&] { first = work(); });
    return measured{{took / slices}, std::to_string(first)};
  };
}

std::uint64_t counted(std::size_t index, std::uint64_t value) { return index < 10'000 ? value : 0; }

// The time from one result to the next.
template <class Results>
measured gaps(Results&& results) {
  measured taken;
  taken.values.reserve(slices);
  auto before = clock_type::now();
  for (const std::uint64_t value : results) {
    keep(value);
    const auto now = clock_type::now();
    taken.values.push_back(std::chrono::duration<double>(now - before).count());
    before = now;
  }
  return taken;
}

void imap(score_sheet& sheet, forkful::process_pool& pool, tbb::task_arena& arena) {
  contest(sheet, "S10", "imap of 100 000 small slices")
      .per(1, "slice")
      .ours("process_pool::imap", each_of([&] {
              std::uint64_t sum = 0;
              std::size_t index = 0;
              for (const std::uint64_t value : pool.imap(forkful::indices(slices), square))
                sum += counted(index++, value);
              return sum;
            }))
      .ours("process_pool::imap_unordered", each_of([&] {
              std::uint64_t sum = 0;
              for (const auto& [index, value] : pool.imap_unordered(forkful::indices(slices), square))
                sum += counted(index, value);
              return sum;
            }))
      .peer("Python Pool(2).imap", std::make_unique<peer_process>(python("streams.py", {"imap", "1"})))
      .peer("Python Pool(2).imap, chunksize=100", std::make_unique<peer_process>(python("streams.py", {"imap", "100"})))
      .peer("oneTBB parallel_pipeline", each_of([&] {
              std::uint64_t sum = 0;
              std::size_t read = 0;
              std::size_t index = 0;
              arena.execute([&] {
                using tbb::filter_mode;
                tbb::parallel_pipeline(
                    64,
                    tbb::make_filter<void, std::size_t>(filter_mode::serial_in_order,
                                                        [&](tbb::flow_control& flow) {
                                                          if (read == slices) flow.stop();
                                                          return read++;
                                                        }) &
                        tbb::make_filter<std::size_t, std::uint64_t>(filter_mode::parallel, &square) &
                        tbb::make_filter<std::uint64_t, void>(filter_mode::serial_in_order, [&](std::uint64_t value) {
                          sum += counted(index++, value);
                        }));
              });
              return sum;
            }))
      .goal(at_most(0.5e-6, "at most 0.5 us a slice"))
      .run({.rounds = 21, .budget = 40});
  contest(sheet, "S10", "imap of small slices: from one result to the next")
      .tails()
      .ours("process_pool::imap", [&] { return gaps(pool.imap(forkful::indices(slices), square)); })
      .peer("Python Pool(2).imap", std::make_unique<peer_process>(python("streams.py", {"gaps", "1"})))
      .run({.rounds = 10});
}

void submit(score_sheet& sheet, forkful::process_pool& pool, tbb::task_arena& arena) {
  contest(sheet, "S10", "submit of 100 000 small slices, then all results")
      .per(1, "slice")
      .ours("process_pool::submit", each_of([&] {
              std::vector<forkful::future<std::uint64_t>> all;
              all.reserve(slices);
              for (std::size_t i = 0; i < slices; ++i) all.push_back(pool.submit(square, i));
              std::uint64_t sum = 0;
              for (std::size_t i = 0; i < slices; ++i) sum += counted(i, all[i].get());
              return sum;
            }))
      .peer("Python ProcessPoolExecutor(2).submit", std::make_unique<peer_process>(python("streams.py", {"submit"})))
      .peer("oneTBB task_group::run", each_of([&] {
              std::vector<std::uint64_t> all(slices);
              arena.execute([&] {
                tbb::task_group group;
                for (std::size_t i = 0; i < slices; ++i) group.run([&all, i] { all[i] = square(i); });
                group.wait();
              });
              std::uint64_t sum = 0;
              for (std::size_t i = 0; i < slices; ++i) sum += counted(i, all[i]);
              return sum;
            }))
      .goal(at_most(1e-6, "at most 1 us a slice"))
      .run({.rounds = 21, .budget = 60});
  // One after the other, each waited for: a whole way there and back.
  contest(sheet, "S10", "submit of one small slice and waiting for its result")
      .tails()
      .ours("process_pool::submit().get()",
            [&] {
              measured taken;
              for (std::size_t i = 0; i < 5'000; ++i)
                taken.values.push_back(seconds([&] { keep(pool.submit(square, i).get()); }));
              return taken;
            })
      .peer("Python ProcessPoolExecutor(2)", std::make_unique<peer_process>(python("streams.py", {"one"})))
      .run({.rounds = 10});
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "streams");
  forkful::process_pool pool{2};
  tbb::task_arena arena(2);
  if (sheet.wanted("S10", "imap")) imap(sheet, pool, arena);
  if (sheet.wanted("S10", "submit")) submit(sheet, pool, arena);
  return sheet.finish();
}
