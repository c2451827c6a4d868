// Pages of private memory that nothing else lies in. Owns the mapping.
#pragma once

#include <cstddef>
#include <span>

namespace forkful::detail {

class private_pages {
 public:
  // Untouched, and zero when they are read. Throws refused_call.
  explicit private_pages(std::size_t bytes);
  private_pages(const private_pages&) = delete;
  private_pages& operator=(const private_pages&) = delete;
  ~private_pages();

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  // Whether forked children have them: without, a fork costs what it would if they were not there.
  void show_to_children(bool) noexcept;

 private:
  std::span<std::byte> bytes_;
};

// Bytes of a page.
std::size_t page_size() noexcept;

}  // namespace forkful::detail
