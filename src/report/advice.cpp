#include "report/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "report/words.hpp"

namespace forkful::detail {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

// Below these, nothing is said: it would not be worth anybody's time.
constexpr double much = 0.25;                       // of the workers' time
constexpr auto long_enough = microseconds(200);     // a chunk that takes longer is not what workers wait for
constexpr std::size_t large_broadcast = 1'000'000;  // bytes
constexpr std::size_t least_copied = 10'000;        // bytes
constexpr double copied_per_ns = 0.02;              // slower than that, bytes are not the reason
constexpr double copied_page_ns = 1'000;            // a fault and a copy of 4 KiB, about
constexpr auto worth_sharing = microseconds(300);   // a whole call below that gains nothing on a few cores

struct finding {
  double lost = 0;  // of the workers' time, about
  std::string warning;
  std::string advice;
};

double ratio(nanoseconds part, nanoseconds whole) {
  return whole.count() <= 0 ? 0 : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

nanoseconds each(nanoseconds all, std::size_t count) {
  return count == 0 ? nanoseconds(0) : nanoseconds(all.count() / static_cast<std::int64_t>(count));
}

// What the findings are made of.
struct figures {
  explicit figures(const report& of) : happened(of) {
    for (const worker_row& row : of.per_worker) {
      compute += row.time.compute;
      waited += row.time.idle + row.time.wake;
      started += row.time.start;
      passed += row.time.pass_in + row.time.pass_out;
      longest = std::max(longest, row.time.compute);
    }
    all = of.wall * static_cast<std::int64_t>(of.per_worker.size());
    slice = each(compute, of.slices);
    const std::size_t calls = std::max<std::size_t>(1, of.calls);
    slices_a_call = of.slices / calls;
    chunks_a_call = of.chunks / calls;
    broadcast_a_call = of.bytes_broadcast / calls;
  }

  const report& happened;
  nanoseconds compute{0};
  nanoseconds waited{0};
  nanoseconds started{0};
  nanoseconds passed{0};
  nanoseconds longest{0};  // compute of one worker
  nanoseconds all{0};      // the workers' time
  nanoseconds slice{0};    // compute of one, on average
  // Of a total, on average: how a call is cut does not depend on how many there are.
  std::size_t slices_a_call = 0;
  std::size_t chunks_a_call = 0;
  std::size_t broadcast_a_call = 0;
};

nanoseconds copying(const figures& is) {
  return is.passed + is.happened.caller.pass_in + is.happened.caller.reassemble;
}

// Bytes are what takes the time, not the number of hand-outs.
bool copying_rules(const figures& is) {
  const report& r = is.happened;
  const nanoseconds time = copying(is);
  return r.bytes_in + r.bytes_out >= least_copied && time >= is.compute && ratio(time, r.wall + is.all) >= much / 2 &&
         static_cast<double>(r.bytes_in + r.bytes_out) >= copied_per_ns * static_cast<double>(time.count());
}

// One slice is most of what the busiest worker did.
bool one_slice_rules(const figures& is) {
  const auto& slowest = is.happened.slowest;
  return !slowest.empty() && slowest.front().count == 1 && is.happened.slices > 1 &&
         ratio(slowest.front().time, is.longest) > 0.5;
}

using findings = std::vector<finding>;

void short_slices(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  if (r.deaths != 0 || copying_rules(is) || one_slice_rules(is)) return;
  const nanoseconds chunk = each(is.compute, r.chunks);
  if (lost < much || chunk > long_enough || r.chunks == 0 || is.chunks_a_call < 4UL * r.workers) return;
  const auto size =
      static_cast<std::size_t>(std::max<std::int64_t>(1, long_enough / std::max(is.slice, nanoseconds(1))));
  const std::size_t fair = std::max<std::size_t>(1, is.slices_a_call / (4UL * r.workers));
  const std::size_t better = std::min(size, fair);
  if (better < 2 * (r.slices / r.chunks)) return;
  found.push_back(
      {lost,
       fmt::format("workers waited {} of the time: slices take {} and {} at a time were handed out; hand out "
                   "larger chunks",
                   percent(lost), human_time(is.slice), r.slices / r.chunks),
       fmt::format("hand out larger chunks: pool.with({{.chunk = {}}})", better)});
}

void few_slices(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  if (lost < much || r.chunks == 0 || is.chunks_a_call >= r.workers || is.compute < worth_sharing) return;
  found.push_back(
      {lost,
       fmt::format("{} for {}: the others waited; cut the work in more slices{}", counted(is.chunks_a_call, "chunk"),
                   counted(r.workers, "worker"), r.slices > r.chunks ? ", or hand out smaller chunks" : ""),
       r.slices > r.chunks ? "hand out smaller chunks, so that every worker gets some"
                           : "cut the work in more slices than there are workers"});
}

void uneven(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  if (r.deaths != 0 || copying_rules(is)) return;
  if (r.workers < 2 || r.chunks < r.workers || r.imbalance() < 1.25 || lost < much || is.compute < worth_sharing)
    return;
  if (one_slice_rules(is)) {
    const double one = ratio(r.slowest.front().time, is.longest);
    found.push_back({lost,
                     fmt::format("slice {} alone took {}, {} of what its worker computed, while others waited; cut it "
                                 "smaller, or put it first",
                                 r.slowest.front().first, human_time(r.slowest.front().time), percent(one)),
                     fmt::format("cut slice {} smaller, or put it first", r.slowest.front().first)});
    return;
  }
  found.push_back(
      {lost,
       fmt::format("one worker computed {:.1f} times the mean while others waited: slices differ in length; hand "
                   "out smaller chunks",
                   r.imbalance()),
       r.slices > r.chunks ? "hand out smaller chunks: pool.with({.chunk = 1})"
                           : "cut the long slices smaller, or put them first"});
}

void copies(const figures& is, findings& found) {
  const report& r = is.happened;
  if (!copying_rules(is) || 2 * r.bytes_broadcast > r.bytes_in + r.bytes_out) return;
  const nanoseconds passed = copying(is);
  const double lost = ratio(passed, r.wall + is.all);
  const bool in = r.bytes_in >= r.bytes_out;
  found.push_back(
      {lost,
       fmt::format("copying took longer than computing ({} and {}): {} went in, {} came out; {}", human_time(passed),
                   human_time(is.compute), human_bytes(r.bytes_in), human_bytes(r.bytes_out),
                   in ? "keep the slices in a forkful::shared_vector, or take a std::span or std::string_view"
                      : "write results in place with map_into, or return a forkful::shared_vector"),
       in ? "keep the slices in shared memory: then nothing is copied in"
          : "write the results into shared memory (map_into): then nothing is copied out"});
}

void broadcast(const figures& is, findings& found) {
  const report& r = is.happened;
  if (is.broadcast_a_call <= large_broadcast) return;
  found.push_back({std::max(0.01, ratio(copying(is), r.wall + is.all)),
                   fmt::format("broadcast arguments of {} were encoded, and decoded by every worker: take a span of a "
                               "forkful::shared_vector, which is read in place",
                               human_bytes(r.bytes_broadcast)),
                   "pass the large argument as a span of a forkful::shared_vector"});
}

void starting(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.started, is.all);
  if (lost < much) return;
  const bool photograph = r.way == "snapshot";
  found.push_back({lost,
                   fmt::format("starting workers took {} of their time ({} each): {}", percent(lost),
                               human_time(each(is.started, r.workers)),
                               photograph ? "a process_pool keeps them from call to call"
                                          : "they are started once, later calls have them"),
                   photograph ? "use a process_pool, whose workers stay, or give one call more to do"
                              : "call again before you judge: workers are started once"});
}

void copy_on_write(const figures& is, findings& found) {
  const report& r = is.happened;
  const double copying = static_cast<double>(r.bytes_copied_on_write) / 4096 * copied_page_ns;
  const double lost = is.compute.count() == 0 ? 0 : copying / static_cast<double>(is.compute.count());
  if (r.bytes_copied_on_write < large_broadcast || lost < much) return;
  found.push_back(
      {std::min(lost, 0.9),
       fmt::format("workers copied {} of the caller's memory because they wrote to it, which took about {} of "
                   "their computing: return results, or write to a forkful::shared_vector",
                   human_bytes(r.bytes_copied_on_write), percent(std::min(lost, 1.0))),
       "write to a forkful::shared_vector instead of the caller's own memory"});
}

void deaths(const figures& is, findings& found) {
  const report& r = is.happened;
  if (r.deaths == 0) return;
  found.push_back(
      {std::max(0.02, ratio(is.waited, is.all)),
       fmt::format("{} died and {} handed out again: what they had eaten of those was eaten once more",
                   counted(r.deaths, "worker"), counted(r.retries, "chunk") + (r.retries == 1 ? " was" : " were")),
       "find out why workers died: try_map names the slices"});
}

void in_vain(const figures& is, findings& found) {
  const report& r = is.happened;
  if (r.workers < 2 || is.compute * 100 > r.wall * 95) return;
  found.push_back({1,
                   fmt::format("it took {}, and a loop would have taken about {}: handing out cost more than it saved",
                               human_time(r.wall), human_time(is.compute)),
                   "use a serial_pool here, or give the slices more to do"});
}

std::string nothing_to_mend(const figures& is) {
  const report& r = is.happened;
  if (!r.finished) return "the program ended in the middle of this call";
  if (r.slices == 0) return "nothing to mend: there was nothing to eat";
  if (r.way == "serial") {
    if (r.slices < 2 || r.wall < worth_sharing || is.slice < nanoseconds(100)) {
      return "nothing to mend: too little work to share";
    }
    return fmt::format("try a process_pool: slices take {}, so there is something to share", human_time(is.slice));
  }
  const double computed = ratio(is.compute, is.all);
  return fmt::format("{}: {} computed {} of the time", computed > 0.8 ? "nothing to mend" : "nothing stands out",
                     counted(r.workers, "worker"), percent(computed));
}

}  // namespace

void advise_on(report& happened) {
  const figures is(happened);
  findings found;
  if (happened.finished && happened.way != "serial" && happened.slices != 0) {
    for (const auto look :
         {in_vain, short_slices, few_slices, uneven, copies, broadcast, starting, copy_on_write, deaths}) {
      look(is, found);
    }
    std::stable_sort(found.begin(), found.end(), [](const finding& a, const finding& b) { return a.lost > b.lost; });
  }
  happened.advice = found.empty() ? nothing_to_mend(is) : found.front().advice;
  // That it was in vain says what; what costs most besides says why, and what could be done.
  if (found.size() > 1 && found.front().lost >= 1) happened.advice = found[1].advice + "; or use a serial_pool";
  for (finding& one : found) happened.warnings.push_back(std::move(one.warning));
}

}  // namespace forkful::detail
