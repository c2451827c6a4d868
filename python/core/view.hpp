// Large memory that came in a frame, without a copy: a private view of it, copy on write.
//
// A view has what lies in the frame until it is written to, so the frame's memory has to stay as it is: the caller's views hold the piece of
// the results that they lie in; a worker's are lent, and those that its code still refers to when the frame goes are made the worker's own,
// which costs the copy that was saved. So are all of a process before it forks: a child would go on reading the frame's memory, of which the
// parent alone knows when it is used again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forkful/detail/job.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace forkful::python {

constexpr std::size_t least_view = std::size_t{256}
                                   << 10;  // bytes; what is smaller is copied in less time than it is mapped
inline std::size_t most_views = 16'384;    // at a time: the system allows 65 530 mappings (vm.max_map_count)

// A piece of a call's results, freed with the last that holds it.
class piece {
 public:
  piece() = default;
  piece(const piece&) = delete;
  piece& operator=(const piece&) = delete;
  ~piece();

  // False: null, so there is none.
  bool take(void* memory) noexcept;

 private:
  void* memory_ = nullptr;
  std::uint64_t owner_ = 0;
};

// The pieces that are taken while results are collected: none goes before all are.
class collected_pieces {
 public:
  explicit collected_pieces(const detail::finished_slices& results) noexcept : results_(results) {}
  // That which `data` lies in. Null: it cannot be had, so what lies there is to be copied.
  std::shared_ptr<piece> around(const char* data);

 private:
  const detail::finished_slices& results_;
  std::vector<std::pair<const void*, std::shared_ptr<piece>>> taken_;
};

class view {
 public:
  // Of memory in `of`, or lent where that is null. Null: the system refuses it, or there are too many.
  static std::shared_ptr<view> make(std::shared_ptr<piece> of, const char* data, std::size_t bytes, bool read_only);
  view(const view&) = delete;
  view& operator=(const view&) = delete;
  ~view();

  [[nodiscard]] char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool read_only() const noexcept { return read_only_; }

  // Whether there are lent ones. Needs no GIL.
  static bool any_lent() noexcept;
  // The memory behind what is lent goes now.
  static void own_lent();
  // Before a process is cloned without the C library's fork, which sees to it.
  static void own_all();
  // The same, with the list of all views locked.
  static void own_each();

 private:
  view(std::shared_ptr<piece> of, std::size_t bytes, bool read_only) noexcept
      : of_(std::move(of)), bytes_(bytes), read_only_(read_only), lent_(of_ == nullptr) {}
  void own();

  std::shared_ptr<piece> of_;
  char* data_ = nullptr;
  std::size_t bytes_;
  bool read_only_;
  bool lent_;
};

}  // namespace forkful::python
