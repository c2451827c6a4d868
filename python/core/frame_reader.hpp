// Reads a frame (frame.hpp) where it lies.
//
// Owns what it has loaded of it: its classes, and what is left of its batch. Believes nothing that the frame says of itself.
#pragma once

#include "python.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frame.hpp"
#include "owned.hpp"
#include "view.hpp"

namespace forkful::python {

class frame_reader {
 public:
  // `downward`: of frames from the parent, whose word about places in shared memory counts.
  explicit frame_reader(bool downward = false) noexcept : downward_(downward) {}
  // Where large memory of results is to be had without a copy; null: nowhere. For those that open() reads from now on.
  void take_pieces_of(collected_pieces* results) noexcept { pieces_ = results; }
  // The frame at `data`, which has `bytes` at most and stays; false: it is damaged, and a Python error is set.
  bool open(const char* data, std::size_t bytes);
  [[nodiscard]] bool reads(const char* data) const noexcept;
  void close();
  // Classes that were found for an earlier frame are looked for again: they may be others now.
  void forget_classes();
  [[nodiscard]] std::size_t values() const noexcept { return head_.values; }
  [[nodiscard]] std::size_t bytes() const noexcept { return head_.bytes; }
  [[nodiscard]] const frame_head& head() const noexcept { return head_; }
  [[nodiscard]] std::vector<std::uint64_t> pins() const;

  // Value `index` lies in the batch, which is not loaded yet.
  [[nodiscard]] bool loads_batch(std::size_t index) const noexcept;
  // Value `index`, new; null: a Python error is set. Where it was raised, or kept from being sent, the value is the exception, which
  // `load_exception` makes of its bytes; only where there is one.
  PyObject* get(std::size_t index, PyObject* load_exception = nullptr, origin* came = nullptr);

 private:
  struct cursor {
    const char* at;
    const char* end;
  };

  template <class T>
  bool take(cursor& from, T& value) const;
  const char* take(cursor& from, std::size_t bytes) const;
  PyObject* read(cursor& from, unsigned depth);
  PyObject* read_text(cursor& from, int kind);
  PyObject* read_pairs(cursor& from, unsigned depth, bool names);
  PyObject* read_instance(cursor& from, unsigned depth);
  PyObject* read_array(cursor& from);
  PyObject* read_sent(cursor& from) const;
  PyObject* read_pickled(cursor& from, PyObject* loads);
  PyObject* read_apart(cursor from, std::uint32_t first_buffer, std::uint32_t buffers);
  [[nodiscard]] owned buffer(std::uint32_t index) const;
  [[nodiscard]] std::shared_ptr<view> view_of(const frame_buffer& where) const;
  PyObject* read_batched(cursor& from);
  bool find_classes();
  PyObject* damaged() const;

  bool downward_;
  collected_pieces* pieces_ = nullptr;
  const char* data_ = nullptr;
  frame_head head_{};
  owned classes_;  // tuple
  // Of the frame before, most often the same: their names as they stand there, and the tuple.
  std::string known_names_;
  owned known_classes_;
  owned batch_;  // list; what was taken out is null
};

}  // namespace forkful::python
