#include "frame_reader.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "once.hpp"
#include "python_side.hpp"

namespace forkful::python {

namespace {

using enum tag;

owned memory_view(const char* data, std::size_t bytes) {
  return owned(PyMemoryView_FromMemory(const_cast<char*>(data), static_cast<Py_ssize_t>(bytes), PyBUF_READ));
}

}  // namespace

PyObject* frame_reader::damaged() const {
  if (PyErr_Occurred() == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "forkful: what came from another process is damaged, and was not believed");
  }
  return nullptr;
}

bool frame_reader::open(const char* data, std::size_t bytes) {
  close();
  if (bytes >= sizeof head_) {
    std::memcpy(&head_, data, sizeof head_);
    const std::size_t table = sizeof head_ + (std::size_t{head_.values} + 1) * sizeof(std::uint64_t);
    if (head_.bytes <= bytes && table <= head_.bytes && head_.classes_at <= head_.bytes &&
        head_.batch_at <= head_.bytes && head_.pins_at <= head_.bytes &&
        head_.pins <= (head_.bytes - head_.pins_at) / sizeof(std::uint64_t) && head_.batch_buffers <= head_.buffers &&
        head_.buffers_at <= head_.bytes && head_.buffers <= (head_.bytes - head_.buffers_at) / sizeof(frame_buffer)) {
      data_ = data;
      return true;
    }
  }
  close();
  damaged();
  return false;
}

std::vector<std::uint64_t> frame_reader::pins() const {
  std::vector<std::uint64_t> all(head_.pins);
  if (!all.empty()) std::memcpy(all.data(), data_ + head_.pins_at, all.size() * sizeof all[0]);
  return all;
}

bool frame_reader::reads(const char* data) const noexcept {
  if (data_ != data || data == nullptr) return false;
  frame_head head;
  std::memcpy(&head, data, sizeof head);
  return head.id == head_.id;
}

void frame_reader::close() {
  data_ = nullptr;
  head_ = {};
  classes_ = {};
  batch_ = {};
}

template <class T>
bool frame_reader::take(cursor& from, T& value) const {
  const char* const at = take(from, sizeof value);
  if (at != nullptr) std::memcpy(&value, at, sizeof value);
  return at != nullptr;
}

const char* frame_reader::take(cursor& from, std::size_t bytes) const {
  if (static_cast<std::size_t>(from.end - from.at) < bytes) {
    damaged();
    return nullptr;
  }
  return std::exchange(from.at, from.at + bytes);
}

bool frame_reader::loads_batch(std::size_t index) const noexcept {
  if (batch_ || head_.batch_at == 0 || index >= head_.values) return false;
  std::uint64_t first = 0;
  std::memcpy(&first, data_ + sizeof head_ + index * sizeof first, sizeof first);
  return first < head_.bytes && static_cast<tag>(data_[first]) == batched;
}

PyObject* frame_reader::get(std::size_t index, PyObject* load_exception, origin* came) {
  std::uint64_t first = 0, last = 0;
  if (index >= head_.values) return damaged();
  std::memcpy(&first, data_ + sizeof head_ + index * sizeof first, sizeof first);
  std::memcpy(&last, data_ + sizeof head_ + (index + 1) * sizeof last, sizeof last);
  if (first >= last || last > head_.bytes) return damaged();
  cursor from{data_ + first, data_ + last};
  const auto how = static_cast<tag>(*from.at);
  if (came != nullptr) {
    *came = how == raised       ? origin::raised
            : how == unsendable ? origin::unsendable
            : how == not_loaded ? origin::not_loaded
                                : origin::returned;
    if (*came == origin::not_loaded) return Py_NewRef(Py_None);
    if (*came != origin::returned) {
      ++from.at;
      return read_pickled(from, load_exception);
    }
  }
  return read(from, 0);
}

PyObject* frame_reader::read(cursor& from, unsigned depth) {
  tag how{};
  std::uint32_t size = 0;
  if (depth > most_nesting + 2 || !take(from, how)) return damaged();
  switch (how) {
    case none:
      return Py_NewRef(Py_None);
    case yes:
      return Py_NewRef(Py_True);
    case no:
      return Py_NewRef(Py_False);
    case integer: {
      long long number = 0;
      return take(from, number) ? PyLong_FromLongLong(number) : nullptr;
    }
    case real: {
      double number = 0;
      return take(from, number) ? PyFloat_FromDouble(number) : nullptr;
    }
    case ascii:
      return read_text(from, 1);
    case text: {
      char kind = 0;
      if (!take(from, kind) || (kind != 1 && kind != 2 && kind != 4)) return damaged();
      return read_text(from, kind);
    }
    case octets: {
      const char* const data = take(from, size) ? take(from, std::size_t{size}) : nullptr;
      return data != nullptr ? PyBytes_FromStringAndSize(data, size) : nullptr;
    }
    case tuple:
    case list: {
      if (!take(from, size) || static_cast<std::size_t>(from.end - from.at) < size) return damaged();
      owned made(how == tuple ? PyTuple_New(size) : PyList_New(size));
      for (std::uint32_t i = 0; made && i != size; ++i) {
        PyObject* const member = read(from, depth + 1);
        if (member == nullptr) return nullptr;
        if (how == tuple) {
          PyTuple_SET_ITEM(made.get(), i, member);
        } else {
          PyList_SET_ITEM(made.get(), i, member);
        }
      }
      return made.release();
    }
    case dict:
      return read_pairs(from, depth, false);
    case set:
    case frozen_set: {
      if (!take(from, size)) return nullptr;
      owned made(how == set ? PySet_New(nullptr) : PyFrozenSet_New(nullptr));
      for (std::uint32_t i = 0; made && i != size; ++i) {
        const owned member(read(from, depth + 1));
        if (!member || PySet_Add(made.get(), member.get()) != 0) return nullptr;
      }
      return made.release();
    }
    case instance:
      return read_instance(from, depth);
    case shared_array:
      return read_array(from);
    case pickled:
      return read_pickled(from, shipping.loads);
    case pickled_apart: {
      std::uint32_t first = 0, count = 0;
      if (!take(from, first) || !take(from, count)) return nullptr;
      return read_apart(from, first, count);
    }
    case sent_before:
      return read_sent(from);
    case batched:
      return read_batched(from);
    default:
      return damaged();
  }
}

PyObject* frame_reader::read_text(cursor& from, int kind) {
  std::uint32_t length = 0;
  const char* const data =
      take(from, length) ? take(from, std::size_t{length} * static_cast<std::size_t>(kind)) : nullptr;
  return data != nullptr ? PyUnicode_FromKindAndData(kind, data, length) : nullptr;
}

// `names`: attributes, which Python keeps once each.
PyObject* frame_reader::read_pairs(cursor& from, unsigned depth, bool names) {
  std::uint32_t size = 0;
  if (!take(from, size)) return nullptr;
  owned made(PyDict_New());
  for (std::uint32_t i = 0; made && i != size; ++i) {
    PyObject* key = read(from, depth + 1);
    if (names && key != nullptr && PyUnicode_CheckExact(key)) PyUnicode_InternInPlace(&key);
    const owned name(key);
    const owned value(name ? read(from, depth + 1) : nullptr);
    if (!value || PyDict_SetItem(made.get(), name.get(), value.get()) != 0) return nullptr;
  }
  return made.release();
}

PyObject* frame_reader::read_instance(cursor& from, unsigned depth) {
  std::uint32_t index = 0;
  if (!take(from, index) || (!classes_ && !find_classes())) return nullptr;
  if (index >= head_.classes) return damaged();
  PyObject* const found = PyTuple_GET_ITEM(classes_.get(), index);
  if (!PyType_Check(found)) return damaged();
  auto* const type = reinterpret_cast<PyTypeObject*>(found);
  const owned nothing(PyTuple_New(0));
  owned made(nothing ? type->tp_new(type, nothing.get(), nullptr) : nullptr);
  const owned members(made ? read_pairs(from, depth, true) : nullptr);
  if (!members || PyObject_GenericSetDict(made.get(), members.get(), nullptr) != 0) return nullptr;
  return made.release();
}

void frame_reader::forget_classes() {
  known_names_.clear();
  known_classes_ = {};
}

bool frame_reader::find_classes() {
  const std::uint64_t end = head_.batch_at != 0 ? head_.batch_at : head_.pins_at;
  if (end < head_.classes_at) return damaged() != nullptr;
  const std::string_view names(data_ + head_.classes_at, end - head_.classes_at);
  if (known_classes_ && names == known_names_ && PyTuple_GET_SIZE(known_classes_.get()) == head_.classes) {
    classes_ = owned::share(known_classes_.get());
    return true;
  }
  cursor from{data_ + head_.classes_at, data_ + end};
  if (head_.classes > head_.bytes) return damaged() != nullptr;
  owned found(PyTuple_New(head_.classes));
  for (std::uint32_t i = 0; found && i != head_.classes; ++i) {
    std::uint32_t module_size = 0, name_size = 0;
    const char* const module = take(from, module_size) ? take(from, std::size_t{module_size}) : nullptr;
    if (module == nullptr) return false;
    const char* const name = take(from, name_size) ? take(from, std::size_t{name_size}) : nullptr;
    if (name == nullptr) return false;
    PyObject* const one = PyObject_CallFunction(shipping.find_class, "s#s#", module, Py_ssize_t{module_size}, name,
                                                Py_ssize_t{name_size});
    if (one == nullptr) return false;
    PyTuple_SET_ITEM(found.get(), i, one);
  }
  if (!found) return false;
  known_names_ = names;
  known_classes_ = owned::share(found.get());
  classes_ = std::move(found);
  return true;
}

PyObject* frame_reader::read_array(cursor& from) {
  const owned handle(read(from, 0));  // as it is written
  if (!handle) return nullptr;
  if (!PyTuple_CheckExact(handle.get()) || arrays.attach == nullptr) return damaged();
  return PyObject_Call(arrays.attach, handle.get(), nullptr);
}

PyObject* frame_reader::read_sent(cursor& from) const {
  sent_value where;
  if (!downward_) return damaged();
  return take(from, where) ? Py_XNewRef(value_sent_once(where)) : nullptr;
}

PyObject* frame_reader::read_pickled(cursor& from, PyObject* loads) {
  const owned view = memory_view(from.at, static_cast<std::size_t>(from.end - from.at));
  return view ? PyObject_CallOneArg(loads, view.get()) : nullptr;
}

PyObject* frame_reader::read_apart(cursor from, std::uint32_t first_buffer, std::uint32_t buffers) {
  if (first_buffer > head_.buffers || buffers > head_.buffers - first_buffer) return damaged();
  const owned apart(PyList_New(buffers));
  for (std::uint32_t i = 0; apart && i != buffers; ++i) {
    owned one = buffer(first_buffer + i);
    if (!one) return nullptr;
    PyList_SET_ITEM(apart.get(), i, one.release());
  }
  const owned view = memory_view(from.at, static_cast<std::size_t>(from.end - from.at));
  return view && apart ? PyObject_CallFunctionObjArgs(shipping.loads, view.get(), apart.get(), nullptr) : nullptr;
}

std::shared_ptr<view> frame_reader::view_of(const frame_buffer& where) const {
  if (arrays.show == nullptr || where.octets != 0 || where.bytes < least_view) return nullptr;
  std::shared_ptr<piece> of;
  if (!downward_ && pieces_ != nullptr) of = pieces_->around(data_ + where.at);
  if (!downward_ && of == nullptr) return nullptr;
  return view::make(std::move(of), data_ + where.at, where.bytes, where.read_only != 0);
}

// A view, or a bytearray, or bytes where it was read-only.
owned frame_reader::buffer(std::uint32_t index) const {
  frame_buffer where;
  std::memcpy(&where, data_ + head_.buffers_at + std::size_t{index} * sizeof where, sizeof where);
  if (where.at > head_.bytes || where.bytes > head_.bytes - where.at) return owned(damaged());
  try {
    if (const std::shared_ptr<view> seen = view_of(where)) return owned(arrays.show(seen));
  } catch (const std::bad_alloc&) {
    return owned(PyErr_NoMemory());
  }
  const auto size = static_cast<Py_ssize_t>(where.bytes);
  owned made(where.read_only != 0 ? PyBytes_FromStringAndSize(nullptr, size)
                                  : PyByteArray_FromStringAndSize(nullptr, size));
  if (!made) return made;
  char* const to = where.read_only != 0 ? PyBytes_AS_STRING(made.get()) : PyByteArray_AS_STRING(made.get());
  Py_BEGIN_ALLOW_THREADS;
  std::memcpy(to, data_ + where.at, where.bytes);
  Py_END_ALLOW_THREADS;
  return made;
}

PyObject* frame_reader::read_batched(cursor& from) {
  std::uint32_t index = 0;
  if (!take(from, index)) return nullptr;
  if (head_.batch_at < sizeof head_) return damaged();
  const auto at = static_cast<Py_ssize_t>(index);
  // Asked for a second time, as a chunk is that is run again: the whole batch is new then.
  if (!batch_ || (at < PyList_GET_SIZE(batch_.get()) && PyList_GET_ITEM(batch_.get(), at) == Py_None)) {
    const cursor pickle{data_ + head_.batch_at, data_ + head_.bytes};
    batch_ = owned(read_apart(pickle, head_.buffers - head_.batch_buffers, head_.batch_buffers));
  }
  if (!batch_) return nullptr;
  if (!PyList_CheckExact(batch_.get()) || at >= PyList_GET_SIZE(batch_.get())) return damaged();
  PyObject* const taken = Py_NewRef(PyList_GET_ITEM(batch_.get(), at));
  PyList_SetItem(batch_.get(), at, Py_NewRef(Py_None));  // a value is let go of as soon as it was run
  return taken;
}

}  // namespace forkful::python
