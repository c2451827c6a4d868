#include "frame_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <forkful/pool.hpp>

#include "block.hpp"
#include "python_side.hpp"

namespace forkful::python {

namespace {

using enum tag;

std::atomic<std::uint64_t> frames{0};

constexpr Py_ssize_t longest = 0x3fffffff;

// A container may change while it is read, as said in put_known. pickle refuses that, too, where it sees it.
bool changed(Py_ssize_t size, Py_ssize_t now) {
  if (size != now) PyErr_SetString(PyExc_RuntimeError, "a container changed size while it was sent");
  return size != now;
}

// Lists and the like inside of a value that another object refers to as well may be there twice: pickle keeps that.
bool alone(PyObject* value, unsigned depth) noexcept { return depth == 0 || Py_REFCNT(value) == 1; }

constexpr std::size_t aligned(std::size_t offset) noexcept {
  return (offset + frame_alignment - 1) / frame_alignment * frame_alignment;
}

// Then it is all the same whether a tuple is there once or twice.
bool has_only_atoms(PyObject* tuple) noexcept {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
    if (!is_atom(PyTuple_GET_ITEM(tuple, i))) return false;
  }
  return true;
}

}  // namespace

frame_writer::~frame_writer() {
  let_go_of_buffers();
  for (const auto& one : plain_) Py_DECREF(one.first);
}

void frame_writer::let_go_of_buffers() {
  for (Py_buffer& one : buffers_) PyBuffer_Release(&one);
  buffers_.clear();
}

void frame_writer::use(PyObject* shipper, sent_once* once) {
  shipper_ = shipper;
  once_ = once;
  if (upward_) process_ = getpid();
  for (const auto& one : plain_) Py_DECREF(one.first);
  plain_.clear();
}

template <class T>
void frame_writer::add(T value) {
  add(&value, sizeof value);
}

void frame_writer::add(const void* data, std::size_t bytes) {
  const auto* const from = static_cast<const char*>(data);
  bytes_.insert(bytes_.end(), from, from + bytes);
}

void frame_writer::begin(std::size_t values) {
  bytes_.clear();
  if (upward_) block::unmark(0);
  let_go_of_buffers();
  classes_.clear();
  batch_ = {};
  frame_head head{};
  head.id = ++frames;
  head.values = static_cast<std::uint32_t>(values);
  add(head);
  bytes_.resize(sizeof head + (values + 1) * sizeof(std::uint64_t));
  next_ = 0;
  begin_value();
}

void frame_writer::begin_value() {
  const std::uint64_t at = bytes_.size();
  std::memcpy(bytes_.data() + sizeof(frame_head) + next_ * sizeof at, &at, sizeof at);
}

void frame_writer::end_value() {
  ++next_;
  begin_value();
}

bool frame_writer::put(PyObject* value, bool batched_too) {
  const std::size_t before = bytes_.size();
  const std::size_t marks = upward_ ? block::marks() : 0;
  switch (put_known(value, 0)) {
    case written::yes:
      end_value();
      return true;
    case written::failed:
      bytes_.resize(before);
      if (upward_) block::unmark(marks);
      return false;
    case written::unknown:
      bytes_.resize(before);
      if (upward_) block::unmark(marks);
  }
  if (!batched_too) {
    const std::size_t buffers_before = buffers_.size();
    const owned bytes = dump(value);
    if (!bytes) {
      if (upward_) block::unmark(marks);
      return false;
    }
    if (buffers_.size() == buffers_before) return put_pickled(pickled, bytes.get());
    const auto first = static_cast<std::uint32_t>(buffers_before);
    const auto count = static_cast<std::uint32_t>(buffers_.size() - buffers_before);
    add(pickled_apart);
    add(first);
    add(count);
    add(PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get())));
    end_value();
    return true;
  }
  if (!batch_) batch_ = owned(PyList_New(0));
  if (!batch_ || PyList_Append(batch_.get(), value) != 0) return false;
  add(batched);
  add(static_cast<std::uint32_t>(PyList_GET_SIZE(batch_.get()) - 1));
  end_value();
  return true;
}

// The value pickled, its large memory among the buffers; null: a Python error is set, and no buffer was added.
owned frame_writer::dump(PyObject* value) {
  const owned apart(PyList_New(0));
  owned bytes(apart ? PyObject_CallMethod(shipper_, "dumps", "(OO)", value, apart.get()) : nullptr);
  const std::size_t before = buffers_.size();
  for (Py_ssize_t i = 0; bytes && i != PyList_GET_SIZE(apart.get()); ++i) {
    Py_buffer one;
    // In any order of axes, as long as it is contiguous: pickle hands out no others.
    if (PyObject_GetBuffer(PyList_GET_ITEM(apart.get(), i), &one, PyBUF_ANY_CONTIGUOUS) == 0) {
      buffers_.push_back(one);
      continue;
    }
    bytes = {};
    for (; buffers_.size() != before; buffers_.pop_back()) PyBuffer_Release(&buffers_.back());
  }
  return bytes;
}

bool frame_writer::put_raised(PyObject* error) {
  const owned bytes(PyObject_CallMethod(shipper_, "exception", "(O)", error));
  return put_pickled(raised, bytes.get());
}

bool frame_writer::put_unsendable(PyObject* error, PyObject* value) {
  const owned bytes(PyObject_CallMethod(shipper_, "unsendable", "OO", error, value));
  return put_pickled(unsendable, bytes.get());
}

void frame_writer::put_not_loaded() {
  add(not_loaded);
  end_value();
}

bool frame_writer::put_pickled(tag how, PyObject* bytes) {
  if (bytes == nullptr) return false;
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return false;
  add(how);
  add(data, static_cast<std::size_t>(size));
  end_value();
  return true;
}

bool frame_writer::finish(const std::vector<std::uint64_t>& pins) {
  frame_head head;
  std::memcpy(&head, bytes_.data(), sizeof head);
  head.classes = static_cast<std::uint32_t>(classes_.size());
  head.classes_at = bytes_.size();
  for (PyTypeObject* type : classes_) {
    for (const char* name : {"__module__", "__qualname__"}) {
      const owned value(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), name));
      Py_ssize_t size = 0;
      const char* const utf8 = value ? PyUnicode_AsUTF8AndSize(value.get(), &size) : nullptr;
      if (utf8 == nullptr) return false;
      add(static_cast<std::uint32_t>(size));
      add(utf8, static_cast<std::size_t>(size));
    }
  }
  if (batch_) {
    const std::size_t buffers_before = buffers_.size();
    const owned bytes = dump(batch_.get());
    batch_ = {};
    if (!bytes) return false;
    head.batch_buffers = static_cast<std::uint32_t>(buffers_.size() - buffers_before);
    head.batch_at = bytes_.size();
    add(PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get())));
  }
  head.process = process_;
  head.worker = upward_ ? static_cast<std::int32_t>(worker_index()) : -1;
  head.pins_at = bytes_.size();
  head.pins = static_cast<std::uint32_t>(pins.size());
  add(pins.data(), pins.size() * sizeof(std::uint64_t));
  head.buffers_at = bytes_.size();
  head.buffers = static_cast<std::uint32_t>(buffers_.size());
  size_ = bytes_.size() + buffers_.size() * sizeof(frame_buffer);
  for (const Py_buffer& one : buffers_) {
    const std::size_t at = aligned(size_);
    const bool octets = one.obj != nullptr && (PyBytes_Check(one.obj) || PyByteArray_Check(one.obj));
    add(frame_buffer{at, static_cast<std::uint64_t>(one.len), one.readonly != 0 ? 1U : 0U, octets ? 1U : 0U});
    size_ = at + static_cast<std::size_t>(one.len);
  }
  head.bytes = size_;
  std::memcpy(bytes_.data(), &head, sizeof head);
  return true;
}

void frame_writer::write(char* to) const noexcept {
  std::memcpy(to, bytes_.data(), bytes_.size());
  std::size_t at = bytes_.size();
  for (const Py_buffer& one : buffers_) {
    at = aligned(at);
    std::memcpy(to + at, one.buf, static_cast<std::size_t>(one.len));
    at += static_cast<std::size_t>(one.len);
  }
}

frame_writer::written frame_writer::put_known(PyObject* value, unsigned depth, bool of_item) {
  PyTypeObject* const type = Py_TYPE(value);
  if (type == &PyUnicode_Type) {
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(value) != 0) return written::failed;
#endif
    const Py_ssize_t length = PyUnicode_GET_LENGTH(value);
    if (length > longest) return written::unknown;
    const auto kind = static_cast<char>(PyUnicode_KIND(value));
    add(PyUnicode_IS_ASCII(value) ? ascii : text);
    if (!PyUnicode_IS_ASCII(value)) add(kind);
    add(static_cast<std::uint32_t>(length));
    add(PyUnicode_DATA(value), static_cast<std::size_t>(length) * static_cast<std::size_t>(kind));
    return written::yes;
  }
  if (type == &PyLong_Type) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) return written::unknown;
    add(integer);
    add(number);
    return written::yes;
  }
  if (type == &PyFloat_Type) {
    add(real);
    add(PyFloat_AS_DOUBLE(value));
    return written::yes;
  }
  if (value == Py_None || value == Py_True || value == Py_False) {
    add(value == Py_None ? none : value == Py_True ? yes : no);
    return written::yes;
  }
  if (type == &PyBytes_Type) {
    if (PyBytes_GET_SIZE(value) > longest) return written::unknown;
    add(octets);
    add(static_cast<std::uint32_t>(PyBytes_GET_SIZE(value)));
    add(PyBytes_AS_STRING(value), static_cast<std::size_t>(PyBytes_GET_SIZE(value)));
    return written::yes;
  }
  if (depth > most_nesting) return written::unknown;
  if (type == arrays.type) {
    if (const written how = put_array(value); how != written::unknown) return how;
  }
  if (of_item && type != &PyTuple_Type) {
    if (const sent_value* const sent = once_->met(value)) {
      add(sent_before);
      add(*sent);
      return written::yes;
    }
  }
  const bool may_be_copied = alone(value, depth) || (type == &PyTuple_Type && has_only_atoms(value));
  if (!may_be_copied) return written::unknown;
  // is_plain() runs Python code, and other threads meanwhile: they may let go of what is being written.
  const owned kept = owned::share(value);
  if (type == &PyTuple_Type) {
    add(tuple);
    return put_members(value, depth, depth == 0 && once_ != nullptr && once_->may_have(value));
  }
  if (type == &PyList_Type) {
    add(list);
    return put_members(value, depth, false);
  }
  if (type == &PyDict_Type) {
    add(dict);
    return put_pairs(value, depth);
  }
  if (type == &PySet_Type || type == &PyFrozenSet_Type) {
    add(type == &PySet_Type ? set : frozen_set);
    add(static_cast<std::uint32_t>(PySet_GET_SIZE(value)));
    const owned members(PyObject_GetIter(value));
    if (!members) return written::failed;
    while (const owned member{PyIter_Next(members.get())}) {
      // The iterator refers to it as well.
      if (const written how = put_known(member.get(), most_nesting); how != written::yes) return how;
    }
    return PyErr_Occurred() == nullptr ? written::yes : written::failed;
  }
  if ((type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 && keys_ == 0 && is_plain(type)) return put_instance(value, depth);
  return PyErr_Occurred() == nullptr ? written::unknown : written::failed;
}

frame_writer::written frame_writer::put_members(PyObject* members, unsigned depth, bool of_item) {
  const Py_ssize_t size = PySequence_Fast_GET_SIZE(members);
  if (size > longest) return written::unknown;
  add(static_cast<std::uint32_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i) {
    if (changed(size, PySequence_Fast_GET_SIZE(members))) return written::failed;
    PyObject* const one = PySequence_Fast_GET_ITEM(members, i);
    if (const written how = put_known(one, depth + 1, of_item); how != written::yes) return how;
  }
  return written::yes;
}

frame_writer::written frame_writer::put_pairs(PyObject* pairs, unsigned depth) {
  const Py_ssize_t size = PyDict_Size(pairs);
  if (size > longest) return written::unknown;
  add(static_cast<std::uint32_t>(size));
  PyObject *key = nullptr, *value = nullptr;
  Py_ssize_t written_pairs = 0;
  for (Py_ssize_t at = 0; PyDict_Next(pairs, &at, &key, &value) != 0; ++written_pairs) {
    if (written_pairs == size || changed(size, PyDict_Size(pairs))) break;
    ++keys_;  // without Python code, so that `value` stays
    written how = put_known(key, depth + 1);
    --keys_;
    if (how == written::yes) how = put_known(value, depth + 1);
    if (how != written::yes) return how;
  }
  return changed(size, written_pairs) ? written::failed : written::yes;
}

frame_writer::written frame_writer::put_instance(PyObject* value, unsigned depth) {
  const owned members(PyObject_GenericGetDict(value, nullptr));
  if (!members) {
    PyErr_Clear();
    return written::unknown;
  }
  add(instance);
  add(index_of(Py_TYPE(value)));
  return put_pairs(members.get(), depth);
}

frame_writer::written frame_writer::put_array(PyObject* value) {
  const owned handle(PyObject_CallFunctionObjArgs(arrays.handle, value, upward_ ? Py_True : Py_False, nullptr));
  if (!handle) return written::failed;
  if (!PyTuple_CheckExact(handle.get())) return written::unknown;
  add(shared_array);
  return put_known(handle.get(), 0);
}

// Python code, once a class and call: it may change what is being written, but only to what is there as well.
bool frame_writer::is_plain(PyTypeObject* type) {
  if (const auto known = plain_.find(type); known != plain_.end()) return known->second;
  const owned answer(PyObject_CallMethod(shipper_, "plain_class", "(O)", type));
  if (!answer) return false;
  Py_INCREF(type);
  return plain_[type] = answer.get() == Py_True;
}

std::uint32_t frame_writer::index_of(PyTypeObject* type) {
  const auto known = std::find(classes_.rbegin(), classes_.rend(), type);
  if (known != classes_.rend()) return static_cast<std::uint32_t>(classes_.rend() - known - 1);
  classes_.push_back(type);
  return static_cast<std::uint32_t>(classes_.size() - 1);
}

}  // namespace forkful::python
