#include "host.hpp"

#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

#include "gil.hpp"
#include "owned.hpp"
#include "worker.hpp"

namespace forkful::python {

namespace {

pool_host& self_of(void* self) noexcept { return *static_cast<pool_host*>(self); }

}  // namespace

pool_host::pool_host(PyObject* side, int late_signal, const detail::host* in_template) noexcept
    : side_(side),
      callbacks_{.self = this,
                 .before_fork = [](void* self) noexcept { self_of(self).before_fork(); },
                 .after_fork = [](void* self, bool child) noexcept { self_of(self).after_fork(child); },
                 .worker_starts = [](void* self) { self_of(self).worker_starts(owned::share(Py_None)); },
                 .late_signal = late_signal,
                 .worker_leaves = [](void* self) { self_of(self).worker_leaves(); },
                 .in_template = in_template} {}

// In a zygote, which has one thread and holds the GIL all the time, as well as in the caller.
void pool_host::before_fork() noexcept {
  taken_ = suspended != nullptr;
  if (taken_) take_gil(std::exchange(suspended, nullptr));
  run_python([this] { prepare_fork(); });
}

void pool_host::prepare_fork() {
  if (!forked_) {
    threads_ = -1;
    // From here to after_fork no Ctrl-C or alarm is to come to this thread: what a handler raised in a function that os.register_at_fork was
    // given would be told, and forgotten. What came already is dealt with now. (SIGTERM is not held: workers look whether their
    // caller holds it, and would outlive it.)
    sigset_t some;
    sigemptyset(&some);
    for (const int number : {SIGINT, SIGALRM}) sigaddset(&some, number);
    pthread_sigmask(SIG_BLOCK, &some, &mask_);
    if (PyErr_CheckSignals() != 0) defer(take_error());
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
    run_python(PyOS_AfterFork_Parent);
    if (!forked_) pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    if (taken_) suspended = PyEval_SaveThread();
    return;
  }
  if (forked_) {
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  } else {
    // Ctrl-C is the parent's, before any Python code could run here. No signal is for a zygote, whatever its process group is sent.
    std::signal(SIGINT, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    deferred = nullptr;
  }
  PyOS_AfterFork_Child();
  if (std::exchange(forked_, true)) return;
  const owned done(PyObject_CallMethod(side_, "zygote_starts", "l", threads_));
  if (!done) PyErr_WriteUnraisable(side_);
}

void pool_host::worker_starts(owned data) {
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);  // the engine's saved one is that of a thread that forks
  forget_the_parents_callables();
  {
    const owned given(std::move(data));
    const owned done(given ? PyObject_CallMethod(side_, "worker_starts", "(O)", given.get()) : nullptr);
    if (!done) {
      const owned error = take_error();
      throw std::runtime_error(text_of(error.get()));
    }
  }
  suspended = PyEval_SaveThread();
}

void pool_host::worker_leaves() {
  const with_gil held;
  const owned done(PyObject_CallMethod(side_, "worker_leaves", nullptr));
  if (!done) PyErr_WriteUnraisable(side_);
}

}  // namespace forkful::python
