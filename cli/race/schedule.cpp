#include "race/schedule.hpp"

#include <algorithm>

namespace race {

namespace {

using namespace std::chrono_literals;

constexpr auto prediction = 60ms;  // 50 ms are probed at most, but for a single slice that takes longer
constexpr auto start = 10ms;       // of a pool

}  // namespace

schedule::time schedule::of(way which) const {
  const auto known = last_.find(which);
  if (known != last_.end()) return known->second;
  const auto loop = last_.find(way::serial);
  return loop != last_.end() ? loop->second : time(0);
}

schedule::time schedule::round(std::span<const way> ways) const {
  time all{0};
  for (const way each : ways) all += of(each);
  return all;
}

bool schedule::another_round(std::size_t rounds, time took) const {
  if (rounds_ != 0) return rounds < rounds_;
  if (rounds == 0) return true;
  if (rounds >= most_rounds || took > too_long) return false;
  return rounds < fewest_rounds || took <= enough_time;
}

schedule::time schedule::ending(std::span<const way> ways) const {
  return round(ways) + prediction + static_cast<std::int64_t>(ways.size()) * start;
}

schedule::time schedule::at_most(time elapsed, std::span<const way> ways, std::size_t warm) const {
  const time one = round(ways);
  const time rounds =
      rounds_ != 0
          ? static_cast<std::int64_t>(rounds_) * one
          : std::max<time>(std::min<time>(static_cast<std::int64_t>(fewest_rounds) * one, too_long + one), enough_time);
  const time all = round(ways.subspan(std::min(warm, ways.size()))) + rounds + ending(ways);
  return within_.count() == 0 ? all : std::min(all, std::max(within_ - elapsed, time(0)));
}

}  // namespace race
