// The floating-point environment in which slices run: rounding, what traps, whether tiny numbers become zero. Each call carries that of
// the thread which called the verb, so that results have the same bits wherever they are computed.
//
// Owns nothing. Not the flags that say what has happened (fetestexcept): they stay with the thread that computed. Cost: 3 ns a look.
#pragma once

#include <cfenv>
#include <cstdint>

namespace forkful::detail {

class floating_point {
 public:
  // This thread's.
  static floating_point here() noexcept {
    floating_point now;
#if defined(__x86_64__)
    now.vector_ = __builtin_ia32_stmxcsr() & ~flags;
    asm volatile("fnstcw %0" : "=m"(now.scalar_));
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(now.control_));
#else
    now.rounding_ = std::fegetround();
#endif
    return now;
  }

  // Makes it this thread's. Returns whether that changed anything.
  [[gnu::always_inline]] bool install() const noexcept {
    const floating_point now = here();
    if (now == *this) [[likely]]
      return false;
    replace();
    return true;
  }

  bool operator==(const floating_point&) const noexcept = default;

 private:
#if defined(__x86_64__)
  static constexpr std::uint32_t flags = 0x3f;
  // What has happened before must not trap now: the x87 unit would, at its next instruction.
  [[gnu::noinline]] void replace() const noexcept {
    __builtin_ia32_ldmxcsr(vector_ | (__builtin_ia32_stmxcsr() & flags));
    asm volatile("fnclex\n\tfldcw %0" : : "m"(scalar_));
  }
  std::uint32_t vector_ = 0x1f80;
  std::uint16_t scalar_ = 0x37f;
#elif defined(__aarch64__)
  void replace() const noexcept { asm volatile("msr fpcr, %0" : : "r"(control_)); }
  std::uint64_t control_ = 0;
#else
  void replace() const noexcept { std::fesetround(rounding_); }
  int rounding_ = FE_TONEAREST;
#endif
};

// For the length of a scope: a thread runs slices of a call, and has its own environment back afterwards.
class floating_point_scope {
 public:
  explicit floating_point_scope(const floating_point& of_call) noexcept : before_(floating_point::here()) {
    of_call.install();
  }
  floating_point_scope(const floating_point_scope&) = delete;
  floating_point_scope& operator=(const floating_point_scope&) = delete;
  ~floating_point_scope() { before_.install(); }

 private:
  floating_point before_;
};

}  // namespace forkful::detail
