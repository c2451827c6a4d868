// The one change that would turn the verdict: changed work, or a changed situation, weighed again.

#include <algorithm>
#include <cmath>
#include <optional>

#include "advice/weighing.hpp"
#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t many_slices = 1'000'000;  // so many that what a call costs once does not matter

class changes {
 public:
  changes(const workload& work, const situation& where, const machine& on) : work_(work), where_(where), on_(on) {}

  // From "don't" to "go parallel". What is easiest to do comes first.
  [[nodiscard]] std::string towards_parallel(double from) const {
    if (from > 0 && from < 0.8 * work_.time.mean()) {
      // It pays already, if the means are right: no change of the work makes that more certain.
      return fmt::format(
          "measurements that vary less, on a quiet machine or of slices more alike: from {} a slice it pays, if the "
          "means are right",
          in_words(from));
    }
    if (where_.cold) {
      situation kept = where_;
      kept.cold = false;
      if (const auto to = turned(work_, kept)) {
        return fmt::format("keep the pool from call to call: {} would be {}", named(*to), times(*to, work_));
      }
      if (!where_.from_template && where_.private_memory > 0) {
        situation early = where_;
        early.from_template = true;
        if (const auto to = turned(work_, early)) {
          return fmt::format(
              "call forkful::init first in main, so that starting workers does not depend on the program's size: {} "
              "would be {}",
              named(*to), times(*to, work_));
        }
      }
    }
    if (work_.asked_chunk != 0) {
      workload free = work_;
      free.asked_chunk = 0;
      if (const auto to = turned(free, where_)) {
        return fmt::format("let forkful choose the chunks instead of {} at a time: {} would be {}",
                           counted(work_.asked_chunk, "slice"), named(*to), times(*to, free));
      }
    }
    if (work_.in.bytes > 0 || work_.out.bytes > 0) {
      if (std::string said = without_copies(); !said.empty()) return said;
    }
    if (work_.slices > 1 && work_.time.longest() > work_.time.sum(0, work_.slices) / 2) {
      workload split = work_;
      split.time = lengths::equal(work_.slices, work_.time.mean());
      if (const auto to = turned(split, where_)) {
        return fmt::format("split the longest slice, which takes {}: {} would be {}", in_words(work_.time.longest()),
                           named(*to), times(*to, split));
      }
    }
    if (where_.workers != 0) {
      situation more = where_;
      // Slices that sleep leave a core to other slices.
      more.workers = work_.cpu_share < 0.9 ? 4 * on_.cpus : on_.cpus;
      if (more.workers > where_.workers) {
        if (const auto to = turned(work_, more)) {
          return fmt::format("use more workers: {} would be {}", named(*to), times(*to, work_));
        }
      }
    }
    if (std::string said = fewer_calls(); !said.empty()) return said;
    if (from > 0)
      return fmt::format("slices of {} or more, instead of {}", in_words(from), in_words(work_.time.mean()));
    return impossible();
  }

  // From "go parallel" to "don't".
  [[nodiscard]] std::string towards_the_loop(double from) const {
    if (!where_.cold) {
      situation cold = where_;
      cold.cold = true;
      // Threads are there in any case.
      if (weigh(work_, cold, on_).does_not_pay()) {
        return "a pool that is started for every call would be slower than the loop: keep it";
      }
    }
    // The nearer of the two.
    const std::size_t few = fewest_slices();
    const double shorter = from > 2e-9 ? work_.time.mean() / from : 0;
    const double fewer = few > 2 ? static_cast<double>(work_.slices) / static_cast<double>(few) : 0;
    if (fewer != 0 && (shorter == 0 || fewer < shorter)) {
      return fmt::format("with fewer than {} a call the loop would be faster", counted(few, "slice"));
    }
    if (shorter != 0) return fmt::format("below {} a slice the loop would be faster", in_words(from));
    return "nothing would make the loop faster: slices could be few, and as short as they like";
  }

 private:
  // The fastest parallel way, if it pays after the change.
  [[nodiscard]] std::optional<weighed> turned(const workload& work, const situation& where) const {
    const weighing now = weigh(work, where, on_);
    if (!now.pays()) return std::nullopt;
    return now.parallel();
  }

  [[nodiscard]] static std::string times(const weighed& to, const workload& work) {
    return fmt::format("{:.1f} times as fast as the loop", work.time.sum(0, work.slices) / to.what.wall);
  }

  // `time` is an estimate that holds for copied slices; in place it is the same.
  [[nodiscard]] std::string without_copies() const {
    workload shared = work_;
    shared.in = {};
    const bool results_too = !turned(shared, where_);
    if (results_too) shared.out = {};
    const auto to = turned(shared, where_);
    if (!to) return {};
    const char* const what = !results_too          ? "keep the slices in shared memory (forkful::shared_vector)"
                             : work_.in.bytes == 0 ? "write results in place (map_into)"
                                                   : "keep slices and results in shared memory (for_each on a "
                                                     "forkful::shared_vector)";
    return fmt::format("{}, so that nothing is copied: {} would be {}", what, named(*to), times(*to, shared));
  }

  // Many small calls as one: the costs of a call are shared among them.
  [[nodiscard]] std::string fewer_calls() const {
    for (std::size_t together = 2; work_.slices <= many_slices / together; together *= 2) {
      workload larger = work_;
      larger.slices = work_.slices * together;
      larger.time = lengths::equal(larger.slices, work_.time.mean());
      if (const auto to = turned(larger, where_)) {
        return fmt::format("{} times as much in one call ({}): {} would be {}", together,
                           counted(larger.slices, "slice"), named(*to), times(*to, larger));
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t fewest_slices() const {
    const auto pays = [this](std::size_t slices) {
      workload fewer = work_;
      fewer.slices = slices;
      fewer.time = lengths::equal(slices, work_.time.mean());
      const weighing now = weigh(fewer, where_, on_);
      return now.parallel().what.wall < now.loop().what.wall;
    };
    std::size_t below = 1;
    std::size_t above = work_.slices;
    if (above < 2 || !pays(above)) return 0;
    while (above - below > std::max<std::size_t>(1, below / 50)) {
      const auto middle = static_cast<std::size_t>(std::sqrt(static_cast<double>(below) * static_cast<double>(above)));
      const std::size_t half = std::clamp(middle, below + 1, above - 1);
      (pays(half) ? above : below) = half;
    }
    return above;
  }

  [[nodiscard]] std::string impossible() const {
    for (std::size_t by = 1; by != where_.why_not.size(); ++by) {
      if (where_.why_not[by].empty()) continue;
      situation possible = where_;
      possible.why_not[by].clear();
      if (turned(work_, possible)) return where_.why_not[by];
    }
    if (work_.inner_threads > 1.05) {
      return "nothing: the callable keeps the cores busy by itself; leave it to that, in a loop";
    }
    if (workers_of(where_, on_) == 1 || on_.cpus == 1) return "nothing on one core, for slices that compute";
    return "nothing that was simulated: not even slices of an hour";
  }

  const workload& work_;
  const situation& where_;
  const machine& on_;
};

}  // namespace

std::string flip_of(const weighing& now, double from, const workload& work, const situation& where, const machine& on) {
  const changes possible(work, where, on);
  return now.pays() ? possible.towards_the_loop(from) : possible.towards_parallel(from);
}

}  // namespace forkful::detail
