#include "crew/template.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <forkful/errors.hpp>
#include <forkful/init.hpp>
#include <mutex>
#include <type_traits>

#include "crew/host_fork.hpp"
#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "memory/arena.hpp"
#include "os/breakpoint.hpp"
#include "os/cancellation.hpp"
#include "os/child.hpp"
#include "os/clone.hpp"
#include "os/identity.hpp"
#include "os/lifeline.hpp"
#include "os/message.hpp"
#include "os/process.hpp"
#include "os/signals.hpp"
#include "os/streams.hpp"
#include "os/thread_count.hpp"
#include "worker/crash.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

static_assert(std::is_trivially_copyable_v<worker_start>, "it is sent through a socket");

// A template that is stopped, or starved, for so long is given up. In short waits, so that a stop of the whole process group,
// however long, counts as one.
constexpr int timeout_ms = 2000;
constexpr int wait_ms = 100;

// Of this program when it was loaded: libraries that it is linked to may have started some, which is no fault of a
// program that calls init first thing in main. (Shared libraries are made ready before the program's own objects.)
const unsigned threads_at_load = thread_count();

// The template's life. Nothing in it may unwind into the frames it inherited.
[[noreturn]] void serve(int requests, int line, std::atomic<pid_t>& born, bool signals_held) noexcept {
  lifeline::arm(line);
  prepare_for_crashes();               // once, not in every worker
  if (!signals_held) block_signals();  // a ^C is for other processes; workers decide about signals themselves
  for (;;) {
    worker_start begin;
    std::array<fd, carried> sent;
    if (receive_message(requests, &begin, sizeof begin, &sent, -1) != received::message) leave(1);
    const pid_t pid = fork_within(
        begin.settings.around, [&] { return clone_process(relation::sibling, &born); },
        [&] {
          fd(requests).reset();
          fd(line).reset();
          begin.line = sent[0].number();
          begin.parent = {sent[1].number(), sent[1].file()};
          run_worker(begin);
        });
    const int error = pid < 0 ? errno : 0;
    breakpoint(point::template_cloned);
    if (!send_message(requests, &error, sizeof error, {})) leave(1);
  }
}

}  // namespace

struct worker_template::state {
  explicit state(const char* called) : name(called) {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  // Of a pool. Where it was inherited there is nothing to end.
  ~state() {
    if (this_process() != owner) return;
    give_up("the pool has ended");
    if (born != nullptr) arena::own().deallocate(born);
  }

  // First: only its address is stored, and searches for leaks look for the beginning of a block.
  worker_template handle{*this};
  std::mutex mutex;
  std::uint64_t owner = this_process();
  child process;
  lifeline line;
  socket_ends requests;
  std::atomic<pid_t>* born = nullptr;  // in the arena
  std::string trouble;
  const char* name;
  const host* around = nullptr;
  unsigned others = 0;  // threads that ran beside the one that made it
  bool of_pool = false;
  modules code = modules::loaded();
  worker_template* inherited = nullptr;  // from the process that forked this one, as that left it: not looked at

  // Where nothing works any more: ends what is left of it.
  void give_up(std::string why) {
    if (process.valid()) {
      process.kill();
      line = lifeline();  // kills too, where the signal is refused
      static_cast<void>(process.ended(-1));
      if (const ending end = process.reap().value_or(ending{}); end.signal != 0)
        why += fmt::format(" (signal {})", end.signal);
      process.reset();
    }
    line = lifeline();
    requests = socket_ends();
    trouble = std::move(why);
  }

  void launch() {
    arena& memory = arena::own();
    born = new (memory.allocate(sizeof *born, alignof(std::atomic<pid_t>))) std::atomic<pid_t>{0};
    requests = socket_ends::make(SOCK_SEQPACKET);
    line = lifeline::make();
    flush_output();  // else every worker would print what is buffered now once more
    // Beside other threads only the C library's fork will do: it runs the handlers with which their libraries prepare
    // for that, and releases its own locks. Then template and workers end with a SIGCHLD.
    const bool forks = others != 0 || of_pool;
    const pid_t pid = fork_within(
        around, [&] { return forks ? fork_flushed() : clone_process(relation::child, nullptr); },
        [&] { serve(requests.theirs.number(), line.worker_end(), *born, forks); });
    if (pid < 0) throw refused_call(forks ? "fork" : "clone", errno);
    requests.theirs.reset();
    line.forget_worker_end();
    process = child(pid);
    if (!process.valid()) {
      const int error = errno;
      line = lifeline();  // ends it
      reap_unwatched(pid);
      throw refused_call("pidfd_open", error);
    }
  }
};

namespace {
std::atomic<worker_template*> newest{nullptr};
}

worker_template* worker_template::here() noexcept {
  worker_template* const made = newest.load(std::memory_order_acquire);
  return made != nullptr && made->state_.owner == this_process() ? made : nullptr;
}

void worker_template::make(const host* around) {
  const cancellation_deferred whole;
  if (!template_is_due()) return;
  const unsigned threads = thread_count();
  if (threads > std::max(1U, threads_at_load)) {
    throw start_failed(
        fmt::format("forkful::init was called while {} other {}: call it as the first line of main, before anything "
                    "starts threads",
                    threads - 1, threads == 2 ? "thread runs" : "threads run"));
  }
  auto* made = new state(
      "the process that forkful::init made");  // for good: a pool may be made as late as in static destructors
  made->others = threads > 1 ? threads - 1 : 0;
  made->around = around;
  try {
    or_start_failed([&] { made->launch(); });
  } catch (const error& refused) {
    made->give_up(refused.what());
  }
  made->inherited = newest.load(std::memory_order_relaxed);
  newest.store(&made->handle, std::memory_order_release);
  // It would end by itself; but then as an orphan, of which some containers never take the status.
  std::atexit([] {
    worker_template* const mine = here();
    if (mine == nullptr) return;
    const std::lock_guard lock(mine->state_.mutex);
    mine->state_.give_up("the program is ending");
  });
}

std::shared_ptr<worker_template> worker_template::of_pool(const host* around) {
  const auto made = std::make_shared<state>("the pool's template");
  made->around = around;
  made->others = std::max(1U, thread_count()) - 1;
  made->of_pool = true;
  try {
    or_start_failed([&] { made->launch(); });
  } catch (const error& refused) {
    made->give_up(refused.what());
  }
  return {made, &made->handle};
}

pid_t worker_template::start(const worker_start& begin) noexcept {
  const std::lock_guard lock(state_.mutex);
  if (!state_.process.valid()) return -1;
  try {
    if (!state_.requests.ours.intact()) {
      state_.give_up(fmt::format("the program has closed the descriptor over which {} is asked", state_.name));
      return -1;
    }
    state_.born->store(0, std::memory_order_relaxed);
    const std::array<int, carried> descriptors{begin.line, begin.parent.number};
    int error = 0;
    received answer = received::closed;
    if (send_message(state_.requests.ours.number(), &begin, sizeof begin, descriptors)) {
      for (int waited = 0; waited < timeout_ms; waited += wait_ms) {
        answer = receive_message(state_.requests.ours.number(), &error, sizeof error, nullptr, wait_ms);
        if (answer != received::nothing) break;
      }
    } else if (errno != EPIPE && errno != ECONNRESET) {
      // It has not heard of this worker, and may be asked for the next.
      state_.trouble = fmt::format("{} could not be asked: sendmsg failed: {}", state_.name, std::strerror(errno));
      return -1;
    }
    if (answer != received::message)
      state_.give_up(
          fmt::format("{} {}", state_.name, answer == received::closed ? "has ended" : "did not answer and was ended"));
    // Stored by the kernel while the template was inside clone: now it has answered or ended, and this is final.
    const pid_t pid = state_.born->load(std::memory_order_acquire);
    if (answer == received::message)
      state_.trouble = error == 0 ? std::string() : fmt::format("clone failed: {}", std::strerror(error));
    return pid > 0 ? pid : -1;
  } catch (...) {
    return -1;  // no memory to say why
  }
}

bool worker_template::lives() {
  const std::lock_guard lock(state_.mutex);
  if (state_.process.valid() && state_.process.ended(0)) state_.give_up(fmt::format("{} has ended", state_.name));
  return state_.process.valid();
}

void worker_template::kill() noexcept {
  const std::lock_guard lock(state_.mutex);
  if (state_.process.valid()) state_.process.kill();
}

std::string worker_template::remark() const {
  if (state_.others == 0 || state_.of_pool) return "";
  return fmt::format(
      "{} {} before main when forkful::init was called, started by a library that is linked to the program (OpenBLAS "
      "does that): workers come from a copy without them, and a lock that one of them held then stays locked there; "
      "workers are also seen by wait() and waitpid(-1). Where that is in the way, keep the library from starting "
      "threads (OPENBLAS_NUM_THREADS=1)",
      state_.others, state_.others == 1 ? "thread ran" : "threads ran");
}

const modules& worker_template::code() const noexcept { return state_.code; }

std::string worker_template::trouble() const {
  const std::lock_guard lock(state_.mutex);
  return state_.trouble;
}

void make_template(const host* around) { worker_template::make(around); }

bool template_is_due() noexcept { return !has_template() && !in_worker_process(); }

bool has_template() noexcept { return worker_template::here() != nullptr; }

}  // namespace forkful::detail

namespace forkful {

void init(int /*argc*/, char** /*argv*/) { detail::make_template(nullptr); }

}  // namespace forkful
