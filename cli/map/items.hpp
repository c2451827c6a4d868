// Items from one source or several: combined or side by side, in columns, a number of them a job or as many as fit.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "map/columns.hpp"
#include "map/options.hpp"
#include "map/source.hpp"
#include "map/supply.hpp"

namespace mapping {

class items final : public supply {
 public:
  /// Reads the first items if they name the columns (--header). `jobs`: among so many -X shares the last ones. Throws refusal.
  items(const options& how, unsigned jobs, int stop);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  std::optional<portion> take() override;
  [[nodiscard]] std::size_t total() const override { return total_; }

 private:
  // Sources side by side. All but the first group are read whole, for they are gone through again and again.
  struct group {
    std::vector<std::unique_ptr<source>> sources{};
    bool wraps = false;  // a short one begins again
    std::vector<unit> read{};
    std::size_t at = 0;
  };

  void open(const options& how, int stop);
  void read_names();
  void count(const options& how);
  bool next_of(source& from, std::string& item);
  bool next_unit_of(group& from, unit& to);
  void read_whole(group& from);
  bool next_unit(unit& to);
  std::optional<portion> take_filled();

  std::vector<group> groups_;
  std::optional<columns> columns_;
  std::vector<std::string> names_;
  bool drop_empty_;
  std::size_t per_job_;
  bool without_items_;
  bool fill_;
  bool begun_ = false;
  bool ended_ = false;
  unit outer_;  // what the first group has now
  std::size_t total_ = 0;

  std::deque<unit> ahead_;  // with -X
  std::size_t ahead_bytes_ = 0;
  std::size_t jobs_left_;
};

}  // namespace mapping
