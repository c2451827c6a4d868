#include "map/ends.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "map/runner.hpp"

namespace mapping {

namespace {

// After Ctrl-C jobs have longer to put away what they have begun.
constexpr auto grace_after_interrupt = std::chrono::seconds(1);
constexpr auto kill_again = std::chrono::milliseconds(50);  // those that were being started meanwhile
// When no job is left, their output may be behind a reader that reads no more.
constexpr auto longest_delivery = std::chrono::seconds(1);

}  // namespace

void ends::wait(const std::function<void()>& draw) {
  while (!crew_.gone()) {
    if (crew_.how_ends() == ending::stopping) end_jobs();
    if (signal_ != 0 && told_ && leave_at_ == clock::time_point::max() && (killed_ || groups_.empty())) {
      leave_at_ = clock::now() + longest_delivery;
    }
    if (clock::now() >= leave_at_) return;
    auto until = std::min(kill_at_, leave_at_);
    constexpr auto look_each = std::chrono::milliseconds(100);
    if (draw || signal_ != 0) until = std::min(until, clock::now() + look_each);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    const int wait = until == clock::time_point::max() ? -1 : static_cast<int>(std::max<std::int64_t>(left, 0));
    std::array<pollfd, 2> watched{{{signals_.descriptor(), POLLIN, 0}, {attention_, POLLIN, 0}}};
    if (::poll(watched.data(), watched.size(), wait) < 0) continue;
    if (watched[1].revents != 0) {
      std::uint64_t rung = 0;
      [[maybe_unused]] const auto got = ::read(attention_, &rung, sizeof rung);
    }
    while (const int number = signals_.next()) on_signal(number);
    if (draw) draw();
  }
}

void ends::on_signal(int number) {
  if (number == SIGTSTP) {
    groups_.signal(SIGTSTP);
    signals_.stop_here();
    groups_.signal(SIGCONT);
    return;
  }
  if (signal_ != 0) {
    kill_at_ = clock::now();  // twice: at once
    return;
  }
  signal_ = number;
  crew_.end(ending::stopping);
}

void ends::end_jobs() {
  const auto now = clock::now();
  if (!told_) {
    told_ = true;
    const bool interrupted = signal_ == SIGINT;
    groups_.signal(interrupted ? SIGINT : SIGTERM);
    groups_.signal(SIGCONT);
    kill_at_ =
        std::min(kill_at_, now + (interrupted ? std::chrono::milliseconds(grace_after_interrupt) : runner::grace));
  } else if (now >= kill_at_) {
    groups_.signal(SIGKILL);
    killed_ = true;
    kill_at_ = now + kill_again;
  }
}

}  // namespace mapping
