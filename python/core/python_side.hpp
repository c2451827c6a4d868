// What the extension calls of python/forkful: set once, when the module is imported, and never let go of, because that would be after the
// interpreter.
#pragma once

#include "python.hpp"

#include <memory>

namespace forkful::python {

class view;

// Functions of shipping.py, errors.py and failures.py.
struct shipping_functions {
  PyObject* loads = nullptr;        // (bytes-like, list of buffers) -> value
  PyObject* load_call = nullptr;    // (bytes-like) -> (callable, what binds the globals that came with it)
  PyObject* enter = nullptr;        // binds them again
  PyObject* find_class = nullptr;   // (module, qualified name) -> class
  PyObject* add_note = nullptr;     // (exception, verb, index, worker or None, name of the callable)
  PyObject* item_failed = nullptr;  // what the engine says of a value that failed -> exception
  PyObject* call_failed = nullptr;  // (code, sentence) of an error of the engine's -> exception
};
inline shipping_functions shipping;

// How arrays in shared memory pass (arrays.py); the first two when there is one.
struct array_functions {
  PyTypeObject* type = nullptr;  // numpy.ndarray
  PyObject* handle =
      nullptr;  // (array, towards the parent) -> tuple of ints, strings and tuples, or None: it is not shared
  PyObject* attach = nullptr;  // (*tuple) -> array
  PyObject* (*show)(const std::shared_ptr<view>&) =
      nullptr;  // the view as an object with a buffer, new; null: there are none
};
inline array_functions arrays;

}  // namespace forkful::python
