// Where the caller's time goes in a call: it is always in one phase, and the clock is read when that changes.
//
// Owns sums, and with a timeline the phases themselves. Invariant: the phases add up to the time from begin to end.
#pragma once

#include <array>
#include <cstdint>
#include <forkful/report.hpp>

#include "measure/recorder.hpp"
#include "os/cpu.hpp"

namespace forkful::detail {

class stopwatch {
 public:
  using phase = timeline_step::kind;

  stopwatch(std::uint64_t now, phase first) noexcept : began_(now), at_(now), now_(first) {}
  void enter(phase next) noexcept {
    if (next != now_) enter(next, now_ns());
  }
  // At that time, which is not before the last change.
  void enter(phase next, std::uint64_t at) noexcept {
    spent_[static_cast<std::size_t>(now_)] += at - at_;
    if (recorded_ != nullptr) note(at);
    at_ = at;
    now_ = next;
  }
  // Null: no more.
  void record(recorder* into) noexcept { recorded_ = into; }
  [[nodiscard]] phase now() const noexcept { return now_; }
  // When it entered that.
  [[nodiscard]] std::uint64_t since() const noexcept { return at_; }
  // To be asked after a last enter().
  [[nodiscard]] time_split split() const noexcept {
    const auto of = [this](phase one) { return std::chrono::nanoseconds(spent_[static_cast<std::size_t>(one)]); };
    time_split all;
    all.start = of(phase::start);
    all.pass_in = of(phase::pass_in);
    all.wake = of(phase::wake);
    all.compute = of(phase::compute);
    all.idle = of(phase::idle);
    all.reassemble = of(phase::reassemble);
    return all;
  }

 private:
  void note(std::uint64_t at) noexcept {
    recorded_->add({now_, std::chrono::nanoseconds(at_ - began_), std::chrono::nanoseconds(at - began_)});
  }

  std::array<std::uint64_t, 6> spent_{};
  recorder* recorded_ = nullptr;
  std::uint64_t began_;
  std::uint64_t at_;
  phase now_;
};

}  // namespace forkful::detail
