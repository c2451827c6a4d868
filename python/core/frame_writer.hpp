// Writes frames (frame.hpp), one after another.
//
// Owns the frame that is being written, the classes it knows of, and until the next one the memory that buffers are copied from.
#pragma once

#include "python.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "frame.hpp"
#include "once.hpp"
#include "owned.hpp"

namespace forkful::python {

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
  // Writes it where there is room for it, at a multiple of frame_alignment. Needs no GIL.
  void write(char* to) const noexcept;
  // Lets go of what the buffers are copied from, as begin() and the destructor do.
  void let_go_of_buffers();

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
  bool put_pickled(tag how, PyObject* bytes);
  owned dump(PyObject* value);
  bool is_plain(PyTypeObject* type);
  std::uint32_t index_of(PyTypeObject* type);

  bool upward_;
  sent_once* once_ = nullptr;
  PyObject* shipper_ = nullptr;
  pid_t process_ = 0;  // upward
  std::vector<char> bytes_;
  std::size_t size_ = 0;
  std::size_t next_ = 0;  // value
  unsigned keys_ = 0;     // of dicts that are being written: plain instances among them are left to pickle
  std::vector<Py_buffer> buffers_;
  owned batch_;
  std::vector<PyTypeObject*> classes_;             // of this frame; borrowed from plain_
  std::unordered_map<PyTypeObject*, bool> plain_;  // owned
};

}  // namespace forkful::python
