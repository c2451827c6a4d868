#include "map/blocks.hpp"

#include <algorithm>
#include <utility>

namespace mapping {

blocks::blocks(const options& how, int stop)
    : from_(open_list(how.files.empty() ? "-" : how.files.front(), stop)),
      delimiter_(how.delimiter),
      bytes_(how.block_bytes.value_or(1 << 20)),
      lines_(how.per_job.value_or(0)) {}

// The last end of a line within the block; where a line is longer than that, its end.
std::size_t blocks::end_of_block() {
  if (lines_ != 0) {
    while (counted_ < lines_) {
      const std::size_t end = read_.find(delimiter_, searched_);
      if (end == std::string::npos) {
        searched_ = read_.size();
        return std::string::npos;
      }
      searched_ = end + 1;
      ++counted_;
    }
    return searched_;
  }
  if (read_.size() < bytes_) return std::string::npos;
  if (searched_ < bytes_) {
    const std::size_t last = read_.rfind(delimiter_, bytes_ - 1);
    if (last != std::string::npos) return last + 1;
    searched_ = bytes_;
  }
  const std::size_t end = read_.find(delimiter_, searched_);
  if (end != std::string::npos) return end + 1;
  searched_ = read_.size();
  return std::string::npos;
}

std::optional<portion> blocks::take() {
  std::size_t end = end_of_block();
  while (end == std::string::npos) {
    constexpr std::size_t at_once = 65536;
    const std::size_t wanted =
        lines_ == 0 && read_.size() < bytes_ ? std::max(bytes_ - read_.size(), std::size_t{1}) : at_once;
    if (!from_.read(read_, wanted)) {
      if (read_.empty()) return {};
      end = read_.size();
      break;
    }
    end = end_of_block();
  }
  searched_ = 0;
  counted_ = 0;
  portion taken;
  taken.block = read_.substr(0, end);
  read_.erase(0, end);
  return taken;
}

}  // namespace mapping
