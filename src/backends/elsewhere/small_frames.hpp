// Frames so small that they travel beside the chunk's entry (board.hpp: chunk_frames): no memory is taken for them, and no lines of it
// travel. Here they are where the parent keeps, writes and reads them.
//
// Owns the bytes. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include <forkful/detail/stream.hpp>

#include "board/board.hpp"

namespace forkful::detail {

// As many bytes as there is room for on the board.
template <std::size_t Most>
class small_frame {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const char* data() const noexcept { return bytes_.data(); }
  void clear() noexcept { size_ = 0; }
  // Of what a worker wrote: no more than there is room for.
  void assign(const char* from, std::size_t bytes) noexcept {
    size_ = std::min(bytes, Most);
    std::memcpy(bytes_.data(), from, size_);
  }

 private:
  std::size_t size_ = 0;
  std::array<char, Most> bytes_;
};

using small_input = small_frame<sizeof(chunk_frames::input)>;
using small_output = small_frame<sizeof(chunk_frames::output)>;

// The same where it is read or written, as a segment.
template <std::size_t Most>
struct alignas(most_alignment) small_segment {
  segment head{nullptr, Most, 0};
  std::array<char, Most> data;
};

// What a chunk's slices are encoded into: begun in a small piece, unless they are likely to take more.
class input_frame {
 public:
  input_frame(const segment_memory& memory, std::size_t expected_bytes) noexcept
      : memory_(memory), out_(expected_bytes <= sizeof here_.data ? sink(memory, here_.head) : sink(memory)) {
    out_.reserve(expected_bytes);
  }
  input_frame(const input_frame&) = delete;
  input_frame& operator=(const input_frame&) = delete;
  ~input_frame() {
    if (moved_ != nullptr) memory_.release(memory_.self, moved_);
  }

  [[nodiscard]] sink& out() noexcept { return out_; }
  // Once all is written: moves the small piece to where the others are, if there are others. Throws as a sink does; then nothing is moved.
  void end() {
    out_.publish();
    if (here_.head.used == 0 || here_.head.next == nullptr) return;
    moved_ = memory_.allocate(memory_.self, here_.head.used);
    std::memcpy(moved_->data(), here_.head.data(), here_.head.used);
    moved_->used = here_.head.used;
  }
  // After end(): the frame, which is the caller's from now on. Null: all of it is in `small`.
  [[nodiscard]] segment* take(small_input& small) noexcept {
    segment* const chain = out_.take();
    if (chain != &here_.head) return chain;
    segment* const rest = std::exchange(here_.head.next, nullptr);
    if (moved_ != nullptr) {
      moved_->next = rest;
      return std::exchange(moved_, nullptr);
    }
    small.assign(here_.head.data(), here_.head.used);
    return rest;
  }

 private:
  small_segment<sizeof(chunk_frames::input)> here_;
  segment_memory memory_;
  segment* moved_ = nullptr;
  sink out_;
};

}  // namespace forkful::detail
