// Blocks of shared memory as Python objects: what shared arrays lie in.
//
// A block belongs to the process that made it, or that it was returned to; all others only look at it. What a worker made and has not returned
// is freed when it dies (the engine's loose blocks). Invariants:
//  1. Only the owner frees: the process is compared, so that what a fork inherited frees nothing.
//  2. A worker that keeps an array that it was given keeps the memory: with each frame of results it says which blocks it still refers to (its
//     pins), and the owner frees none of these before the worker has said otherwise, or has ended.
//  3. What a worker returned and kept, and nobody took, is freed when it ends (the engine's untaken blocks), but for what is looked at here,
//     because it was returned again.
// All of it with the GIL held.
#pragma once

#include "python.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <forkful/detail/job.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace forkful::python {

class block {
 public:
  // Zeroed. Throws arena_exhausted.
  explicit block(std::size_t bytes);
  // One that another process owns.
  block(char* data, std::size_t bytes);
  block(const block&) = delete;
  block& operator=(const block&) = delete;
  ~block();

  [[nodiscard]] char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  // This process is to free it.
  [[nodiscard]] bool owned() const noexcept;
  // It was made by this process, and so its parent can see it, if it has one.
  [[nodiscard]] bool made_here() const noexcept { return made_here_; }
  // It is on its way to the parent, if the frame is that is being written: then give_marked() is called, and it belongs to that and is
  // only looked at here. What was marked after `from` marks is not on its way after all.
  static void mark(std::shared_ptr<block> one);
  static std::size_t marks() noexcept;
  static void unmark(std::size_t from) noexcept;
  static void give_marked(detail::chunk_io& with);
  // The other side of that, while results are collected. False: it is not among what came with them.
  bool adopt();
  // For the length of a scope: this thread collects these results.
  class collecting {
   public:
    explicit collecting(const detail::finished_slices& results) noexcept
        : before_(std::exchange(collected, &results)) {}
    collecting(const collecting&) = delete;
    collecting& operator=(const collecting&) = delete;
    ~collecting() { collected = before_; }

   private:
    const detail::finished_slices* before_;
  };

  // In a worker: the blocks of others that it refers to.
  static std::vector<std::uint64_t> referred_to();
  // In the caller: whether some worker is known to refer to blocks. That with the pid refers to these, and to no others, when it sends
  // its `count`-th frame.
  static bool pins_are_known() noexcept;
  static void pinned_by(pid_t worker, std::uint64_t count, std::vector<std::uint64_t> blocks);
  // Frees what was pinned by workers that have ended.
  static void forget_the_dead();

 private:
  static inline thread_local const detail::finished_slices* collected = nullptr;

  bool take();
  void look_away() noexcept;

  char* data_;
  std::size_t bytes_;
  std::uint64_t owner_;  // 0: another process
  bool made_here_ = false;
  bool looked_at_ = false;  // and so the engine was told
};

}  // namespace forkful::python
