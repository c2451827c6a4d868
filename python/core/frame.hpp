// Values on their way between processes: a frame holds some of them, each to be had by its number.
//
//   head | offsets[values + 1] | value | value | ... | class names | batch | pins | buffer | buffer | ...
//
// A value is a tag and its data, for what the codec knows: None, bool, int of 64 bits, float, str, bytes, tuple, list, dict, set, frozenset
// and instances of plain classes, as long as nobody else refers to a part of it (then pickle keeps what is shared). What it does not know
// is pickled: by itself, or together with all such values of the frame (the batch), which costs less and keeps what they share. Large memory
// inside of what is pickled (arrays, bytearrays: pickle's protocol 5) lies in buffers of its own, which are copied once on each side.
//
// Invariants:
//  1. A reader believes nothing: lengths are checked against the frame, kinds and indices against what there is. A str is made by a function that
//     checks its characters. What is damaged raises RuntimeError. (What is pickled is as trustworthy as pickle.)
//  2. Values are independent of each other but for class names and the batch: a worker may begin at any of them.
// All of it with the GIL held.
#pragma once

#include "python.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "once.hpp"
#include "owned.hpp"

namespace forkful::python {

// What frames need of Python's side: an object of python/forkful/shipping.py (Shipper) and functions of that module.
struct shipping_functions {
  PyObject* loads = nullptr;        // (bytes-like, list of buffers) -> value
  PyObject* load_call = nullptr;    // (bytes-like) -> (callable, what binds the globals that came with it)
  PyObject* enter = nullptr;        // binds them again
  PyObject* find_class = nullptr;   // (module, qualified name) -> class
  PyObject* add_note = nullptr;     // (exception, verb, index, worker or None, name of the callable)
  PyObject* item_failed = nullptr;  // what the engine says of a value that failed -> exception
  PyObject* call_failed = nullptr;  // (code, sentence) of an error of the engine's -> exception
};
// Set once, when the module is imported, and never let go of: a destructor would run after the interpreter.
extern shipping_functions shipping;

// How arrays in shared memory pass: set by arrays.py, the first two when there is one, and never let go of.
struct array_functions {
  PyTypeObject* type = nullptr;  // numpy.ndarray
  PyObject* handle =
      nullptr;  // (array, towards the parent) -> tuple of ints, strings and tuples, or None: it is not shared
  PyObject* attach = nullptr;  // (*tuple) -> array
};
extern array_functions arrays;

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
  std::uint64_t read_only;
};

// It has no members, and nobody can tell it from a copy of it.
bool is_atom(PyObject* value) noexcept;

// How a value came about; `not_loaded`: its callable was not run, because what it was pickled together with could not be loaded.
enum class origin { returned, raised, unsendable, not_loaded };

class frame_writer {
 public:
  frame_writer(const frame_writer&) = delete;
  frame_writer& operator=(const frame_writer&) = delete;
  ~frame_writer();

  // Towards the parent: what is shared and belongs to this process is given to it.
  explicit frame_writer(bool upward) noexcept : upward_(upward) {}
  // `shipper`, borrowed, pickles what the codec does not know, and says which classes are plain. What was learned of classes is forgotten:
  // they may have changed since.
  // `once`, if not null, knows what was sent before; it lives as long as the writer.
  void use(PyObject* shipper, sent_once* once = nullptr);
  void begin(std::size_t values);
  // The next value; false: it cannot be sent, a Python error says why, and the frame is as before. `batched`: what the codec
  // does not know may be pickled with others.
  bool put(PyObject* value, bool batched);
  // The next value is that the callable raised `error`; or returned `value`, which `error` keeps from being sent.
  bool put_raised(PyObject* error);
  bool put_unsendable(PyObject* error, PyObject* value);
  void put_not_loaded();
  // False: the batch cannot be pickled, and a Python error is set. `pins`: see frame_head.
  bool finish(const std::vector<std::uint64_t>& pins = {});

  // Of the whole frame, once it is finished.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Writes it where there is room for it, at a multiple of frame_alignment. Needs no GIL; begin() and the destructor let go of what the
  // buffers are copied from.
  void write(char* to) const noexcept;

 private:
  enum class written { yes, unknown, failed };

  template <class T>
  void add(T value);
  void add(const void* data, std::size_t bytes);
  void begin_value();
  void end_value();
  // `of_item`: it is a member of a value that is a tuple.
  written put_known(PyObject* value, unsigned depth, bool of_item = false);
  written put_members(PyObject* members, unsigned depth, bool of_item);
  written put_pairs(PyObject* dict, unsigned depth);
  written put_instance(PyObject* value, unsigned depth);
  written put_array(PyObject* value);
  bool put_pickled(char tag, PyObject* bytes);
  owned dump(PyObject* value);
  void let_go_of_buffers();
  bool is_plain(PyTypeObject* type);
  std::uint32_t index_of(PyTypeObject* type);

  bool upward_;
  sent_once* once_ = nullptr;
  PyObject* shipper_ = nullptr;
  std::vector<char> bytes_;
  std::size_t size_ = 0;
  std::size_t next_ = 0;  // value
  unsigned keys_ = 0;     // of dicts that are being written: plain instances among them are left to pickle
  std::vector<Py_buffer> buffers_;
  owned batch_;
  std::vector<PyTypeObject*> classes_;             // of this frame; borrowed from plain_
  std::unordered_map<PyTypeObject*, bool> plain_;  // owned
};

class frame_reader {
 public:
  // `downward`: of frames from the parent, whose word about places in shared memory counts.
  explicit frame_reader(bool downward = false) noexcept : downward_(downward) {}
  // The frame at `data`, which has `bytes` at most and stays; false: it is damaged, and a Python error is set.
  bool open(const char* data, std::size_t bytes);
  [[nodiscard]] bool reads(const char* data) const noexcept;
  void close();
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
  owned copy_of_buffer(std::uint32_t index) const;
  PyObject* read_batched(cursor& from);
  bool find_classes();
  PyObject* damaged() const;

  bool downward_;
  const char* data_ = nullptr;
  frame_head head_{};
  owned classes_;  // tuple
  owned batch_;    // list; what was taken out is null
};

}  // namespace forkful::python
