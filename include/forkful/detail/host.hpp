// What the program around forkful does whenever forkful forks for a pool: for language runtimes, whose locks have to be held then.
//
// Plain function pointers, called one after another: an interpreter's lock cannot be taken in a pthread_atfork handler, whose order
// among others' is not ours to choose.
#pragma once

#include <cstdint>

namespace forkful::detail {

/// From host::late_signal to the end of the worker.
inline constexpr std::uint64_t late_grace_ns = 100'000'000;

/// Belongs to the caller, and must live as long as the pool, in workers and templates at the same address. Every member may be null.
/// Called with a mutex of the pool held: what they take must not be held by a thread that calls into the pool.
struct host {
  void* self = nullptr;  ///< handed to all of them
  /// In the thread that is about to fork or clone, before it takes any lock of forkful's for that.
  void (*before_fork)(void* self) noexcept = nullptr;
  /// In the same thread once it has forked, or could not; and, with `child`, before anything else of forkful's in the
  /// new process.
  void (*after_fork)(void* self, bool child) noexcept = nullptr;
  /// In each new worker, after pool_options::on_worker_start and before its first chunk. What it throws reaches start_failed.
  void (*worker_starts)(void* self) = nullptr;
  /// Sent to a worker by itself when its slice has had its time, for the program to say where it is; it is killed late_grace_ns
  /// later, unless the slice has ended by then, which counts. 0: it is killed at once.
  int late_signal = 0;
  /// In a worker that leaves in good order, after pool_options::on_worker_exit. What it throws is ignored.
  void (*worker_leaves)(void* self) = nullptr;
  /// What takes this one's place in init's template and in the workers from there, which have only what there was before init: it
  /// lies in shared memory (forkful/shared.hpp), or was there by then, and so does all that it leads to; it has what this one has. With
  /// it, a pool of start_method::zygote takes its workers from that template, if this process has one; null: it makes its own.
  const host* in_template = nullptr;
};

/// forkful::init in a program around forkful. `around`, which may be null, is called round the fork of the template and lasts as long as
/// the program; it is not asked for what the template does later. Throws as forkful::init. Thread-safe.
void make_template(const host* around);
/// Whether that would make one now: not the second time in a process, and not in workers. Thread-safe.
bool template_is_due() noexcept;
/// Whether this process called init, so that there is a template, though it may have died. Thread-safe.
bool has_template() noexcept;

}  // namespace forkful::detail
