// S13: what watching costs: a timeline for the report, the report read, and a progress bar, against the same calls without.
// The bar draws into /dev/null as if it were a terminal. Counting itself is always on and in both.
#include <fcntl.h>

#include <cstdint>
#include <forkful/forkful.hpp>
#include <string>
#include <utility>
#include <vector>

#include "side_by_side/contest.hpp"

using namespace forkful_bench;

namespace {

// About 1 us of arithmetic.
std::uint64_t chew(std::size_t i) {
  std::uint64_t x = i;
  for (int k = 0; k < 700; ++k) x = x * 6364136223846793005U + 1442695040888963407U;
  return x;
}

std::string sum_of(const std::vector<std::uint64_t>& finished) {
  std::uint64_t sum = 0;
  for (const std::uint64_t each : finished) sum += each;
  return std::to_string(sum);
}

struct pools {
  forkful::process_pool plain{2};
  forkful::process_pool recorded{forkful::pool_options{.workers = 2, .record_timeline = true}};
  forkful::progress_bar bar{"running", {.fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC), .always = true}};
};

// What every call has, whatever it is: figures are counted always, timelines are recorded when asked for.
goal without_a_timeline() {
  return {"report and progress bar, no timeline: at most 1.01 x", 1.01, [](const row& of) -> std::optional<double> {
            const lane* shown = of.named("report and progress bar");
            const lane* quiet = of.named("process_pool, nobody watching");
            if (shown == nullptr || quiet == nullptr) return {};
            return shown->values.median / quiet->values.median;
          }};
}

// Slices of a microsecond, so many to a chunk; 0: forkful's choice.
void slices_of_a_microsecond(score_sheet& sheet, pools& with, std::size_t slices, std::size_t chunk,
                             const std::string& title) {
  const auto call = [&with, slices](forkful::process_pool& pool, const forkful::call_options& how, bool reads) {
    std::vector<std::uint64_t> finished;
    const double took = seconds([&] {
      finished = pool.with(how).map(forkful::indices(slices), chew);
      if (reads) keep(pool.report().wall);
    });
    return measured{{took}, sum_of(finished)};
  };
  const forkful::call_options quiet{.chunk = chunk};
  const forkful::call_options shown{.chunk = chunk, .progress = with.bar};
  contest(sheet, "S13", title)
      .ours("timeline, report and progress bar", [&] { return call(with.recorded, shown, true); })
      .ours("timeline and report", [&] { return call(with.recorded, quiet, true); })
      .ours("report and progress bar", [&] { return call(with.plain, shown, true); })
      .peer("process_pool, nobody watching", [&] { return call(with.plain, quiet, false); })
      .goal(at_most_times("process_pool, nobody watching", 1.01))
      .goal(without_a_timeline())
      .run({.rounds = 150, .budget = 40, .thrown_away = 3, .pause = std::chrono::milliseconds(1)});
}

// A call that takes two microseconds has no percent to spare: no goal, only the figure.
void short_calls(score_sheet& sheet, pools& with) {
  const std::vector<std::string> texts = {"slice_0", "slice_1", "slice_2", "slice_3"};
  const auto calls = [&](forkful::process_pool& pool, const forkful::call_options& how) {
    measured taken{{}, "4"};
    for (int i = 0; i < 1000; ++i)
      taken.values.push_back(seconds(
          [&] { keep(pool.with(how).map(texts, [](const std::string& one) { return one + "_eaten"; }).size()); }));
    return taken;
  };
  contest(sheet, "S13", "the shortest call: map of 4 short strings, warm")
      .ours("timeline and progress bar", [&] { return calls(with.recorded, {.progress = with.bar}); })
      .ours("timeline", [&] { return calls(with.recorded, {}); })
      .ours("progress bar", [&] { return calls(with.plain, {.progress = with.bar}); })
      .peer("process_pool, nobody watching", [&] { return calls(with.plain, {}); })
      .note("No goal here: a bar that is drawn once costs a system call, whatever the call takes.")
      .run();
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "watching");
  if (!sheet.wanted("S13")) return sheet.finish();
  pools with;
  slices_of_a_microsecond(sheet, with, 500'000, 0, "watched or not: 500 000 slices of 1 us, chunks as they come");
  slices_of_a_microsecond(sheet, with, 50'000, 0, "watched or not: 50 000 slices of 1 us, chunks as they come");
  slices_of_a_microsecond(sheet, with, 20'000, 1, "watched or not: 20 000 slices of 1 us, chunks of 1");
  short_calls(sheet, with);
  return sheet.finish();
}
