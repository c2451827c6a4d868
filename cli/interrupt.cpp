#include "interrupt.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <string_view>

#include "format/fmt.hpp"

namespace cli {

namespace {

// Two texts in turn: a handler reads one while the other is being written.
std::array<std::array<char, 400>, 2> texts;
std::atomic<std::size_t> current{0};
std::atomic<bool> pressed{false};
std::atomic<bool> at_once{false};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<std::size_t>::is_always_lock_free);

// Async-signal-safe: only write() and _exit().
void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

[[noreturn]] void leave(std::string_view where = {}) {
  say("\nforkful: interrupted");
  say(where);
  say(texts[current.load()].data());
  say("\n");
  _exit(interrupted);  // the kernel ends the workers (their lifeline is cut)
}

void on_interrupt(int /*SIGINT*/) {
  if (pressed.exchange(true) || at_once.load()) leave();
  ::alarm(1);
}

void on_alarm(int /*SIGALRM*/) { leave(); }

}  // namespace

void watch_for_interrupts() {
  struct sigaction before{};
  if (sigaction(SIGINT, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) return;  // in a script's background
  struct sigaction action{};
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  // Without SA_RESTART: a read that waits for an answer ends.
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
}

void say_when_interrupted(const std::string& how_far) {
  const std::size_t next = 1 - current.load();
  texts[next].fill('\0');
  how_far.copy(texts[next].data(), texts[next].size() - 1);
  current.store(next);
}

leaving_at_once::leaving_at_once() noexcept {
  at_once.store(true);
  leave_if_interrupted();
}

leaving_at_once::~leaving_at_once() { at_once.store(false); }

forkful::call_options stoppable() {
  forkful::call_options options;
  options.progress = [](const forkful::progress& so_far) {
    if (!pressed.load()) return;
    leave(so_far.total == 0 ? fmt::format(" with {} slices done", so_far.done)
                            : fmt::format(" with {} of {} slices done", so_far.done, so_far.total));
  };
  return options;
}

bool interrupt_came() { return pressed.load(); }

void leave_if_interrupted() {
  if (pressed.load()) leave();
}

}  // namespace cli
