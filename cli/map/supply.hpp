// Where jobs get what they work on, one job after the other.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "map/template.hpp"

namespace mapping {

/// What one job works on.
struct portion {
  std::vector<unit> units{};
  std::string block{};  ///< its standard input, with --pipe
};

/// Not thread-safe: who takes has the lock of the queue (job_queue.hpp).
class supply {
 public:
  supply() noexcept = default;
  supply(const supply&) = delete;
  supply& operator=(const supply&) = delete;
  virtual ~supply() = default;
  /// The next one; nothing at the end, or when `stop` of its source became readable. May wait for input. Throws refusal.
  virtual std::optional<portion> take() = 0;
  /// How many there are in all, if that is known without reading on; else 0.
  [[nodiscard]] virtual std::size_t total() const { return 0; }
};

}  // namespace mapping
