// Values on their way between processes: a frame holds some of them, each to be had by its number.
//
//   head | offsets[values + 1] | value | value | ... | class names | batch | pins | buffer | buffer | ...
//
// A value is a tag and its data, for what the codec knows: None, bool, int of 64 bits, float, str, bytes, tuple, list, dict, set, frozenset
// and instances of plain classes, as long as no other object refers to a part of it (then pickle keeps what is shared). What it does not know
// is pickled: by itself, or together with all such values of the frame (the batch), which costs less and keeps what they share. Large memory
// inside of what is pickled (arrays: pickle's protocol 5) lies in buffers of its own, which are copied once into the frame, and looked at
// there through private views (view.hpp); where these are refused, or not worth while, they are copied on the other side, too.
//
// Invariants:
//  1. A reader believes nothing: lengths are checked against the frame, kinds and indices against what there is. A str is made by a function that
//     checks its characters. What is damaged raises RuntimeError. (What is pickled is as trustworthy as pickle.)
//  2. Values are independent of each other but for class names and the batch: a worker may begin at any of them.
// Written by frame_writer, read by frame_reader. All of it with the GIL held.
#pragma once

#include "python.hpp"

#include <cstddef>
#include <cstdint>

namespace forkful::python {

struct frame_head {
  std::uint64_t bytes;  // of the whole frame
  std::uint64_t id;     // each frame of a process has another
  std::uint64_t classes_at;
  std::uint64_t batch_at;    // 0: there is none
  std::uint64_t buffers_at;  // where places and sizes of the buffers stand, of the batch at the end
  std::uint32_t values;
  std::uint32_t classes;
  std::uint32_t buffers;
  std::uint32_t batch_buffers;  // of these, those of the batch: the last
  std::uint64_t pins_at;        // addresses of the blocks that the writer refers to (block.hpp)
  std::uint32_t pins;
  std::int32_t process;  // the writer's
  std::int32_t worker;   // its index; -1: it is none
};

// Buffers begin at multiples of this from the beginning of the frame, which lies at one itself.
constexpr std::size_t frame_alignment = 64;

struct frame_buffer {
  std::uint64_t at;
  std::uint64_t bytes;
  std::uint32_t read_only;
  std::uint32_t octets;  // it is a bytes or a bytearray, and is to be one; for all others any memory will do
};

// The first byte of a value; behind it, its data.
enum class tag : char {
  none,
  yes,
  no,
  integer,
  real,
  ascii,
  text,
  octets,
  tuple,
  list,
  dict,
  set,
  frozen_set,
  instance,
  shared_array,
  pickled,
  pickled_apart,
  sent_before,
  batched,
  raised,
  unsendable,
  not_loaded,
};

constexpr unsigned most_nesting = 32;  // what is deeper is pickled

// It has no members, and no program can tell it from a copy of it.
inline bool is_atom(PyObject* value) noexcept {
  PyTypeObject* const type = Py_TYPE(value);
  return type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBool_Type ||
         type == &PyBytes_Type || value == Py_None;
}

// How a value came about; `not_loaded`: its callable was not run, because what it was pickled together with could not be loaded.
enum class origin { returned, raised, unsendable, not_loaded };

}  // namespace forkful::python
