// Which thread holds the interpreter's lock (the GIL), and how one goes into the engine and comes back.
//
// Invariants: no Python API without the lock, and no call into the engine with it (the engine's mutexes and the lock are thus never waited
// for in both orders). `suspended` is not null exactly while this thread is in the engine without the lock.
#pragma once

#include <unistd.h>
#include "python.hpp"

#include <utility>

namespace forkful::python {

inline thread_local PyThreadState* suspended = nullptr;

// At the end of whatever runs Python code for the engine: where another thread finalises the interpreter, this one sleeps from here on, for
// that code may have been ended as below.
struct ends_with_the_interpreter {
  ends_with_the_interpreter() = default;
  ends_with_the_interpreter(const ends_with_the_interpreter&) = delete;
  ends_with_the_interpreter& operator=(const ends_with_the_interpreter&) = delete;
  ~ends_with_the_interpreter() {
#if PY_VERSION_HEX >= 0x030d0000
    const bool ending = Py_IsFinalizing() != 0;
#else
    const bool ending = _Py_IsFinalizing() != 0;
#endif
    while (ending && gettid() != getpid()) pause();
  }
};

// Runs Python code below a frame that may not be unwound (a destructor, a noexcept function). A function of its own: in a noexcept
// one the compiler leaves such clean-ups out.
template <class Body>
[[gnu::noinline]] void run_python(Body body) {
  const ends_with_the_interpreter here;
  body();
}

// Takes the lock on a thread that is in the engine. Where the interpreter is being finalised by another thread it never comes back, as in
// CPython from 3.14 on: before, PyEval_RestoreThread ends the thread by a forced unwind, which ends the program at the first noexcept
// frame it meets (python/cpython#87135).
[[gnu::noinline]] inline void take_gil(PyThreadState* state) {
  struct never_unwound {
    bool back = false;
    never_unwound() = default;
    never_unwound(const never_unwound&) = delete;
    never_unwound& operator=(const never_unwound&) = delete;
    ~never_unwound() {
      while (!back) pause();
    }
  } guard;
  PyEval_RestoreThread(state);
  guard.back = true;
}

// For the length of a call into the engine.
class in_engine {
 public:
  in_engine() noexcept { suspended = PyEval_SaveThread(); }
  in_engine(const in_engine&) = delete;
  in_engine& operator=(const in_engine&) = delete;
  ~in_engine() { take_gil(std::exchange(suspended, nullptr)); }
};

// For the length of a call from the engine.
class with_gil {
 public:
  with_gil() noexcept { take_gil(std::exchange(suspended, nullptr)); }
  with_gil(const with_gil&) = delete;
  with_gil& operator=(const with_gil&) = delete;
  ~with_gil() {
    {
      const ends_with_the_interpreter here;
    }
    suspended = PyEval_SaveThread();
  }
};

}  // namespace forkful::python
