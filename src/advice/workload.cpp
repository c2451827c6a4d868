// Lengths of slices in closed form. See workload.hpp.
#include "advice/workload.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace forkful::detail {

namespace {

constexpr std::size_t longest_period =
    1024;  // of the variation: a chunk in the middle of a call holds fewer, or averages anyway
constexpr std::size_t samples_a_knot = 8;  // fewer say more about chance than about a trend
constexpr std::size_t most_knots = 16;

// The same every time, everywhere: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
class dice {
 public:
  std::size_t below(std::size_t end) noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((z ^ (z >> 31)) % end);
  }

 private:
  std::uint64_t state_ = 1;
};

void shuffle(std::vector<double>& values) {
  dice rolled;
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rolled.below(i)]);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Averaging 1, in an order without one.
std::vector<double> as_variation(std::vector<double> values) {
  const double mean = mean_of(values);
  for (double& each : values) each = mean > 0 ? each / mean : 1;
  shuffle(values);
  return values;
}

std::vector<double> variation_of(std::size_t slices, lengths::shape form) {
  const std::size_t period = form == lengths::shape::equal ? 1 : std::clamp<std::size_t>(slices, 1, longest_period);
  std::vector<double> values(period, 1);
  if (form == lengths::shape::exponential) {
    // A quantile for each: however many slices there are, they come as near to the distribution as they can.
    for (std::size_t i = 0; i != period; ++i) {
      values[i] = -std::log1p(-(static_cast<double>(i) + 0.5) / static_cast<double>(period));
    }
  } else if (form == lengths::shape::bimodal) {
    const std::size_t longer = std::max<std::size_t>(1, (period + 5) / 10);
    std::fill_n(values.begin(), longer, 10);
  }
  return as_variation(std::move(values));
}

// Where a group of neighbouring samples lies, and how long they took on average.
struct group {
  double at = 0;
  double took = 0;
};

std::vector<group> grouped(const std::vector<double>& at, const std::vector<double>& took) {
  const std::size_t groups = std::clamp<std::size_t>(took.size() / samples_a_knot, 1, most_knots);
  std::vector<group> made;
  for (std::size_t i = 0; i != groups; ++i) {
    const std::size_t first = i * took.size() / groups;
    const std::size_t last = (i + 1) * took.size() / groups;
    group one;
    for (std::size_t k = first; k != last; ++k) {
      one.at += at[k];
      one.took += took[k];
    }
    made.push_back({one.at / static_cast<double>(last - first), one.took / static_cast<double>(last - first)});
  }
  return made;
}

// Whether the means of groups differ by more than chance makes them: by analysis of variance, with a limit of 3, which chance
// exceeds once or twice in twenty.
bool differ(const std::vector<group>& groups, const std::vector<double>& took) {
  if (groups.size() < 2) return false;
  const double mean = mean_of(took);
  const auto count = static_cast<double>(groups.size());
  double between = 0;
  double within = 0;
  for (std::size_t i = 0; i != groups.size(); ++i) {
    const std::size_t first = i * took.size() / groups.size();
    const std::size_t last = (i + 1) * took.size() / groups.size();
    between += static_cast<double>(last - first) * std::pow(groups[i].took - mean, 2);
    for (std::size_t k = first; k != last; ++k) within += std::pow(took[k] - groups[i].took, 2);
  }
  return between / (count - 1) > 3 * within / (static_cast<double>(took.size()) - count);
}

}  // namespace

lengths::lengths(std::size_t slices, std::vector<knot> trend, std::vector<double> variation,
                 std::vector<single> singles)
    : slices_(slices), trend_(std::move(trend)), variation_(std::move(variation)), singles_(std::move(singles)) {
  sums_.assign(1, 0);
  moments_.assign(1, 0);
  for (std::size_t i = 0; i != variation_.size(); ++i) {
    sums_.push_back(sums_.back() + variation_[i]);
    moments_.push_back(moments_.back() + static_cast<double>(i) * variation_[i]);
  }
  for (std::size_t i = 1; i < trend_.size(); ++i) {
    trend_[i].before = trend_[i - 1].before + of_line(trend_[i - 1], trend_[i].from);
  }
}

lengths lengths::equal(std::size_t slices, double each) { return shaped(slices, each, shape::equal); }

lengths lengths::shaped(std::size_t slices, double mean, shape form) {
  const auto count = static_cast<double>(slices);
  if (form == shape::linear && slices != 0) {
    const double slope = 2 * mean / count;
    return {slices, {{0, slope / 2, slope}}, {1}, {}};
  }
  if (form == shape::giant && slices > 1) {
    const double others = mean * count / 2 / (count - 1);
    return {slices, {{0, others, 0}}, {1}, {{0, mean * count / 2 - others}}};
  }
  lengths made{slices, {{0, mean, 0}}, variation_of(slices, form), {}};
  // The last period may be cut short.
  if (slices != 0 && mean > 0) made.scale(mean / made.mean());
  return made;
}

lengths lengths::sampled(std::size_t slices, const std::vector<std::size_t>& at, const std::vector<double>& took) {
  if (slices <= longest_period && 10 * took.size() >= 9 * slices && took.size() > 1) return in_order(slices, at, took);
  std::vector<double> where(at.begin(), at.end());
  std::vector<double> times = took;
  std::vector<single> singles;
  if (times.size() > 2) {
    const auto longest = std::max_element(times.begin(), times.end());
    const double others = std::accumulate(times.begin(), times.end(), -*longest);
    if (*longest > others) {
      const auto i = longest - times.begin();
      singles.push_back({at[static_cast<std::size_t>(i)], *longest - others / static_cast<double>(times.size() - 1)});
      where.erase(where.begin() + i);
      times.erase(longest);
    }
  }
  const std::vector<group> groups = grouped(where, times);
  if (!differ(groups, times)) {
    const double mean = mean_of(times);
    return {slices, {{0, mean, 0}}, as_variation(std::move(times)), std::move(singles)};
  }
  // Lines through the groups, the first and the last drawn out to the ends.
  std::vector<knot> trend;
  for (std::size_t i = 0; i + 1 != groups.size(); ++i) {
    const double slope = (groups[i + 1].took - groups[i].took) / (groups[i + 1].at - groups[i].at);
    const auto from = i == 0 ? 0 : static_cast<std::size_t>(groups[i].at);
    double height = groups[i].took + slope * (static_cast<double>(from) - groups[i].at);
    trend.push_back({from, height, slope});
  }
  // Drawn out, a steep line may fall below nothing; no slice takes less than a tenth of the nearest group.
  knot& begin = trend.front();
  if (begin.height < groups[0].took / 10) {
    begin.height = groups[0].took / 10;
    begin.slope = (groups[1].took - begin.height) / groups[1].at;
  }
  knot& end = trend.back();
  const auto rest = static_cast<double>(slices - end.from);
  if (end.height + end.slope * rest < groups.back().took / 10)
    end.slope = (groups.back().took / 10 - end.height) / rest;
  std::vector<double> variation;
  for (std::size_t i = 0; i != times.size(); ++i) {
    const auto after = std::upper_bound(trend.begin(), trend.end(), where[i],
                                        [](double x, const knot& k) { return x < static_cast<double>(k.from); });
    const knot& line = *std::prev(after);
    variation.push_back(times[i] / (line.height + line.slope * (where[i] - static_cast<double>(line.from))));
  }
  return {slices, std::move(trend), as_variation(std::move(variation)), std::move(singles)};
}

// Nearly all are known: where each lies says more than any trend. Those that are not take as long as the mean.
lengths lengths::in_order(std::size_t slices, const std::vector<std::size_t>& at, const std::vector<double>& took) {
  const double mean = mean_of(took);
  std::vector<double> each(slices, 1);
  for (std::size_t i = 0; mean > 0 && i != at.size(); ++i) each[at[i]] = took[i] / mean;
  return {slices, {{0, mean, 0}}, std::move(each), {}};
}

// Sum of the variation below `end`.
double lengths::varied(std::size_t end) const {
  const std::size_t rounds = end / variation_.size();
  return static_cast<double>(rounds) * sums_.back() + sums_[end % variation_.size()];
}

// The same, each times its index.
double lengths::varied_by_index(std::size_t end) const {
  const auto period = static_cast<double>(variation_.size());
  const std::size_t rounds = end / variation_.size();
  const auto whole = static_cast<double>(rounds);
  const std::size_t rest = end % variation_.size();
  return period * sums_.back() * whole * (whole - 1) / 2 + whole * moments_.back() + whole * period * sums_[rest] +
         moments_[rest];
}

double lengths::of_line(const knot& line, std::size_t end) const {
  const double here = line.height - line.slope * static_cast<double>(line.from);
  double sum = here * (varied(end) - varied(line.from));
  if (line.slope != 0) sum += line.slope * (varied_by_index(end) - varied_by_index(line.from));
  return sum;
}

// Of all slices below `end`, not counting the singles.
double lengths::up_to(std::size_t end) const {
  const knot& line = *line_of(end);
  return line.before + of_line(line, end);
}

std::vector<lengths::knot>::const_iterator lengths::line_of(std::size_t slice) const {
  return std::prev(
      std::upper_bound(trend_.begin(), trend_.end(), slice, [](std::size_t at, const knot& k) { return at < k.from; }));
}

double lengths::sum(std::size_t first, std::size_t last) const {
  last = std::min(last, slices_);
  if (first >= last) return 0;
  double all = up_to(last) - up_to(first);
  for (const single& one : singles_) {
    if (one.at >= first && one.at < last) all += one.more;
  }
  return std::max(all, 0.0);
}

double lengths::mean() const { return slices_ == 0 ? 0 : sum(0, slices_) / static_cast<double>(slices_); }

double lengths::longest() const { return longest(0, slices_); }

double lengths::longest(std::size_t first, std::size_t last) const {
  last = std::min(last, slices_);
  if (first >= last) return 0;
  const auto highest = [this](std::size_t from, std::size_t to) {
    double found = 0;
    for (auto line = line_of(from); line != trend_.end() && line->from < to; ++line) {
      const auto next = line + 1;
      const std::size_t end = std::min(to, next == trend_.end() ? slices_ : next->from);
      const auto at = [&](std::size_t i) { return line->height + line->slope * static_cast<double>(i - line->from); };
      found = std::max({found, at(std::max(from, line->from)), at(end - 1)});
    }
    return found;
  };
  double varies = 0;
  const std::size_t period = std::min(last - first, variation_.size());
  for (std::size_t i = first; i != first + period; ++i) varies = std::max(varies, variation_[i % variation_.size()]);
  double found = varies * highest(first, last);
  for (const single& one : singles_) {
    if (one.at >= first && one.at < last) found = std::max(found, sum(one.at, one.at + 1));
  }
  return found;
}

void lengths::scale(double factor) {
  for (knot& each : trend_) {
    each.height *= factor;
    each.slope *= factor;
    each.before *= factor;
  }
  for (single& one : singles_) one.more *= factor;
}

lengths lengths::scaled(double factor) const {
  lengths made = *this;
  made.scale(factor);
  return made;
}

}  // namespace forkful::detail
