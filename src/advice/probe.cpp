#include "advice/probe.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "advice/blocks.hpp"
#include "advice/contention.hpp"
#include "advice/passing_times.hpp"
#include "advice/samples.hpp"
#include "errors/exceptions.hpp"
#include "os/account.hpp"
#include "os/cpu.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr double most_seconds = 0.05;     // for all of it
constexpr double slices_seconds = 0.025;  // for timing slices
constexpr double most_of_all = 0.01;      // or this part of the whole
constexpr double block_seconds = 20e-6;   // short slices are timed together: the clock takes 30 ns
constexpr std::size_t most_samples = 400;
constexpr std::size_t enough_samples = 48;
constexpr std::size_t before_all = 12;      // samples tell whether all slices can be timed
constexpr std::size_t each_its_own = 1024;  // so many lengths are stored one by one (lengths::sampled)
constexpr double repeated = 0.02;           // how much the same slices differ from one time to the next
constexpr double several_cores = 1.2;       // CPU time over time: more than one core was busy
constexpr double little_memory = 256e6;     // bytes that can be forked in a few milliseconds

// How many cores the calling thread's work kept busy since this was made. What other programs took away does not count: while they
// have the core the work stands still, but does not sleep.
class core_watch {
 public:
  [[nodiscard]] double seconds() const {
    const double missed = 1e-9 * static_cast<double>(time_without_core() - without_core_);
    return std::max(seconds_since(began_) - missed, 0.0);
  }
  [[nodiscard]] double cpu_seconds() const { return 1e-9 * static_cast<double>(cpu_time() - cpu_); }

 private:
  std::uint64_t without_core_ = time_without_core();
  std::uint64_t cpu_ = cpu_time();
  std::uint64_t began_ = now_ns();
};

// The results of slices. Stored, as a call stores them: memory that is given back at once is not what results are made
// of.
using results = std::unique_ptr<void, void (*)(void*)>;

// Runs a block in this process, or a copy of it if it is changed, and returns how long that took; the copying does not count.
double run_block(const question& asked, block what, std::vector<results>& kept) {
  const job& work = *asked.here;
  const worker_scope here(0);
  chunk_io io;
  io.fail = rethrow_failure;
  std::size_t first = what.first;
  if (asked.copy != nullptr) {
    asked.copy(asked.self, what.first, what.count);
    first = 0;
  } else {
    kept.emplace_back(work.make_results(what.count), work.drop_results);
    io.results = kept.back().get();
  }
  io.first = first;
  const std::uint64_t began = now_ns();
  work.run(work.plan, io, first, first + what.count);
  return seconds_since(began);
}

struct timed {
  std::size_t at = 0;
  double took = 0;  // one slice
};

class prober {
 public:
  prober(const question& asked, const machine& here) : asked_(asked), here_(here) { found_.work.slices = slices(); }

  probe_figures find() {
    if (slices() == 0) return std::move(found_);
    time_slices();
    consider_memory();
    if (asked_.shipped != nullptr && !asked_.in_place) {
      const passing_times found = time_passing(*asked_.shipped, slices(), blocks_.front().count, mean_);
      found_.work.in = found.in;
      found_.work.out = found.out;
      found_.work.broadcast_bytes = static_cast<double>(asked_.shipped->bytes_broadcast);
    }
    if (worth_looking_beside()) {
      found_.work.slowdown = slowdown_beside(here_.cpus - 1, [this] { run_some(); });
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::size_t slices() const noexcept { return asked_.slices; }
  [[nodiscard]] double all_seconds() const { return mean_ * static_cast<double>(slices()); }

  void time_slices() {
    const std::uint64_t began = now_ns();
    // The first one finds everything cold; of long slices it is one of few, and counts.
    std::vector<results> kept;
    core_watch cores;
    double first = run_block(asked_, {0, 1}, kept);
    if (first > most_seconds / 10) {
      all_.push_back({0, first});
    } else {
      first = run_block(asked_, {0, 1}, kept);
      cores = {};
    }
    std::size_t count = 1;
    if (first < block_seconds) {
      count = std::clamp<std::size_t>(static_cast<std::size_t>(block_seconds / first), 1, (slices() + 3) / 4);
    }
    places where(slices(), count);
    while (more_wanted(seconds_since(began), count)) {
      if (all_.size() == before_all && all_seconds() < slices_seconds / 2 && time_all(kept, count)) break;
      const block what = where.next();
      if (count == 1 && seen(what.first)) {
        if (all_.size() >= slices()) break;
        continue;
      }
      blocks_.push_back(what);
      const double took = time_of(what, kept);
      all_.push_back({what.first + count / 2, took / static_cast<double>(count)});
      mean_ = mean_of_samples();
    }
    judge_cores(cores.cpu_seconds(), cores.seconds());
    if (all_.empty()) all_.push_back({0, first});
    if (blocks_.empty()) blocks_.push_back({0, 1});
    mean_ = mean_of_samples();
    progress();
  }

  double time_of(block what, std::vector<results>& kept) const {
    const double took = run_block(asked_, what, kept);
    // Much longer than the others: are its slices so long, or was another process on the core? Measured once more, if
    // that is cheap.
    const bool strange = !all_.empty() && took > 2 * mean_ * static_cast<double>(what.count);
    return strange && took < most_seconds / 20 ? std::min(took, run_block(asked_, what, kept)) : took;
  }

  // All slices in their order, so that no long one is missed; twice, if they are so short, for the second time finds memory for the
  // results as later calls do. False, and nothing changed, if that takes much longer than it seemed.
  bool time_all(std::vector<results>& kept, std::size_t count) {
    const std::uint64_t began = now_ns();
    std::vector<timed> found = in_order(kept, count, began);
    if (found.empty()) return false;
    if (seconds_since(began) < slices_seconds / 2) {
      kept.clear();
      const std::vector<timed> again = in_order(kept, count, began);
      for (std::size_t i = 0; i != again.size(); ++i) found[i].took = std::min(found[i].took, again[i].took);
    }
    all_ = std::move(found);
    complete_ = true;
    return true;
  }
  // Empty if time is up.
  std::vector<timed> in_order(std::vector<results>& kept, std::size_t count, std::uint64_t began) const {
    const std::size_t size = std::max(count, (slices() + most_samples - 1) / most_samples);
    std::vector<timed> found;
    for (std::size_t first = 0; first < slices(); first += size) {
      if (seconds_since(began) > slices_seconds) return {};
      const block what{first, std::min(size, slices() - first)};
      const double each = time_of(what, kept) / static_cast<double>(what.count);
      if (slices() > each_its_own) {
        found.push_back({first + what.count / 2, each});
      } else {
        for (std::size_t i = 0; i != what.count; ++i) found.push_back({first + i, each});
      }
    }
    return found;
  }

  // Slices that the callable changes were copied just before they ran, and found in the nearest cache. In a call they are not, if all
  // of them are more than that holds: and what reads and writes every byte of the rest takes no less than copying as much.
  void consider_memory() {
    if (asked_.changed_bytes <= own_cache() || here_.copy_rate <= 0) return;
    const double bytes = static_cast<double>(asked_.changed_bytes - own_cache()) / static_cast<double>(slices());
    const double least = bytes / here_.copy_rate;
    if (mean_ < least) {
      found_.work.time = found_.work.time.scaled(least / mean_);
      mean_ = least;
    }
    found_.work.traffic = 2 * bytes / mean_;
  }

  [[nodiscard]] bool seen(std::size_t slice) const {
    return std::any_of(all_.begin(), all_.end(), [&](const timed& one) { return one.at == slice; });
  }

  [[nodiscard]] bool more_wanted(double spent, std::size_t count) const {
    if (all_.empty()) return true;
    if (all_.size() >= most_samples || (count == 1 && all_.size() >= slices())) return false;
    if (all_.size() >= enough_samples && spent > slices_seconds / 2) return false;
    return spent < std::max(slices_seconds, all_.size() < 8 ? most_of_all * all_seconds() : 0.0);
  }

  [[nodiscard]] double mean_of_samples() const {
    double sum = 0;
    for (const timed& one : all_) sum += one.took;
    return sum / static_cast<double>(all_.size());
  }

  // A millisecond at least: less says nothing.
  void judge_cores(double cpu, double seconds) {
    if (seconds < 1e-3) return;
    const double busy = cpu / seconds;
    if (busy > several_cores) found_.work.inner_threads = busy;
    if (busy < 0.9) found_.work.cpu_share = std::clamp(busy, 0.0, 1.0);
  }

  void progress() {
    std::sort(all_.begin(), all_.end(), [](const timed& a, const timed& b) { return a.at < b.at; });
    std::vector<std::size_t> at;
    std::vector<double> took;
    for (const timed& one : all_) {
      if (!at.empty() && at.back() == one.at) continue;
      at.push_back(one.at);
      took.push_back(one.took);
    }
    found_.work.time = lengths::sampled(slices(), at, took);
    // A single slice that is unlike all others is recognised (lengths::sampled).
    const double longest = *std::max_element(took.begin(), took.end());
    double squares = 0;
    for (const double each : took) {
      if (each != longest) squares += (each - mean_) * (each - mean_);
    }
    const auto n = static_cast<double>(took.size());
    // Two standard errors of the mean; with all slices seen there is none.
    const double unseen = std::sqrt(std::max(0.0, 1 - n / static_cast<double>(slices())));
    if (complete_) {
      found_.spread = repeated;
      return;
    }
    found_.spread = n < 2 ? 0.2 : std::min(0.5, 2 * std::sqrt(squares / (n - 1) / n) / mean_ * unseen);
  }

  // Not where a fork is expensive, where the slices to be timed are too long, or where the cores are busy already.
  [[nodiscard]] bool worth_looking_beside() const {
    return here_.cpus > 1 && found_.work.inner_threads == 1 && found_.work.cpu_share > 0.5 &&
           mean_ * static_cast<double>(blocks_.front().count) < most_seconds / 12 && all_seconds() > 1e-3 &&
           static_cast<double>(private_memory()) < little_memory;
  }

  // About two milliseconds of slices that were timed before, the same each time.
  void run_some() const {
    const double one = mean_ * static_cast<double>(blocks_.front().count);
    const auto times = static_cast<std::size_t>(std::ceil(2e-3 / one));
    for (std::size_t i = 0; i < times; ++i) {
      std::vector<results> kept;
      run_block(asked_, blocks_[i % blocks_.size()], kept);
    }
  }

  const question& asked_;
  const machine& here_;
  probe_figures found_{};
  std::vector<block> blocks_;  // that have run
  std::vector<timed> all_;
  double mean_ = 0;
  bool complete_ = false;  // every slice was timed
};

}  // namespace

probe_figures probe(const question& asked, const machine& here) { return prober(asked, here).find(); }

}  // namespace forkful::detail
