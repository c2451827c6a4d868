// A file's bytes, mapped to be read. Owns the mapping.
#pragma once

#include <cstddef>
#include <span>

namespace forkful::detail {

class file_view {
 public:
  // Empty if the file cannot be read.
  explicit file_view(const char* path) noexcept;
  file_view(const file_view&) = delete;
  file_view& operator=(const file_view&) = delete;
  ~file_view();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace forkful::detail
