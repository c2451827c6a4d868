// What copying costs, beside what it must cost at least: memory moved there, worked on, and moved into fresh containers.
//   S4: map of 10 M doubles by copy. The floor does the same with memcpy and S3's for_each in place.
//   S5: map of 20 000 short strings, beside Python's Pool, joblib, oneTBB and the loop. The floor packs all strings into one block,
//       builds strings from it, runs them, packs the results and builds them: by one thread, and half of that is what two cores
//       need at least.
// Results are freed when the clock has stopped.
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <cstring>
#include <forkful/forkful.hpp>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "side_by_side/contest.hpp"
#include "side_by_side/cores.hpp"

namespace {

using namespace forkful_bench;
using doubles = std::vector<double>;
using strings = std::vector<std::string>;

double eight_roots(double x) {
  for (int i = 0; i < 8; ++i) x = std::sqrt(x);
  return x;
}
std::string finished(const std::string& slice) { return slice + "_eaten"; }

std::string digest(const doubles& all) { return std::to_string(std::accumulate(all.begin(), all.end(), 0.0)); }
std::string digest(const strings& all) {
  std::size_t letters = 0;
  for (const std::string& each : all) letters += each.size();
  return std::to_string(letters) + ":" + all.front() + ":" + all.back();
}

template <class Work>
auto timed(Work work) {
  return [work]() mutable {
    decltype(work()) result;
    const double took = seconds([&] { result = work(); });
    return measured{{took}, digest(result)};
  };
}

void numbers(score_sheet& sheet) {
  constexpr std::size_t count = 10'000'000;
  forkful::process_pool pool{2};
  doubles table(count);
  std::iota(table.begin(), table.end(), 1.0);
  forkful::shared_vector<double> shared(count);
  const auto in = [&] { std::memcpy(shared.data(), table.data(), count * sizeof(double)); };
  const auto work = [&] { pool.for_each(shared, [](double& x) { x = eight_roots(x); }); };
  const auto out = [&] { return doubles(shared.begin(), shared.end()); };
  contest(sheet, "S4", "map of 10 M doubles x 8 sqrt by copy")
      .ours("process_pool::map", timed([&] { return pool.map(table, eight_roots); }))
      .peer("floor: memcpy in, in place, fresh vector", timed([&] {
              in();
              work();
              return out();
            }))
      .peer("of it: memcpy in", [&] { return measured{{seconds(in)}}; })
      .peer("of it: in place (S3)",
            [&] {
              in();
              return measured{{seconds(work)}};
            })
      .peer("of it: filling a fresh vector",
            [&] {
              doubles result;
              return measured{{seconds([&] { result = out(); })}};
            })
      .peer("loop, no parallelism", timed([&] {
              doubles result;
              result.reserve(count);
              for (const double x : table) result.push_back(eight_roots(x));
              return result;
            }))
      .goal(at_most_times("floor: memcpy in, in place, fresh vector", 1.15))
      .run({.rounds = 21, .budget = 40});
}

// Strings one behind the other, each behind its length.
char* pack(const std::string& one, char* to) {
  const std::size_t length = one.size();
  std::memcpy(to, &length, sizeof(length));
  std::memcpy(to + sizeof(length), one.data(), length);
  return to + sizeof(length) + length;
}
std::string unpack(const char*& from) {
  std::size_t length = 0;
  std::memcpy(&length, from, sizeof(length));
  const char* const letters = from + sizeof(length);
  from = letters + length;
  return {letters, length};
}

void words(score_sheet& sheet) {
  strings texts;
  for (int i = 0; i < 20'000; ++i) texts.push_back("slice_" + std::to_string(i));
  forkful::process_pool pool{2};
  tbb::task_arena arena(2);
  std::vector<char> there(std::size_t{1} << 20);
  std::vector<char> back(std::size_t{1} << 20);
  const auto pack_all = [](const strings& all, std::vector<char>& into) {
    char* to = into.data();
    for (const std::string& each : all) to = pack(each, to);
  };
  const auto build_all = [&](const std::vector<char>& from) {
    strings result;
    result.reserve(texts.size());
    const char* at = from.data();
    for (std::size_t i = 0; i < texts.size(); ++i) result.push_back(unpack(at));
    return result;
  };
  // A burst of calls; the first one, which finds all workers asleep, is not counted.
  const auto burst = [&](auto call) {
    return [call] {
      measured taken;
      for (int i = -1; i < 20; ++i) {
        strings result;
        const double took = seconds([&] { result = call(); });
        if (i >= 0) taken.values.push_back(took);
        taken.check = digest(result);
      }
      return taken;
    };
  };
  contest(sheet, "S5", "map of 20 000 short strings")
      .ours("process_pool::map", burst([&] { return pool.map(texts, finished); }))
      .peer("loop, no parallelism", burst([&] {
              strings result;
              result.reserve(texts.size());
              for (const std::string& each : texts) result.push_back(finished(each));
              return result;
            }))
      .peer("floor: half of packing, running, building",
            [&] {
              measured all = burst([&] {
                pack_all(texts, there);
                const char* from = there.data();
                char* to = back.data();
                for (std::size_t i = 0; i < texts.size(); ++i) to = pack(finished(unpack(from)), to);
                return build_all(back);
              })();
              for (double& each : all.values) each /= 2;
              return all;
            })
      .peer("of it the caller's: packing, building", burst([&] {
              pack_all(texts, there);
              return build_all(back);
            }))
      .peer("Python Pool(2).map", std::make_unique<peer_process>(python("strings.py", {"pool"})))
      .peer("joblib Parallel(2)", std::make_unique<peer_process>(python("strings.py", {"joblib"})))
      .peer("oneTBB parallel_for", burst([&] {
              strings result(texts.size());
              arena.execute([&] {
                tbb::parallel_for(std::size_t{0}, texts.size(), [&](std::size_t i) { result[i] = finished(texts[i]); });
              });
              return result;
            }))
      .peer("a cache line to the other core and back", line_round_trips)
      .goal(times_faster_than("Python Pool(2).map", 4))
      .goal(at_most_times("loop, no parallelism", 2))
      .run({.rounds = 31, .budget = 40});
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "copies");
  if (sheet.wanted("S4")) numbers(sheet);
  if (sheet.wanted("S5")) words(sheet);
  return sheet.finish();
}
