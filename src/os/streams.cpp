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
#include <streambuf>
#include <vector>

#include "os/process.hpp"

// How glibc walks the list of its open streams; no header declares it. Weak: where the C library has none of it, only stdout and
// stderr are known.
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
    if (count < locked.size() && holds_text(stream) && ::ftrylockfile(stream) == 0) locked[count++] = stream;
  });
  for (std::size_t i = 0; i < count; ++i) {
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
  try {
    if (holds_text(stream)) stream.flush();
  } catch (...) {
    // A stream told to throw on failure: the text is lost, the slice is not.
  }
}

// The mutex is held across every fork, so that a worker finds it free.
struct registry {
  std::mutex mutex;
  std::vector<std::ostream*> streams;
  std::atomic<bool> used{false};  // relaxed: a hint for who has nothing to flush
};

registry& registered() {
  static registry* all = [] {
    auto made = std::make_unique<registry>();
    const auto lock = [] { registered().mutex.lock(); };
    const auto unlock = [] { registered().mutex.unlock(); };
    if (const int refused = ::pthread_atfork(lock, unlock, unlock); refused != 0)
      throw_start_failed("pthread_atfork", refused);
    return made.release();  // never destroyed: forks may happen during static destruction
  }();
  return *all;
}

std::atomic<registry*> in_use{nullptr};

// A stream's own code may come back here (a buffer that itself works with a pool).
thread_local bool flushing = false;

void flush_registered() noexcept {
  registry* const all = in_use.load(std::memory_order_acquire);
  if (all == nullptr || !all->used.load(std::memory_order_relaxed) || flushing) return;
  const std::lock_guard held(all->mutex);
  flushing = true;
  for (std::ostream* stream : all->streams) flush(*stream);
  flushing = false;
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
  for_each_c_stream([](FILE* stream) {
    if (holds_text(stream)) ::__fpurge(stream);
  });
}

}  // namespace detail

flushed_stream::flushed_stream(std::ostream& stream) : stream_(&stream) {
  detail::registry& all = detail::registered();
  const std::lock_guard held(all.mutex);
  all.streams.push_back(stream_);
  all.used.store(true, std::memory_order_relaxed);
  detail::in_use.store(&all, std::memory_order_release);
}

flushed_stream::~flushed_stream() {
  detail::registry& all = detail::registered();
  const std::lock_guard held(all.mutex);
  // One of them: a stream may be registered twice.
  if (const auto at = std::find(all.streams.begin(), all.streams.end(), stream_); at != all.streams.end())
    all.streams.erase(at);
  all.used.store(!all.streams.empty(), std::memory_order_relaxed);
}

}  // namespace forkful
