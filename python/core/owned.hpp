// A reference to a Python object that is let go of at the end of its scope, with the GIL held. Null: none.
//
// Beside pybind11's py::object because it is never checked for types, and because null is the C API's way to say that an error is set.
#pragma once

#include "python.hpp"

#include "gil.hpp"

#include <string>
#include <utility>

namespace forkful::python {

// What is let go of may have a finalizer in Python.
inline void let_go(PyObject* object) {
  if (object == nullptr) return;
  if (Py_REFCNT(object) > 1) {
    Py_DECREF(object);
  } else {
    run_python([object] { Py_DECREF(object); });
  }
}

class owned {
 public:
  owned() noexcept = default;
  // Takes the reference over.
  explicit owned(PyObject* mine) noexcept : object_(mine) {}
  owned(owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  owned& operator=(owned&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  owned(const owned&) = delete;
  owned& operator=(const owned&) = delete;
  ~owned() { let_go(object_); }

  static owned share(PyObject* other) noexcept { return owned(Py_XNewRef(other)); }

  explicit operator bool() const noexcept { return object_ != nullptr; }
  [[nodiscard]] PyObject* get() const noexcept { return object_; }
  [[nodiscard]] PyObject* release() noexcept { return std::exchange(object_, nullptr); }

 private:
  PyObject* object_ = nullptr;
};

// The exception in flight, with its traceback, which is in flight no more. Null: there was none.
inline owned take_error() noexcept {
  PyObject *type = nullptr, *error = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &error, &trace);
  if (type == nullptr) return {};
  PyErr_NormalizeException(&type, &error, &trace);
  if (trace != nullptr) PyException_SetTraceback(error, trace);
  Py_DECREF(type);
  Py_XDECREF(trace);
  return owned(error);
}

// Raises it again.
inline void raise(PyObject* error) noexcept { PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error); }

// What a handler of signals raised (Ctrl-C) where no caller could get it: in the middle of a fork. Kept for the next call that can raise it.
inline PyObject* deferred = nullptr;

inline void defer(owned error) noexcept {
  if (deferred == nullptr) deferred = error.release();
}

// True: there was one, and it is raised.
inline bool raise_deferred() noexcept {
  const owned error(std::exchange(deferred, nullptr));
  if (error) raise(error.get());
  return static_cast<bool>(error);
}

// "KeyError: 'oven'", as the end of a sentence.
inline std::string text_of(PyObject* error) {
  const owned text(PyObject_Str(error));
  const char* const utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  std::string all = Py_TYPE(error)->tp_name;
  if (utf8 != nullptr && *utf8 != '\0') all.append(": ").append(utf8);
  PyErr_Clear();
  return all;
}

}  // namespace forkful::python
