// S15: what memory pools take besides the data.
//   100 M slices of one byte: bookkeeping, for a slice
//   1 GB that 2 workers read: all that is resident in all processes, over one copy of it
// Each contestant has a process for itself. Proportional set sizes are added up over it and its workers, from outside, again and
// again while it works; what counts is the most that was measured, less what was there before its first round, less the data.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tbb/parallel_for.h>

#include "format/fmt.hpp"
#include "side_by_side/contest.hpp"
#include "side_by_side/process_tree.hpp"
#include "side_by_side/served.hpp"

using namespace forkful_bench;

namespace {

using byte = std::uint8_t;

// ---- Bookkeeping: n slices of a byte, each made 1 more -------------------------------------------------------------

void run_slice(byte& slice) { ++slice; }
byte finished(byte slice) { return static_cast<byte>(slice + 1); }

std::string sum_of(std::span<const byte> all) {
  return std::to_string(std::accumulate(all.begin(), all.end(), std::uint64_t{0}));
}

// A round's value: the bytes of data that are there at its end and were not at its beginning.
int serve_bookkeeping(std::string_view way, std::size_t n) {
  forkful::process_pool pool{2};
  if (way == "in_place") {
    forkful::shared_vector<byte> table(n, byte{0});
    return serve([&] {
      pool.for_each(table, run_slice);
      std::string sum = sum_of(table.span());
      std::fill(table.begin(), table.end(), byte{0});
      return measured{{0}, sum};
    });
  }
  if (way == "map") {
    const std::vector<byte> table(n, byte{0});
    return serve([&pool, &table, n, results = std::vector<byte>()]() mutable {
      // Destroyed only now, so that it was there to be looked at. (Assigning {} would empty it and keep its memory.)
      results = std::vector<byte>();
      results = pool.map(table, finished);
      return measured{{static_cast<double>(n)}, sum_of(results)};
    });
  }
  if (way == "indices") {
    return serve([&pool, n, results = std::vector<byte>()]() mutable {
      results = std::vector<byte>();
      results = pool.map(forkful::indices(n), [](std::size_t) { return byte{1}; });
      return measured{{static_cast<double>(n)}, sum_of(results)};
    });
  }
  std::vector<byte> table(n, byte{0});
  return serve([&] {
    tbb::parallel_for(std::size_t{0}, n, [&](std::size_t i) { run_slice(table[i]); });
    std::string sum = sum_of(table);
    std::fill(table.begin(), table.end(), byte{0});
    return measured{{0}, sum};
  });
}

// A contestant, and what its program and warm workers took before its first round: what a round leaves behind is not given back.
class watched {
 public:
  explicit watched(std::vector<std::string> command)
      : other_(std::move(command), std::chrono::seconds(120)), before_(memory_of(process_tree(other_.pid()))) {}
  [[nodiscard]] const peer_process& other() const { return other_; }
  // The most that is there during a round, besides its data.
  measured round() {
    std::pair<std::vector<double>, std::string> done;
    const memory most = most_memory_while(other_.pid(), [&] { done = other_.round(); });
    return {{most.proportional - before_.proportional - done.first[0]}, done.second};
  }

 private:
  peer_process other_;
  memory before_;
};

void add(contest& to, const std::string& name, bool is_ours, std::vector<std::string> command, double times = 1) {
  auto one = std::make_shared<watched>(std::move(command));
  const auto round = [one, times] {
    measured taken = one->round();
    for (double& each : taken.values) each *= times;
    return taken;
  };
  if (!one->other().alive())
    to.absent(name, one->other().why());
  else if (is_ours)
    to.ours(name, round);
  else
    to.peer(name, round);
}

void bookkeeping(score_sheet& sheet) {
  constexpr std::size_t slices = 100'000'000;
  contest all(sheet, "S15", "memory besides the data: 100 M slices of a byte, default chunks");
  const auto here = [](const char* way) { return this_program({"--as", way, std::to_string(slices)}); };
  add(all, "for_each in place", true, here("in_place"));
  add(all, "map by copy", true, here("map"));
  add(all, "map of indices", true, here("indices"));
  add(all, "oneTBB, in place", false, here("tbb"));
  // A tenth of the slices: the figure is for one, and Python takes long.
  add(all, "Python Pool.map (10 M slices)", false, python("memory.py", {"bookkeeping", std::to_string(slices / 10)}),
      10);
  all.per(slices, "slice")
      .unit("B")
      .goal({"at most 1 B, each of ours", 1,
             [](const row& of) -> std::optional<double> {
               std::optional<double> most;
               for (const lane& each : of.lanes)
                 if (each.ours && each.ran()) most = std::max(most.value_or(each.values.median), each.values.median);
               return most;
             },
             false, "B"})
      .note(
          "Python's results are a list of references, 8 bytes each: its data, not its bookkeeping, but no array "
          "either.")
      .run({.rounds = 3, .budget = 100, .thrown_away = 1});
}

// ---- 1 GB that 2 workers read --------------------------------------------------------------------------------------

constexpr std::size_t gigabyte = std::size_t{1} << 30;
constexpr std::size_t numbers = gigabyte / sizeof(double);

// Reads all of it, so that every worker has touched every page.
double total(std::span<const double> all) { return std::accumulate(all.begin(), all.end(), 0.0); }
double total_of(std::size_t /*worker*/, std::span<const double> all) { return total(all); }
double total_of_vector(std::size_t /*worker*/, const std::vector<double>& all) { return total(all); }

measured sums(const std::vector<double>& all) {
  return {{0}, fmt::format("{:.0f}", std::accumulate(all.begin(), all.end(), 0.0))};
}

// The gigabyte is made in the round, on every way: what is there before it is the program and its warm workers.
int serve_sharing(std::string_view way) {
  forkful::process_pool pool{2};
  forkful::snapshot_pool snapshot{2};
  // Both workers are to read it: two slices, each a chunk.
  const forkful::call_options one_each{.chunk = 1};
  (void)pool.map(forkful::indices(2), [](std::size_t i) { return i; });
  return serve([&] {
    if (way == "span") {
      const forkful::shared_vector<double> table(numbers, 1.0);
      return sums(pool.with(one_each).map(forkful::indices(2), total_of, std::span<const double>(table.span())));
    }
    if (way == "vector") {
      const forkful::shared_vector<double> table(numbers, 1.0);
      return sums(pool.with(one_each).map(
          forkful::indices(2), [](std::size_t, const forkful::shared_vector<double>& all) { return total(all.span()); },
          table));
    }
    const std::vector<double> table(numbers, 1.0);
    if (way == "snapshot")
      return sums(snapshot.with(one_each).map(forkful::indices(2), [&](std::size_t) { return total(table); }));
    return sums(pool.with(one_each).map(forkful::indices(2), total_of_vector, table));
  });
}

void sharing(score_sheet& sheet) {
  contest all(sheet, "S15", "1 GB that 2 workers read: memory of all processes, over one copy");
  const auto ours = [](const char* way) { return this_program({"--as", "sharing", way}); };
  add(all, "broadcast by span", true, ours("span"));
  add(all, "a shared_vector broadcast", true, ours("vector"));
  add(all, "snapshot_pool, any vector", true, ours("snapshot"));
  add(all, "a std::vector broadcast (copied, the report warns)", true, ours("copied"));
  add(all, "Python Pool, array as argument", false, python("memory.py", {"argument", std::to_string(numbers)}));
  add(all, "Python Pool, shared_memory", false, python("memory.py", {"shared", std::to_string(numbers)}));
  all.per(gigabyte, "")
      .unit("x")
      .goal({"by span and by shared_vector: at most 1 % over one copy", 1.01,
             [](const row& of) -> std::optional<double> {
               const lane* span = of.named("broadcast by span");
               const lane* vector = of.named("a shared_vector broadcast");
               if (span == nullptr || vector == nullptr) return {};
               return std::max(span->values.median, vector->values.median);
             }})
      .run({.rounds = 3, .budget = 100, .thrown_away = 1});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--as")
    return std::string_view(argv[2]) == "sharing" ? serve_sharing(argv[3])
                                                  : serve_bookkeeping(argv[2], std::strtoull(argv[3], nullptr, 10));
  score_sheet sheet(argc, argv, "memory");
  if (sheet.wanted("S15", "bookkeeping")) bookkeeping(sheet);
  if (sheet.wanted("S15", "sharing")) sharing(sheet);
  return sheet.finish();
}
