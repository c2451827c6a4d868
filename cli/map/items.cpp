#include "map/items.hpp"

#include <algorithm>
#include <utility>

#include "map/misuse.hpp"

namespace mapping {

namespace {

// What the items of one command may take: as much as xargs and GNU parallel give them.
constexpr std::size_t fill_bytes = 128 * 1024 - 2048;

std::size_t bytes_of(const unit& of) {
  std::size_t bytes = 0;
  for (const std::string& each : of) bytes += each.size() + 1 + sizeof(char*);
  return bytes;
}

}  // namespace

items::items(const options& how, unsigned jobs, int stop)
    : drop_empty_(how.drop_empty),
      per_job_(how.fill && !how.per_job ? static_cast<std::size_t>(-1) : how.per_job.value_or(1)),
      without_items_(how.per_job == std::size_t{0}),
      fill_(how.fill),
      jobs_left_(jobs) {
  if (!how.column_separator.empty()) columns_.emplace(how.column_separator);
  open(how, stop);
  if (how.header) read_names();
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (i != 0 || groups_[i].wraps) read_whole(groups_[i]);
  }
  if (!how.header) count(how);
}

void items::open(const options& how, int stop) {
  std::vector<origin> all = how.origins;
  if (all.empty()) all.push_back({true, false, {"-"}});
  for (origin& each : all) {
    if (groups_.empty() || !(each.linked || how.link)) groups_.emplace_back();
    group& into = groups_.back();
    into.sources.push_back(each.file ? lines_of(each.words.front(), how.delimiter, stop)
                                     : list_of(std::move(each.words)));
    into.wraps = how.link && into.sources.size() > 1;
  }
}

void items::read_names() {
  for (group& each : groups_) {
    for (const auto& from : each.sources) {
      std::string item;
      if (!next_of(*from, item)) continue;
      const unit named = columns_ ? columns_->of(item) : unit{item};
      names_.insert(names_.end(), named.begin(), named.end());
    }
  }
}

// Known where all items are words, each a job.
void items::count(const options& how) {
  const bool words = !how.origins.empty() &&
                     std::none_of(how.origins.begin(), how.origins.end(), [](const origin& o) { return o.file; });
  if (!words || drop_empty_ || fill_) return;
  std::size_t units = 1;
  if (groups_.front().wraps) {
    units = groups_.front().read.size();
  } else if (groups_.size() == 1 && how.origins.size() == 1) {
    units = how.origins.front().words.size();
  } else {
    return;
  }
  const std::size_t each = std::max<std::size_t>(per_job_, 1);
  total_ = (units + each - 1) / each;
}

bool items::next_of(source& from, std::string& item) {
  while (from.next(item)) {
    if (!drop_empty_ || item.find_first_not_of(" \t") != std::string::npos) return true;
  }
  return false;
}

bool items::next_unit_of(group& from, unit& to) {
  to.clear();
  for (const auto& each : from.sources) {
    std::string item;
    if (!next_of(*each, item)) return false;
    if (columns_) {
      unit found = columns_->of(item);
      to.insert(to.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    } else {
      to.push_back(std::move(item));
    }
  }
  return true;
}

void items::read_whole(group& from) {
  if (!from.wraps) {
    for (unit each; next_unit_of(from, each);) from.read.push_back(std::move(each));
    return;
  }
  std::vector<std::vector<std::string>> lists;
  for (const auto& each : from.sources) {
    auto& list = lists.emplace_back();
    for (std::string item; next_of(*each, item);) list.push_back(std::move(item));
  }
  std::size_t longest = 0;
  for (const auto& each : lists) longest = std::max(longest, each.size());
  if (std::any_of(lists.begin(), lists.end(), [](const auto& list) { return list.empty(); })) return;
  for (std::size_t i = 0; i < longest; ++i) {
    unit& row = from.read.emplace_back();
    for (const auto& each : lists) {
      const std::string& item = each[i % each.size()];
      if (columns_) {
        const unit found = columns_->of(item);
        row.insert(row.end(), found.begin(), found.end());
      } else {
        row.push_back(item);
      }
    }
  }
}

// As an odometer: the last group turns fastest, the first one is read on.
bool items::next_unit(unit& to) {
  if (ended_) return false;
  const auto next_outer = [this] {
    group& first = groups_.front();
    if (!first.wraps) return next_unit_of(first, outer_);
    if (first.at == first.read.size()) return false;
    outer_ = first.read[first.at++];
    return true;
  };
  bool turned = false;
  for (std::size_t i = groups_.size(); begun_ && i-- > 1 && !turned;) {
    turned = ++groups_[i].at < groups_[i].read.size();
    if (!turned) groups_[i].at = 0;
  }
  const bool empty =
      std::any_of(groups_.begin() + 1, groups_.end(), [](const group& each) { return each.read.empty(); });
  if (empty || (!turned && !next_outer())) {
    ended_ = true;
    return false;
  }
  begun_ = true;
  if (groups_.size() == 1) {
    to = std::move(outer_);
    return true;
  }
  to = outer_;
  for (std::size_t i = 1; i < groups_.size(); ++i) {
    const unit& now = groups_[i].read[groups_[i].at];
    to.insert(to.end(), now.begin(), now.end());
  }
  return true;
}

std::optional<portion> items::take() {
  if (fill_) return take_filled();
  portion taken;
  unit each;
  if (without_items_) return next_unit(each) ? std::optional(portion{}) : std::nullopt;
  while (taken.units.size() < per_job_ && next_unit(each)) taken.units.push_back(std::move(each));
  if (taken.units.empty()) return {};
  return taken;
}

std::optional<portion> items::take_filled() {
  // Enough for all, so that the last ones can be shared.
  unit each;
  while (!ended_ && (ahead_bytes_ < fill_bytes * jobs_left_ || ahead_.empty()) && next_unit(each)) {
    ahead_bytes_ += bytes_of(each);
    ahead_.push_back(std::move(each));
  }
  if (ahead_.empty()) return {};
  std::size_t most = per_job_;
  if (ended_) {
    most = std::min(most, (ahead_.size() + jobs_left_ - 1) / jobs_left_);
    jobs_left_ = std::max<std::size_t>(jobs_left_ - 1, 1);
  }
  portion taken;
  std::size_t bytes = 0;
  while (!ahead_.empty() && taken.units.size() < most) {
    const std::size_t its = bytes_of(ahead_.front());
    if (bytes + its > fill_bytes && !taken.units.empty()) break;
    bytes += its;
    taken.units.push_back(std::move(ahead_.front()));
    ahead_.pop_front();
  }
  ahead_bytes_ -= bytes;
  return taken;
}

}  // namespace mapping
