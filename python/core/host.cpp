#include "host.hpp"

#include <csignal>
#include <stdexcept>
#include <string>

#include "gil.hpp"
#include "owned.hpp"
#include "worker.hpp"

namespace forkful::python {

namespace {

pool_host& self_of(void* self) noexcept { return *static_cast<pool_host*>(self); }

}  // namespace

pool_host::pool_host(PyObject* side, int late_signal) noexcept
    : side_(side),
      callbacks_{.self = this,
                 .before_fork = [](void* self) noexcept { self_of(self).before_fork(); },
                 .after_fork = [](void* self, bool child) noexcept { self_of(self).after_fork(child); },
                 .worker_starts = [](void* self) { self_of(self).worker_starts(); },
                 .late_signal = late_signal,
                 .worker_leaves = [](void* self) { self_of(self).worker_leaves(); }} {}

// In a zygote, which has one thread and holds the GIL all the time, as well as in the caller.
void pool_host::before_fork() noexcept {
  taken_ = suspended != nullptr;
  if (taken_) take_gil(std::exchange(suspended, nullptr));
  if (!forked_) {
    threads_ = -1;
    // Ctrl-C may come meanwhile; what is made here is needed all the same.
    for (int attempts = 0; threads_ < 0 && attempts != 10; ++attempts) {
      const owned threads(PyObject_CallMethod(side_, "before_fork", nullptr));
      if (threads) threads_ = PyLong_AsLong(threads.get());
      if (PyErr_Occurred() != nullptr) defer(take_error());
    }
  }
  PyOS_BeforeFork();
}

void pool_host::after_fork(bool child) noexcept {
  if (!child) {
    PyOS_AfterFork_Parent();
    if (taken_) suspended = PyEval_SaveThread();
    return;
  }
  // Ctrl-C is the parent's, before any Python code could run here; what came already is forgotten by the next line.
  if (!forked_) std::signal(SIGINT, SIG_IGN);
  PyOS_AfterFork_Child();
  if (std::exchange(forked_, true)) return;
  const owned done(PyObject_CallMethod(side_, "zygote_starts", "l", threads_));
  if (!done) PyErr_WriteUnraisable(side_);
}

void pool_host::worker_starts() {
  forget_the_parents_callables();
  const owned done(PyObject_CallMethod(side_, "worker_starts", nullptr));
  if (!done) {
    const owned error = take_error();
    throw std::runtime_error(text_of(error.get()));
  }
  suspended = PyEval_SaveThread();
}

void pool_host::worker_leaves() {
  const with_gil held;
  const owned done(PyObject_CallMethod(side_, "worker_leaves", nullptr));
  if (!done) PyErr_WriteUnraisable(side_);
}

}  // namespace forkful::python
