#include "advice/machine_history.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "format/fmt.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t most_kept = 6;
constexpr std::size_t enough = 4;
constexpr double soon = 5;        // seconds: what disturbed the last measurement may be there still
constexpr double a_while = 60;    // seconds between two of the first few
constexpr double as_quiet = 0.1;  // of disturbance: no more than that apart, and two measurements are as good
constexpr double wonder = 2;      // times as good as the next

enum class better : std::uint8_t { less, more };

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

class combination {
 public:
  explicit combination(const machine_history& of) : of_(of) {
    double least = 1e9;
    for (const machine& each : of.measured) least = std::min(least, each.disturbance);
    quiet_ = least <= quiet_enough;
    for (const machine& each : of.measured)
      if (each.disturbance <= least + as_quiet) quietest_.push_back(&each);
  }

  [[nodiscard]] machine find() const {
    machine found = *std::min_element(of_.measured.begin(), of_.measured.end(), [](const machine& a, const machine& b) {
      return a.disturbance != b.disturbance ? a.disturbance < b.disturbance : a.taken > b.taken;
    });
    for (const machine* const each : quietest_) found.spread = std::min(found.spread, each->spread);
    combine(found.threads, &machine::threads, of_.shown.threads);
    combine(found.processes, &machine::processes, of_.shown.processes);
    found.crowded_wake = std::max(found.processes.wake, typical([](const machine& one) { return one.crowded_wake; }));
    for (double machine::* cost : {&machine::fork_start, &machine::fork_per_byte, &machine::template_start,
                                   &machine::page_fault, &machine::copy_on_write})
      found.*cost = least([cost](const machine& one) { return one.*cost; });
    for (double machine::* rate : {&machine::copy_rate, &machine::copy_rate_all, &machine::fresh_copy_rate})
      found.*rate = best([rate](const machine& one) { return one.*rate; }, better::more);
    found.copy_rate = std::max(found.copy_rate, of_.shown.copy_rate);
    found.fresh_copy_rate = std::max(found.fresh_copy_rate, of_.shown.fresh_copy_rate);
    return found;
  }

 private:
  void combine(way_costs& into, way_costs machine::* way, const shown_figures::way& shown) const {
    for (double way_costs::* cost : {&way_costs::call, &way_costs::hand_out, &way_costs::claim})
      into.*cost = least([=](const machine& one) { return one.*way.*cost; });
    into.wake = typical([=](const machine& one) { return (one.*way).wake; });
    into.rouse = typical([=](const machine& one) { return (one.*way).rouse; });
    const auto improve = [](double& known, double better) {
      if (better > 0) known = std::min(known, better);
    };
    improve(into.call, shown.call);
    improve(into.wake, shown.wake);
    improve(into.hand_out, shown.hand_out);
    into.rouse = std::min(into.rouse, into.wake);
  }

  // The best of the quietest, and what is better still among the others; but no wonder.
  template <class Figure>
  [[nodiscard]] double best(Figure figure, better which) const {
    const auto times_as_good = [which](double one, double other) {
      return which == better::less ? other / one : one / other;
    };
    std::vector<double> values = of_quietest(figure);
    std::sort(values.begin(), values.end());
    if (which == better::more) std::reverse(values.begin(), values.end());
    const bool is_wonder = quiet_ && values.size() > 2 && times_as_good(values[0], values[1]) > wonder;
    double found = values[is_wonder ? 1 : 0];
    for (const machine& each : of_.measured) {
      const double better_by = times_as_good(figure(each), found);
      if (better_by > 1 && (better_by <= wonder || !quiet_)) found = figure(each);
    }
    return found;
  }
  template <class Figure>
  [[nodiscard]] std::vector<double> of_quietest(Figure figure) const {
    std::vector<double> values;
    values.reserve(quietest_.size());
    for (const machine* const each : quietest_) values.push_back(figure(*each));
    return values;
  }
  template <class Figure>
  [[nodiscard]] double least(Figure figure) const {
    return best(figure, better::less);
  }
  template <class Figure>
  [[nodiscard]] double typical(Figure figure) const {
    return median(of_quietest(figure));
  }

  const machine_history& of_;
  std::vector<const machine*> quietest_{};
  bool quiet_ = false;
};

void take_better(shown_figures::way& into, const shown_figures::way& from) {
  for (double shown_figures::way::* cost :
       {&shown_figures::way::call, &shown_figures::way::wake, &shown_figures::way::hand_out}) {
    if (from.*cost > 0) into.*cost = into.*cost > 0 ? std::min(into.*cost, from.*cost) : from.*cost;
  }
}

}  // namespace

void machine_history::add(const machine& one) {
  measured.push_back(one);
  if (measured.size() <= most_kept) return;
  measured.erase(std::max_element(measured.begin(), measured.end(), [](const machine& a, const machine& b) {
    return a.disturbance != b.disturbance ? a.disturbance < b.disturbance : a.taken > b.taken;
  }));
}

void machine_history::add(const shown_figures& more) {
  take_better(shown.threads, more.threads);
  take_better(shown.processes, more.processes);
  shown.copy_rate = std::max(shown.copy_rate, more.copy_rate);
  shown.fresh_copy_rate = std::max(shown.fresh_copy_rate, more.fresh_copy_rate);
}

machine best_of(const machine_history& of) { return combination(of).find(); }

bool doubtful(const machine& one) noexcept { return one.disturbance > quiet_enough || one.spread > steady_enough; }

bool worth_measuring(const machine_history& of, double now, double others) noexcept {
  if (of.measured.empty()) return true;
  const double ago = now - of.measured.back().taken;
  if (ago >= 0 && ago < soon) return false;  // a clock that was set back: as if it were long ago
  const machine known = best_of(of);
  const bool in_doubt = doubtful(known);
  const bool a_while_ago = ago < 0 || ago >= a_while;
  const std::size_t count = of.measured.size();
  // On a machine that is never quiet the best of several is better than the first.
  if (in_doubt && count < most_kept && a_while_ago) return true;
  if (others > std::max(known.disturbance - as_quiet, quiet_enough)) return false;  // it would be no better
  return (in_doubt && count < most_kept) || ((count < enough || in_doubt) && a_while_ago);
}

std::string date_of(double taken) {
  const auto at = static_cast<std::time_t>(taken);
  std::tm local{};
  if (taken <= 0 || ::localtime_r(&at, &local) == nullptr) return {};
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d at %H:%M", &local);
  return text.data();
}

std::string doubt_about(const machine& one) {
  if (!doubtful(one)) return {};
  const std::string date = date_of(one.taken);
  const std::string when = date.empty() ? "" : fmt::format(" on {}", date);
  const std::string why = one.disturbance > quiet_enough
                              ? fmt::format("other programs took {:.0f} % of the cores", 100 * one.disturbance)
                              : fmt::format("repeated measurements differed by {:.0f} %", 100 * one.spread);
  return fmt::format(
      "the machine was measured{} while {}, so times may be far off; forkful doctor measures anew when it is quiet",
      when, why);
}

}  // namespace forkful::detail
