#include "report/remarks.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful::detail {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

// Below these, nothing is said: it would not be worth the reader's time.
constexpr double much = 0.25;                       // of the workers' time
constexpr auto long_enough = microseconds(200);     // a chunk that takes longer is not what workers wait for
constexpr std::size_t large_broadcast = 1'000'000;  // bytes
constexpr std::size_t least_copied = 10'000;        // bytes
constexpr double copied_per_ns = 0.02;              // slower than that, bytes are not the reason
constexpr double copied_page_ns = 1'000;            // a fault and a copy of 4 KiB, about
constexpr auto worth_sharing = microseconds(300);   // a whole call below that gains nothing on a few cores
constexpr double busy_caller = 0.5;                 // of the wall
constexpr double little = 0.01;                     // of the workers' time
constexpr double encoded_per_ns = 1.0;              // bytes; slower where they are strings

struct remark {
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
  figures(const report& of, unsigned cpus_to_use) : happened(of), cpus(cpus_to_use) {
    std::size_t ran = 0;
    for (const worker_row& row : of.per_worker) {
      ran += row.slices;
      if (row.missing) continue;
      ++workers;
      compute += row.time.compute;
      waited += row.time.idle + row.time.wake;
      started += row.time.start;
      passed += row.time.pass_in + row.time.pass_out;
      off_core += row.off_core;
      if (row.time.compute > longest) {
        longest = row.time.compute;
        busiest = &row;
      }
    }
    all = of.wall * static_cast<std::int64_t>(workers);
    slice = each(compute, of.slices);
    calls = std::max<std::size_t>(1, of.calls);
    slices_a_call = of.slices / calls;
    chunks_a_call = of.chunks / calls;
    broadcast_a_call = of.bytes_broadcast / calls;
    compute_a_call = each(compute, calls);
    wall_a_call = each(of.wall, calls);
    // One call of hundreds that was stopped, or in which a worker died, suppresses no sentence about the others.
    const auto missed = static_cast<double>(of.slices - std::min(ran, of.slices));
    stopped = calls == 1 ? ran < of.slices : missed >= much * static_cast<double>(of.slices) && missed > 0;
    died = calls == 1 ? of.deaths != 0 : static_cast<double>(of.deaths) >= much * static_cast<double>(calls);
  }

  const report& happened;
  unsigned cpus;
  std::size_t workers = 0;  // that were there
  nanoseconds compute{0};
  nanoseconds waited{0};
  nanoseconds started{0};
  nanoseconds passed{0};
  nanoseconds off_core{0};
  nanoseconds longest{0};               // compute of one worker
  const worker_row* busiest = nullptr;  // that one
  nanoseconds all{0};                   // the workers' time
  nanoseconds slice{0};                 // compute of one, on average
  bool stopped = false;                 // before all slices had run
  bool died = false;                    // a worker, in calls that count
  // Of a total, on average: how a call is cut does not depend on how many calls there are.
  std::size_t calls = 1;
  std::size_t slices_a_call = 0;
  std::size_t chunks_a_call = 0;
  std::size_t broadcast_a_call = 0;
  nanoseconds compute_a_call{0};
  nanoseconds wall_a_call{0};
};

// The verb of a total may be several: "map, submit".
bool has_verb(const report& r, std::string_view verb) { return r.verb.find(verb) != std::string::npos; }
bool submitted(const report& r) { return has_verb(r, "submit"); }
bool walked(const report& r) { return has_verb(r, "imap"); }
bool folded(const report& r) { return has_verb(r, "transform_reduce"); }
bool away(const report& r) { return ratio(r.away, r.wall) >= much; }
bool total(const figures& is) { return is.calls > 1; }
const char* a_call(const figures& is) { return total(is) ? " a call" : ""; }

// Workers were not there for this call alone. A total includes what they ran for the other calls.
bool shared_workers(const figures& is) { return is.happened.beside_others && !total(is); }

// That workers waited has to do with how the work was cut: not with a caller that was away, with other calls, with a worker that
// died, nor with an end before time.
bool waiting_explains(const figures& is) {
  const report& r = is.happened;
  return !submitted(r) && !away(r) && !shared_workers(is) && !is.died && !is.stopped;
}

bool busy_machine(const figures& is) { return ratio(is.off_core, is.all) >= much / 2; }

// What the caller does between slices of its own and results that it folds is not copying.
nanoseconds copying(const figures& is) {
  const report& r = is.happened;
  return is.passed + (walked(r) ? nanoseconds(0) : r.caller.pass_in) +
         (folded(r) ? nanoseconds(0) : r.caller.reassemble);
}

// Bytes are what takes the time, not the number of chunks.
bool copying_rules(const figures& is) {
  const report& r = is.happened;
  const nanoseconds time = copying(is);
  return r.bytes_in + r.bytes_out >= least_copied && time >= is.compute && ratio(time, r.wall + is.all) >= much / 2 &&
         static_cast<double>(r.bytes_in + r.bytes_out) >= copied_per_ns * static_cast<double>(time.count());
}

// One slice is most of what the busiest worker did, and that worker had a core for it.
bool one_slice_rules(const figures& is) {
  const auto& slowest = is.happened.slowest;
  return !slowest.empty() && slowest.front().count == 1 && is.happened.slices > 1 &&
         ratio(slowest.front().time - slowest.front().off_core, is.longest) > 0.5;
}

std::string named(const figures& is, const slow_slices& slow) {
  return total(is) ? fmt::format("slice {} of call {}", slow.first, slow.call) : fmt::format("slice {}", slow.first);
}

using findings = std::vector<remark>;

void short_slices(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  if (!waiting_explains(is) || busy_machine(is) || copying_rules(is) || one_slice_rules(is)) return;
  const nanoseconds chunk = each(is.compute, r.chunks);
  if (lost < much || chunk > long_enough || r.chunks == 0 || is.chunks_a_call < 4UL * is.workers) return;
  const auto size =
      static_cast<std::size_t>(std::max<std::int64_t>(1, long_enough / std::max(is.slice, nanoseconds(1))));
  const std::size_t fair = std::max<std::size_t>(1, is.slices_a_call / (4UL * is.workers));
  const std::size_t better = std::min(size, fair);
  if (better < 2 * (r.slices / r.chunks)) return;
  found.push_back(
      {lost,
       fmt::format("workers waited {} of the time: slices take {} and {} at a time were handed out; hand out larger "
                   "chunks",
                   percent(lost), human_time(is.slice), r.slices / r.chunks),
       fmt::format("hand out larger chunks: pool.with({{.chunk = {}}}){}", better,
                   walked(r) ? ", with a window that has room for them if one is set" : "")});
}

void few_slices(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  // A worker that one of several overlapping calls leaves idle, another call may use.
  if (!waiting_explains(is) || r.beside_others || lost < much || r.chunks == 0 || is.chunks_a_call >= is.workers ||
      is.compute_a_call < worth_sharing)
    return;
  const bool enough = r.slices > r.chunks;
  found.push_back(
      {lost,
       fmt::format("{}{} for {}: the others waited; {}", counted(is.chunks_a_call, "chunk"), a_call(is),
                   counted(is.workers, "worker"), enough ? "hand out smaller chunks" : "cut the work in more slices"),
       enough ? "hand out smaller chunks, so that every worker gets some"
              : "cut the work in more slices than there are workers"});
}

void uneven(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.waited, is.all);
  if (!waiting_explains(is) || busy_machine(is) || copying_rules(is)) return;
  if (is.workers < 2 || is.chunks_a_call < is.workers || r.imbalance() < 1.25 || lost < much ||
      is.compute_a_call < worth_sharing)
    return;
  if (one_slice_rules(is)) {
    const slow_slices& slow = r.slowest.front();
    const std::string which = named(is, slow);
    // Those that every worker begins with are first already.
    const char* const otherwise = slow.first < is.workers ? "" : ", or put it first";
    found.push_back({lost,
                     fmt::format("{} alone took {}, {} of what its worker computed, while others waited; cut it "
                                 "smaller{}",
                                 which, human_time(slow.time), percent(ratio(slow.time, is.longest)), otherwise),
                     fmt::format("cut {} smaller{}", which, otherwise)});
    return;
  }
  // Smaller ones help if the busiest worker's were so long that the other workers waited for one or two of them, and if they
  // would not be too short then.
  const bool known = is.busiest->chunks != 0;
  const nanoseconds chunk = known ? each(is.longest, is.busiest->chunks) : each(is.compute, r.chunks);
  const std::size_t size = known ? is.busiest->slices / is.busiest->chunks : r.slices / r.chunks;
  if (chunk < each(is.longest - each(is.compute, is.workers), 2 * is.calls)) return;
  const auto smaller = static_cast<std::size_t>(long_enough / std::max(is.slice, nanoseconds(1)));
  const std::size_t better = std::clamp<std::size_t>(smaller, 1, std::max<std::size_t>(1, size / 2));
  if (size > 1 && chunk < 2 * long_enough) return;
  found.push_back({lost,
                   fmt::format("one worker computed {:.1f} times the mean while others waited: slices differ in "
                               "length; {}",
                               r.imbalance(), size > 1 ? "hand out smaller chunks" : "put the long ones first"),
                   size > 1 ? fmt::format("hand out smaller chunks: pool.with({{.chunk = {}}})", better)
                            : "cut the long slices smaller, or put them first"});
}

void no_core(const figures& is, findings& found) {
  if (!busy_machine(is)) return;
  found.push_back({ratio(is.off_core, is.all),
                   fmt::format("workers had to wait for a core for {} of the time that counts as computing: {} had it",
                               percent(ratio(is.off_core, is.compute)),
                               is.workers > is.cpus ? "other workers, the caller or other programs"
                                                    : "other programs, or the caller"),
                   is.workers > is.cpus ? fmt::format("use no more workers than there are cores ({})", is.cpus)
                                        : "measure again when the machine is quiet, or use fewer workers"});
}

void missing(const figures& is, findings& found) {
  const std::size_t gone = is.happened.per_worker.size() - is.workers;
  if (gone == 0) return;
  // The warning is there: the user that started them knows why.
  found.push_back({static_cast<double>(gone) / static_cast<double>(is.happened.per_worker.size()), "",
                   fmt::format("make room for the {} that could not be started", counted(gone, "worker"))});
}

// The caller alone publishes and takes back: when that takes it longer than the workers compute, they all wait for it.
void caller_busy(const figures& is, findings& found) {
  const report& r = is.happened;
  const nanoseconds there = r.wall - r.away;
  const double in = ratio(r.caller.pass_in + r.caller.wake, there);
  const double out = ratio(r.caller.reassemble, there);
  // A submitted call has no other worker to share it; many of them are work that is cut.
  if (copying_rules(is) || away(r) || (total(is) && submitted(r) ? r.wall : is.wall_a_call) < worth_sharing ||
      in + out < busy_caller || (!total(is) && submitted(r)))
    return;
  if (in > out) {
    found.push_back(
        {in + out - little,
         fmt::format("the caller spent {} of the time {}: workers get no more than it hands out", percent(in),
                     walked(r) ? "reading and encoding its input" : "encoding and handing out"),
         walked(r)      ? "let the slices read or make their own input, from indices"
         : submitted(r) ? "give each submitted call more to do, or hand over what lies in shared memory"
                        : "give the slices more to do each, or keep them in shared memory"});
    return;
  }
  const bool folds = r.verb == "transform_reduce";
  const bool copies = r.way == "process" || r.way == "snapshot";
  found.push_back({in + out - little,
                   fmt::format("the caller spent {} of the time {}, which it does alone", percent(out),
                               folds       ? "reducing results of blocks"
                               : folded(r) ? "taking back results and reducing them"
                                           : "taking back results"),
                   folds ? "let transform do more of what reduce does"
                   : r.verb == "map" && copies
                       ? "return less, write results in place (map_into), or fold them where they are made "
                         "(transform_reduce)"
                       : "return less from each slice"});
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
  // Once by the caller and by each worker.
  const auto passed = nanoseconds(static_cast<std::int64_t>(static_cast<double>(r.bytes_broadcast) / encoded_per_ns)) *
                      static_cast<std::int64_t>(is.workers + 1);
  const double lost = ratio(passed, r.wall + is.all);
  if (lost < little) return;
  found.push_back(
      {std::min(lost, 0.9),
       fmt::format("broadcast arguments of {}{} were encoded, and decoded by every worker: take a span of a "
                   "forkful::shared_vector, which is read in place",
                   human_bytes(is.broadcast_a_call), a_call(is)),
       "pass the large argument as a span of a forkful::shared_vector"});
}

void starting(const figures& is, findings& found) {
  const report& r = is.happened;
  const double lost = ratio(is.started, is.all);
  if (lost < much || r.deaths != 0) return;
  const bool photograph = r.way == "snapshot";
  found.push_back(
      {lost,
       fmt::format("starting workers took {} of their time ({} each): {}", percent(lost),
                   human_time(each(is.started, photograph ? is.workers * is.calls : is.workers)),
                   photograph ? "a process_pool keeps them from call to call"
                              : "they stay, so later calls have them (max_slices_per_worker would end them)"),
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
       fmt::format("workers wrote to {} of memory of their own, new or copied from the caller's because they wrote to "
                   "it, which took about {} of their computing: return results, or write to a forkful::shared_vector",
                   human_bytes(r.bytes_copied_on_write), percent(std::min(lost, 1.0))),
       "write to a forkful::shared_vector instead of the caller's own memory, and use memory again instead of asking "
       "for new"});
}

void deaths(const figures& is, findings& found) {
  const report& r = is.happened;
  if (r.deaths == 0) return;
  std::string said = counted(r.deaths, "worker") + " died";
  if (r.retries != 0) {
    said += fmt::format(", and {} handed out again", counted(r.retries, "chunk") + (r.retries == 1 ? " was" : " were"));
  }
  std::string why = "the outcomes that failed say it";
  if (r.verb.find(',') != std::string::npos) {
    why = "what the calls threw, and the outcomes that failed, say it";
  } else if (submitted(r)) {
    why = total(is) ? "what the futures throw says it" : "what the future throws says it";
  } else if (!r.verb.starts_with("try_")) {
    why = fmt::format("{} names the slices", r.verb == "for_each" ? "try_for_each"
                                             : r.verb == "update" ? "try_update"
                                                                  : "try_map");
  }
  found.push_back({std::max(0.02, ratio(is.waited, is.all)), std::move(said), "find out why workers died: " + why});
}

// All calls were submitted, and the workers waited only because of the length and order of these.
bool only_submitted(const figures& is) {
  const report& r = is.happened;
  return total(is) && r.verb == "submit" && is.workers > 1 && !away(r) && !is.died && !is.stopped &&
         is.compute >= worth_sharing && ratio(is.waited, is.all) >= much;
}

void one_at_a_time(const figures& is, findings& found) {
  if (!only_submitted(is) || is.happened.beside_others || is.compute_a_call < worth_sharing) return;
  found.push_back({ratio(is.waited, is.all),
                   "calls were submitted one at a time, each after the result of the one before it: the other workers "
                   "waited; submit several before you ask for the first result",
                   "submit several calls before you ask for the first result"});
}

void one_long_call(const figures& is, findings& found) {
  if (!only_submitted(is) || !is.happened.beside_others || is.calls <= is.workers || !one_slice_rules(is)) return;
  const slow_slices& slow = is.happened.slowest.front();
  found.push_back({ratio(is.waited, is.all),
                   fmt::format("call {} alone took {}, {} of what its worker computed, while others waited; submit it "
                               "first, or cut it in several",
                               slow.call, human_time(slow.time), percent(ratio(slow.time, is.longest))),
                   fmt::format("submit call {} first, or cut it in several", slow.call)});
}

// A loop would have died of what a worker died of, and workers compute while no thread waits. A caller that submits one
// call wants to do something else meanwhile; a caller that submits many and waits for them wants them done.
void in_vain(const figures& is, findings& found) {
  const report& r = is.happened;
  if (is.workers < 2 || r.deaths != 0 || is.stopped || away(r) || shared_workers(is)) return;
  if (submitted(r) && !total(is)) return;
  // Workers that stay are started once.
  const nanoseconds wall = r.wall - r.away - (r.way == "snapshot" ? nanoseconds(0) : r.caller.start);
  if (is.compute * 100 > wall * 95) return;
  found.push_back({1,
                   fmt::format("{} took {}, and a loop would have taken about {}: handing out cost more than it saved",
                               total(is) ? counted(is.calls, "call") : "it", human_time(wall), human_time(is.compute)),
                   "use a serial_pool here, or give the slices more to do"});
}

std::string of_submitted(const figures& is) {
  const report& r = is.happened;
  if (2 * r.queued <= is.compute || r.queued < worth_sharing) {
    return fmt::format("nothing to mend: it computed {}", human_time(is.compute));
  }
  return fmt::format("{} {} until a worker was free, and computed {}{}",
                     is.workers < is.cpus ? "use more workers: it waited" : "nothing to mend: it waited",
                     human_time(r.queued), human_time(is.compute), is.workers < is.cpus ? "" : " then");
}

std::string nothing_to_mend(const figures& is) {
  const report& r = is.happened;
  if (!r.finished) return fmt::format("the program ended in the middle of {} call", total(is) ? "a" : "this");
  if (r.slices == 0) return "nothing to mend: there was nothing to run";
  if (is.stopped) {
    return fmt::format("not all slices were run: figures of {} stopped say little",
                       total(is) ? "calls that were" : "a call that was");
  }
  if (submitted(r) && !total(is)) return of_submitted(is);
  if (r.way == "serial") {
    if (is.slices_a_call < 2 || is.wall_a_call < worth_sharing || is.slice < nanoseconds(100)) {
      return "nothing to mend: too little work to share";
    }
    if (is.cpus < 2) return "nothing to mend: there is one core to use";
    return fmt::format("try a process_pool: slices take {}, so there is something to share", human_time(is.slice));
  }
  const double computed = ratio(is.compute, is.all);
  const nanoseconds queued = each(r.queued, is.calls);
  if (computed > 0.8 && r.verb == "submit" && is.workers < is.cpus && queued >= worth_sharing &&
      2 * queued > is.compute_a_call) {
    return fmt::format("use more workers: a call waited {} until one was free, and computed {}", human_time(queued),
                       human_time(is.compute_a_call));
  }
  if (computed <= 0.8 && shared_workers(is)) return "nothing stands out: workers ran slices of other calls too";
  if (computed <= 0.8 && away(r)) {
    return fmt::format("nothing to mend here: nobody asked for results {} of the time", percent(ratio(r.away, r.wall)));
  }
  return fmt::format("{}: {} computed {} of the time", computed > 0.8 ? "nothing to mend" : "nothing stands out",
                     counted(is.workers, "worker"), percent(computed));
}

}  // namespace

void advise_on(report& happened, unsigned cpus) {
  const figures is(happened, cpus);
  findings found;
  if (happened.finished && happened.way != "serial" && happened.slices != 0) {
    for (const auto look : {in_vain, missing, no_core, short_slices, few_slices, uneven, one_at_a_time, one_long_call,
                            copies, broadcast, caller_busy, starting, copy_on_write, deaths}) {
      look(is, found);
    }
    std::stable_sort(found.begin(), found.end(), [](const remark& a, const remark& b) { return a.lost > b.lost; });
  }
  happened.advice = found.empty() ? nothing_to_mend(is) : found.front().advice;
  // The verdict says that it was in vain; what costs most besides says why, and what could be done.
  if (found.size() > 1 && found.front().lost >= 1) happened.advice = found[1].advice + "; or use a serial_pool";
  for (remark& one : found) {
    if (!one.warning.empty()) happened.warnings.push_back(std::move(one.warning));
  }
}

}  // namespace forkful::detail
