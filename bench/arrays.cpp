// S6: 32 arrays of 8 MB.
//   By copy, there and back: each is copied to a worker, which changes one number, and comes back as a fresh vector. The floor moves
//   as many bytes: memcpy into memory that was used before, and the same fresh vectors built by memcpy.
//   In place: the arrays lie in shared memory and workers touch one number of each; for arrays of 4 KB to 64 MB.
#include <barrier>
#include <cstring>
#include <forkful/forkful.hpp>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "side_by_side/contest.hpp"
#include "side_by_side/cores.hpp"

namespace {

using namespace forkful_bench;
using doubles = std::vector<double>;

constexpr std::size_t arrays = 32;

template <class Arrays>
std::string digest(const Arrays& all) {
  double sum = 0;
  for (const doubles& each : all) sum += each.front() + each.back();
  return std::to_string(static_cast<long>(sum));
}

void by_copy(score_sheet& sheet) {
  constexpr std::size_t length = 1'000'000;
  using table_type = std::vector<doubles>;
  forkful::process_pool pool{2};
  const table_type table(arrays, doubles(length, 1.0));
  const auto timed = [](auto call) {
    return [call] {
      table_type result;
      const double took = seconds([&] { result = call(); });
      return measured{{took}, digest(result)};
    };
  };
  doubles there(arrays * length, 0.0);
  const auto floor = [&] {
    for (std::size_t i = 0; i < arrays; ++i)
      std::memcpy(there.data() + i * length, table[i].data(), length * sizeof(double));
    table_type result;
    result.reserve(arrays);
    for (std::size_t i = 0; i < arrays; ++i) {
      double* const one = there.data() + i * length;
      one[0] += 1;
      result.emplace_back(one, one + length);
    }
    return result;
  };
  contest(sheet, "S6", "32 arrays of 8 MB there and back, by copy")
      .ours("process_pool::map", timed([&] {
              return pool.map(table, [](doubles slice) {
                slice[0] += 1;
                return slice;
              });
            }))
      .ours("process_pool::map, reading a span", timed([&] {
              return pool.map(table, [](std::span<const double> slice) {
                doubles mine(slice.begin(), slice.end());
                mine[0] += 1;
                return mine;
              });
            }))
      .peer("floor: memcpy in, fresh vectors by memcpy", timed(floor))
      .peer("twice the floor, on both cores at once",
            [&] {
              // What a worker copies besides: its slice out of the arena, its result into the arena.
              std::vector<doubles> workers(2, doubles(length, 0.0));
              std::barrier together(2);
              table_type result;
              std::thread other([&] {
                stay_on(1);
                together.arrive_and_wait();
                for (std::size_t i = 0; i < arrays; ++i) {
                  std::memcpy(workers[0].data(), there.data() + i * length, length * sizeof(double));
                  std::memcpy(workers[1].data(), workers[0].data(), length * sizeof(double));
                }
                together.arrive_and_wait();
              });
              together.arrive_and_wait();
              const double took = seconds([&] {
                result = floor();
                together.arrive_and_wait();
              });
              other.join();
              return measured{{took}, digest(result)};
            })
      .peer("Python Pool(2).map", std::make_unique<peer_process>(python("arrays.py", {"pool"})))
      .peer("joblib Parallel(2)", std::make_unique<peer_process>(python("arrays.py", {"joblib"})))
      .peer("Python shared_memory, copied in and out",
            std::make_unique<peer_process>(python("arrays.py", {"shared_copied"})))
      .goal(at_most_times("floor: memcpy in, fresh vectors by memcpy", 1.2))
      .run({.rounds = 11, .budget = 60});
}

// One touch of each of `arrays` slices, all in all. Bursts, as in S1.
double in_place(score_sheet& sheet, std::size_t bytes, bool with_python) {
  const std::size_t length = bytes / sizeof(double);
  forkful::process_pool pool{2};
  forkful::shared_vector<double> table(arrays * length, 1.0);
  contest race(sheet, "S6",
               "32 arrays of " + quantity(static_cast<double>(bytes), "B") + " in place, one number of each touched");
  race.tails().ours("process_pool::for_each", [&] {
    measured taken;
    for (int i = -20; i < 2000; ++i) {
      const double took = seconds(
          [&] { pool.for_each(forkful::slices(table, arrays), [](std::span<double> slice) { slice[0] += 1; }); });
      if (i >= 0) taken.values.push_back(took);
    }
    return taken;
  });
  if (with_python)
    race.peer("Python Pool(2).map, shared_memory", std::make_unique<peer_process>(python("arrays.py", {"shared"})));
  const row done = race.goal(at_most(100e-6, "at most 100 us in all")).run({.rounds = 15});
  return done.lanes[0].values.median;
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "arrays");
  if (sheet.wanted("S6", "by copy")) by_copy(sheet);
  if (sheet.wanted("S6", "in place")) {
    series line{"process_pool::for_each", {}};
    for (const std::size_t bytes : {std::size_t{1} << 12, std::size_t{1} << 16, std::size_t{1} << 20,
                                    std::size_t{8'000'000}, std::size_t{1} << 26})
      line.points.emplace_back(static_cast<double>(bytes), in_place(sheet, bytes, bytes == 8'000'000));
    row flat{.id = "S6", .title = "in place: growth with the size of a slice"};
    flat.curves = {"bytes of a slice", "B", "time of 32 slices", "s", {line}};
    const double ratio = line.points.back().second / line.points.front().second;
    flat.verdicts.push_back({"flat: 64 MB a slice take at most 1.5 x what 4 KB take", "x", 1.5, ratio, ratio <= 1.5});
    sheet.add(flat);
  }
  return sheet.finish();
}
