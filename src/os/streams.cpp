#include "os/streams.hpp"

#include <pthread.h>
#include <stdio_ext.h>
#include <sys/single_threaded.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <forkful/flushed_stream.hpp>
#include <iostream>
#include <memory>
#include <mutex>
#include <new>
#include <streambuf>
#include <utility>
#include <vector>

#include "os/thread_count.hpp"

// How glibc walks the list of its open streams; no header declares it. Weak: where the C library has no such functions,
// only stdout and stderr are known.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {
[[gnu::weak]] FILE* _IO_iter_begin() noexcept;  // the first, which leads to the others
[[gnu::weak]] void _IO_list_lock() noexcept;
[[gnu::weak]] void _IO_list_unlock() noexcept;
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace forkful {
namespace detail {

namespace {

constexpr std::size_t at_a_time = 32;
constexpr int most_rounds = 16;  // a stream that cannot be written (a full disk) goes on holding its text

// ---- Streams being flushed ----

// A stream whose own code runs: it is being flushed by this thread. That code may fork, work with a pool and register other streams.
// A worker that it starts inherits the list with its stack, and leaves the stream, which is half flushed there, alone for good.
class in_hand {
 public:
  explicit in_hand(const void* stream) noexcept : stream_(stream), outer_(innermost_) { innermost_ = this; }
  in_hand(const in_hand&) = delete;
  in_hand& operator=(const in_hand&) = delete;
  ~in_hand() { innermost_ = outer_; }

  static bool is(const void* stream) noexcept {
    const in_hand* one = innermost_;
    while (one != nullptr && one->stream_ != stream) one = one->outer_;
    return one != nullptr;
  }

 private:
  static thread_local constinit in_hand* innermost_;
  const void* stream_;
  in_hand* outer_;
};
thread_local constinit in_hand* in_hand::innermost_ = nullptr;

// ---- C streams ----

// Calls it for each open C stream. None is opened or closed meanwhile.
template <class Function>
void for_each_c_stream(Function&& take) noexcept {
#ifdef __GLIBC__
  if (_IO_iter_begin != nullptr && _IO_list_lock != nullptr && _IO_list_unlock != nullptr) {
    const bool alone = __libc_single_threaded != 0;
    if (!alone) _IO_list_lock();
    for (FILE* at = _IO_iter_begin(); at != nullptr; at = at->_chain) take(at);
    if (!alone) _IO_list_unlock();
    return;
  }
#endif
  take(stdout);
  take(stderr);
}

// A look by hand where it can be: a function for each stream would be the most of what a short chunk costs.
bool holds_text(FILE* stream) noexcept {
#ifdef __GLIBC__
  if (stream->_mode <= 0) return stream->_IO_write_ptr > stream->_IO_write_base;
#endif
  return ::__fpending(stream) > 0;
}

bool any_c_stream_holds_text() noexcept {
  bool any = false;
  for_each_c_stream([&](FILE* stream) { any = any || holds_text(stream); });
  return any;
}

// Not fflush(nullptr): it waits for the lock of a stdin that another thread may be reading. Not with the list locked either: writing
// may take long. Returns false when there may be more.
bool flush_some_c_streams() noexcept {
  std::array<FILE*, at_a_time> locked{};
  std::size_t count = 0;
  for_each_c_stream([&](FILE* stream) {
    if (count < locked.size() && holds_text(stream) && !in_hand::is(stream) && ::ftrylockfile(stream) == 0)
      locked[count++] = stream;
  });
  for (std::size_t i = 0; i < count; ++i) {
    const in_hand now(locked[i]);
    ::fflush_unlocked(locked[i]);
    ::funlockfile(locked[i]);
  }
  return count < locked.size();
}

// ---- C++ streams ----

// A look costs a nanosecond, a flush of nothing a hundred.
template <class Letter>
bool holds_text(const std::basic_ostream<Letter>& stream) {
  struct opened : std::basic_streambuf<Letter> {
    using std::basic_streambuf<Letter>::pbase;
    using std::basic_streambuf<Letter>::pptr;
  };
  const std::basic_streambuf<Letter>* buffer = stream.rdbuf();
  return buffer != nullptr && (buffer->*&opened::pptr)() != (buffer->*&opened::pbase)();
}

template <class Letter>
void flush(std::basic_ostream<Letter>& stream) noexcept {
  if (!holds_text(stream) || in_hand::is(&stream)) return;
  const in_hand now(&stream);
  try {
    stream.flush();
  } catch (...) {
    // A stream that is set to throw on failure: the text is lost, the slice is not.
  }
}

// The mutex is held across every fork, so that a worker finds it free and no stream half flushed by another thread.
struct registry {
  std::mutex mutex;
  std::vector<std::ostream*> streams;
  std::size_t flushed = 0;        // of them, by the thread that has the list
  std::atomic<bool> used{false};  // relaxed: a hint that there is nothing to flush
};

// This thread flushes registered streams, and has the mutex.
thread_local constinit bool has_list = false;

registry& registered() {
  static registry* all = [] {
    auto made = std::make_unique<registry>();
    const auto lock = [] {
      if (!has_list) registered().mutex.lock();
    };
    const auto unlock = [] {
      if (!has_list) registered().mutex.unlock();
    };
    if (const int refused = ::pthread_atfork(lock, unlock, unlock); refused != 0)
      throw std::bad_alloc();  // the only reason for a refusal
    return made.release();     // never destroyed: forks may happen during static destruction
  }();
  return *all;
}

std::atomic<registry*> in_use{nullptr};

void flush_registered() noexcept {
  registry* const all = in_use.load(std::memory_order_acquire);
  if (all == nullptr || !all->used.load(std::memory_order_relaxed)) return;
  // Inside a stream's own code: the streams that are left are flushed here, and the outer loop finds none.
  const auto flush_all = [all] {
    for (all->flushed = 0; all->flushed < all->streams.size();) flush(*all->streams[all->flushed++]);
  };
  if (has_list) {
    flush_all();
    return;
  }
  const std::lock_guard lock(all->mutex);
  has_list = true;
  flush_all();
  has_list = false;
}

// Calls `change` while no other thread has the list.
template <class Function>
void with_list(registry& all, Function change) {
  std::unique_lock lock(all.mutex, std::defer_lock);
  if (!has_list) lock.lock();
  change();
}

}  // namespace

void flush_output() noexcept {
  flush(std::cout);
  flush(std::clog);
  flush(std::wcout);
  flush(std::wclog);
  flush_registered();
  if (!any_c_stream_holds_text()) return;
  for (int round = 0; round < most_rounds && !flush_some_c_streams(); ++round) {
  }
}

void forget_inherited_output() noexcept {
  if (std::exchange(has_list, false)) registered().mutex.unlock();
  for_each_c_stream([](FILE* stream) {
    if (holds_text(stream)) ::__fpurge(stream);
  });
}

}  // namespace detail

flushed_stream::flushed_stream(std::ostream& stream) : stream_(&stream) {
  detail::registry& all = detail::registered();
  detail::with_list(all, [&] {
    all.streams.push_back(stream_);
    all.used.store(true, std::memory_order_relaxed);
  });
  detail::in_use.store(&all, std::memory_order_release);
}

flushed_stream::~flushed_stream() {
  detail::registry& all = detail::registered();
  detail::with_list(all, [&] {
    // One entry: a stream may be registered twice.
    const auto at = std::find(all.streams.begin(), all.streams.end(), stream_);
    if (at == all.streams.end()) return;
    if (at - all.streams.begin() < static_cast<std::ptrdiff_t>(all.flushed)) --all.flushed;
    all.streams.erase(at);
    all.used.store(!all.streams.empty(), std::memory_order_relaxed);
  });
}

}  // namespace forkful
