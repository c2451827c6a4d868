// S18: how costs grow: 1 to 256 workers, 1 to 10^8 slices, 16 B to 1 GB a slice. Each curve is a cost per unit (a worker, a slice, a
// byte): flat or falling is what it should be. A point that costs more than twice what its neighbour below does is a cliff, and is
// named; beside it stands a contestant that does without processes, in whose curve the machine's own cliffs (caches,
// pages) can be seen.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <forkful/forkful.hpp>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>

#include "format/fmt.hpp"
#include "side_by_side/cliff.hpp"
#include "side_by_side/contest.hpp"
#include "side_by_side/process_tree.hpp"

using namespace forkful_bench;

namespace {

constexpr double steep = 2;

// The wrong results since the last row; empty if all is well.
std::string quarrel;

// `work` does all the work of this size, once, and returns how long it took.
struct contestant {
  std::string name;
  std::function<double()> work;
};

// Sizes take turns, too: all of them, then all of them again. A moment in which the machine is disturbed, or a process
// stays on an unlucky core, is then a part of every point and not the whole of one.
constexpr int passes = 3;

// A figure while it is measured.
class figure {
 public:
  figure(std::string title, std::string x, std::string x_unit, std::string y)
      : row_{.id = "S18", .title = std::move(title)} {
    row_.curves = {std::move(x), std::move(x_unit), std::move(y), "s", {}};
  }

  // One pass at size x: all in turns, more rounds where they are short. What is drawn is the time over `units`.
  void turns_at(std::size_t x, std::size_t units, const std::vector<contestant>& all) {
    const auto began = std::chrono::steady_clock::now();
    const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
    for (int round = 0; round < 5 || (round < 100 && spent() < 0.5); ++round) {
      for (const contestant& each : all) {
        const double took = each.work();
        // The first finds caches and workers cold.
        if (round != 0) times_of(each.name)[x].push_back(took / static_cast<double>(units));
      }
    }
  }

  // Prints the curves, what they show in words, and whether ours have no cliff.
  void conclude(score_sheet& sheet, const std::vector<std::string>& ours, const std::string& more = {}) {
    for (const auto& [name, times] : lines_) {
      series line{name, {}};
      for (const auto& [x, all] : times) line.points.emplace_back(x, spread_of(all).median);
      row_.curves.lines.push_back(std::move(line));
    }
    row_.quarrel = std::exchange(quarrel, {});
    row_.note = cliffs_in_words(row_.curves, steep) + (more.empty() ? "" : ". " + more);
    for (const std::string& line : ours) row_.verdicts.push_back(judge(no_cliff(line, steep), row_));
    sheet.add(std::move(row_));
  }

 private:
  using times = std::map<std::size_t, std::vector<double>>;
  times& times_of(const std::string& name) {
    for (auto& [known, all] : lines_)
      if (known == name) return all;
    return lines_.emplace_back(name, times{}).second;
  }
  row row_;
  std::vector<std::pair<std::string, times>> lines_{};
};

// ---- 1 to 256 workers ----------------------------------------------------------------------------------------------

std::size_t same(std::size_t i) { return i; }

// Curves of wrong results mean nothing.
void expect(const std::vector<std::size_t>& finished, std::size_t slices) {
  if (finished.size() != slices || finished.back() != slices - 1) quarrel = "a map of numbers returned others";
}

void fork_and_wait(unsigned n) {
  std::vector<pid_t> children(n);
  for (pid_t& each : children) {
    each = fork();
    if (each == 0) _exit(0);
  }
  for (const pid_t each : children)
    if (each > 0) waitpid(each, nullptr, 0);
}

// Before any warm pool is made: forking a program that has grown takes longer, which S9 measures.
void starting_workers(score_sheet& sheet) {
  figure starting("growth: workers, start + first map + stop, for one worker", "workers", "", "time for one worker");
  peer_process python_pool(python("growth.py"));
  for (int pass = 0; pass < passes; ++pass) {
    for (unsigned n = 1; n <= 256; n *= 2) {
      std::vector<contestant> all{{"process_pool",
                                   [=] {
                                     return seconds([=] {
                                       forkful::process_pool pool{n};
                                       expect(pool.map(forkful::indices(n), same), n);
                                     });
                                   }},
                                  {"raw: fork, exit, wait", [=] { return seconds([=] { fork_and_wait(n); }); }}};
      if (python_pool.alive())
        all.push_back({"Python Pool", [&] { return std::stod(python_pool.ask(fmt::format("workers {}", n))); }});
      starting.turns_at(n, n, all);
    }
  }
  starting.conclude(sheet, {"process_pool"}, python_pool.why());
}

void warm_workers(score_sheet& sheet) {
  figure warm("growth: workers, a map of 16 slices a worker on a warm pool, for one slice", "workers", "",
              "time for one slice");
  figure fixed("growth: workers, a map of 4096 slices in chunks of 1 on a warm pool, for one slice", "workers", "",
               "time for one slice");
  const auto map = [](auto& pool, std::size_t slices, std::size_t chunk) {
    const forkful::call_options how{.chunk = chunk};
    return seconds([&] { expect(pool.with(how).map(forkful::indices(slices), same), slices); });
  };
  for (int pass = 0; pass < passes; ++pass) {
    for (unsigned n = 1; n <= 256; n *= 2) {
      const std::size_t slices = std::size_t{16} * n;
      constexpr std::size_t many = 4096;
      forkful::process_pool processes{n};
      forkful::thread_pool threads{n};
      // It has as many threads because our pool, which exists, has made oneTBB allow them.
      tbb::task_arena arena(static_cast<int>(n));
      const auto by_one_tbb = [&](std::size_t count, const auto& partitioner) {
        return seconds([&] {
          std::vector<std::size_t> results(count);
          arena.execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, count),
                [&](const auto& some) {
                  for (std::size_t i = some.begin(); i != some.end(); ++i) results[i] = same(i);
                },
                partitioner);
          });
          expect(results, count);
        });
      };
      warm.turns_at(n, slices,
                    {{"process_pool", [&] { return map(processes, slices, 0); }},
                     {"thread_pool", [&] { return map(threads, slices, 0); }},
                     {"oneTBB", [&] { return by_one_tbb(slices, tbb::auto_partitioner{}); }}});
      fixed.turns_at(n, many,
                     {{"process_pool", [&] { return map(processes, many, 1); }},
                      {"thread_pool", [&] { return map(threads, many, 1); }},
                      {"oneTBB", [&] { return by_one_tbb(many, tbb::simple_partitioner{}); }}});
    }
  }
  warm.conclude(sheet, {"process_pool", "thread_pool"}, "The number of slices grows with the workers");
  fixed.conclude(sheet, {"process_pool", "thread_pool"});
}

// ---- 1 to 10^8 slices ----------------------------------------------------------------------------------------------

using byte = std::uint8_t;

void slices(score_sheet& sheet) {
  figure curves("growth: slices that do next to nothing, for one slice", "slices", "", "time for one slice");
  forkful::process_pool processes{2};
  forkful::thread_pool threads{2};
  // Not a global_control: that would hold for our pool of threads, too.
  tbb::task_arena two(2);
  for (int pass = 0; pass < passes; ++pass)
    for (std::size_t n = 1; n <= 100'000'000; n *= 10) {
      const forkful::shared_vector<byte> table(n, byte{0});
      const auto map = [=](auto& pool) {
        return seconds(
            [&] { keep(pool.map(forkful::indices(n), [](std::size_t i) { return static_cast<byte>(i); })); });
      };
      curves.turns_at(
          n, n,
          {{"process_pool, for_each in place",
            [&] { return seconds([&] { processes.for_each(table, [](byte& slice) { ++slice; }); }); }},
           {"process_pool, map", [&] { return map(processes); }},
           {"thread_pool, map", [&] { return map(threads); }},
           {"a fresh vector, by memcpy",
            [&] { return seconds([&] { keep(std::vector<byte>(table.begin(), table.end())); }); }},
           {"oneTBB, in place", [&] {
              return seconds([&] {
                two.execute([&] { tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) { ++table[i]; }); });
              });
            }}});
    }
  curves.conclude(sheet, {"process_pool, for_each in place", "process_pool, map", "thread_pool, map"});
}

// The contestants of S15, with as many slices as there are.
void memory_of_slices(score_sheet& sheet) {
  row taken{.id = "S18", .title = "growth: memory besides the data, in all processes, by slices of a byte"};
  taken.curves = {"slices", "", "memory", "B", {}};
  for (const auto& [name, way] : {std::pair{"for_each in place", "in_place"}, {"map by copy", "map"}}) {
    series line{name, {}};
    for (std::size_t n = 1; n <= 100'000'000; n *= 10) {
      peer_process other({peer_program("memory"), "--as", way, std::to_string(n)});
      if (!other.alive()) {
        taken.note = fmt::format("{} is absent: {}", name, other.why());
        break;
      }
      const memory before = memory_of(process_tree(other.pid()));
      double data = 0;
      const memory most = most_memory_while(other.pid(), [&] {
        for (int round = 0; round < 3; ++round) data = other.round().first[0];
      });
      line.points.emplace_back(n, std::max(0.0, most.proportional - before.proportional - data));
    }
    taken.curves.lines.push_back(std::move(line));
  }
  for (const series& line : taken.curves.lines) {
    if (line.points.empty()) continue;
    const auto [n, bytes] = line.points.back();
    taken.verdicts.push_back({line.name + ": at most 1 B a slice at the end", "B", 1, bytes / n, bytes / n <= 1});
  }
  sheet.add(std::move(taken));
}

// ---- 16 B to 1 GB a slice ------------------------------------------------------------------------------------------

// As much data as is needed to fill 64 MB, at least two slices, at most a million.
std::size_t how_many(std::size_t bytes) {
  return std::clamp<std::size_t>((std::size_t{64} << 20) / bytes, 2, 1'000'000);
}

std::size_t look_at(std::string_view slice) {
  return slice.size() + static_cast<unsigned char>(slice[slice.size() / 2]);
}
std::size_t look_in_place(std::span<char> slice) { return look_at({slice.data(), slice.size()}); }

void bytes(score_sheet& sheet) {
  figure copied_slices("growth: bytes of a slice, copied to a worker that looks at one of them, for one byte",
                       "bytes of a slice", "B", "time for one byte");
  figure in_place("growth: bytes of a slice, two slices in place, one byte of each touched, for one slice",
                  "bytes of a slice", "B", "time for one slice");
  forkful::process_pool pool{2};
  for (int pass = 0; pass < passes; ++pass)
    for (std::size_t each = 16; each <= std::size_t{1} << 30; each *= 4) {
      const std::size_t n = how_many(each);
      const std::size_t all = n * each;
      {
        const std::vector<std::string> texts(n, std::string(each, 'c'));
        std::vector<char> copy(all);
        const std::size_t sum = n * (each + 'c');
        const auto copied = [&](char* to) {
          for (const std::string& slice : texts) {
            std::memcpy(to, slice.data(), slice.size());
            to += slice.size();
          }
        };
        copied_slices.turns_at(each, all,
                               {{"process_pool, map by copy",
                                 [&] {
                                   std::vector<std::size_t> looks;
                                   const double took = seconds([&] { looks = pool.map(texts, look_at); });
                                   if (std::accumulate(looks.begin(), looks.end(), std::size_t{0}) != sum)
                                     quarrel = "a byte was lost";
                                   if (pool.report().bytes_in < all) quarrel = "slices were not copied";
                                   return took;
                                 }},
                                {"memcpy into one touched buffer",
                                 [&] {
                                   return seconds([&] {
                                     copied(copy.data());
                                     keep(copy);
                                   });
                                 }},
                                {"memcpy into fresh memory", [&] {
                                   return seconds([&] {
                                     const std::unique_ptr<char[]> fresh(new char[all]);
                                     copied(fresh.get());
                                     keep(fresh);
                                   });
                                 }}});
      }
      constexpr std::size_t two = 2;  // at all sizes: else it would be the number of slices that grows
      const forkful::shared_vector<char> table(two * each, 'c');
      in_place.turns_at(each, two,
                        {{"process_pool, in place", [&] {
                            return seconds([&] { keep(pool.map(forkful::slices(table, two), look_in_place)); });
                          }}});
    }
  copied_slices.conclude(sheet, {"process_pool, map by copy"},
                         "Two slices at least, so from 64 MB a slice on the data grows with them. Less than a memcpy "
                         "into a large buffer is "
                         "possible: chunks of 1 MB are copied to memory that was just used, which is still in the "
                         "cache. Of "
                         "more than 128 MB of shared memory, what the last call gave back and this one takes afresh "
                         "is kept");
  in_place.conclude(sheet, {"process_pool, in place"});
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "growth");
  if (sheet.wanted("S18", "starting workers")) starting_workers(sheet);
  if (sheet.wanted("S18", "warm workers")) warm_workers(sheet);
  if (sheet.wanted("S18", "slices")) slices(sheet);
  if (sheet.wanted("S18", "memory")) memory_of_slices(sheet);
  if (sheet.wanted("S18", "bytes")) bytes(sheet);
  return sheet.finish();
}
