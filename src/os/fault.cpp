#include "os/fault.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "os/timer.hpp"

namespace forkful::detail {

namespace {

constexpr std::array crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
constexpr std::uint64_t note_ns = 100'000'000;
constexpr std::uintptr_t first_page = 4096;
constexpr std::size_t least_stack = std::size_t{32}
                                    << 10;  // for a walk of the stack, beside what the kernel puts there

// In .bss: costs nothing until it is used, which is once.
alignas(64) std::array<std::byte, std::size_t{64} << 10> handler_stack;
void (*take_note)(const fault&) = nullptr;
std::uintptr_t stack_base = 0;  // of the thread that called catch_faults: everything it calls lies below
// Handlers that were there before, by position in `crashes`. Written before ours are installed, which run in any thread.
std::array<struct sigaction, crashes.size()> before_us{};

std::uintptr_t stack_pointer(const void* context) noexcept {
  [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return machine.sp;
#else
  return 0;
#endif
}

// All between stack pointer and base is stack. Memory that cannot be touched there is more stack than there may be.
bool overflowed(std::uintptr_t address, const void* context) noexcept {
  const std::uintptr_t pointer = stack_pointer(context);
  if (pointer == 0 || ::syscall(SYS_gettid) != ::getpid()) return false;
  if (address + first_page < pointer || address >= stack_base || pointer >= stack_base) return false;
  // A pointer further away than a stack may be long belongs to another stack (a coroutine's).
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return stack_base - pointer <= (known ? limit.rlim_cur : rlim_t{1} << 30) + (rlim_t{1} << 20);
}

void on_signal(int signal, siginfo_t* info, void* context) {
  // First of all: whatever happens below, this process ends.
  end_after(note_ns);
  fault seen;
  seen.signal = signal;
  // A positive code is the kernel's own; SI_KERNEL stands for "no address" (a non-canonical one on x86).
  if ((signal == SIGSEGV || signal == SIGBUS) && info->si_code > 0 && info->si_code != SI_KERNEL) {
    seen.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    seen.touched = seen.address < first_page           ? access::null
                   : overflowed(seen.address, context) ? access::overflow
                                                       : access::wild;
  }
  take_note(seen);
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(signal, &usual, nullptr);
  ::raise(signal);  // blocked in here: ends the process when the handler returns
}

// SIG_DFL and SIG_IGN are no handlers with SA_SIGINFO either.
bool is(const struct sigaction& action, void (*what)(int)) noexcept { return action.sa_handler == what; }

void catch_for_good(int signal) noexcept {
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  // A second fault, inside the handler, ends the process at once.
  for (const int each : crashes) ::sigaddset(&action.sa_mask, each);
  ::sigaction(signal, &action, nullptr);
}

// Stands in for a handler of the program's, which may live on faults (memory that is filled when it is touched, safepoints). One
// that gives up puts the signal back to its default and returns: then the instruction faults once more, into our own handler. May
// be left by an exception or by siglongjmp, as any other.
void on_signal_of_the_program(int signal, siginfo_t* info, void* context) {
  const auto* const at = std::find(crashes.begin(), crashes.end(), signal);
  const struct sigaction& theirs = before_us[static_cast<std::size_t>(at - crashes.begin())];
  if ((theirs.sa_flags & SA_SIGINFO) != 0) {
    theirs.sa_sigaction(signal, info, context);
  } else {
    theirs.sa_handler(signal);
  }
  struct sigaction now{};
  if (::sigaction(signal, nullptr, &now) == 0 && is(now, SIG_DFL)) catch_for_good(signal);
}

// A stack that the program has set up for its handlers is kept, if ours can run there too.
void set_up_stack() noexcept {
  stack_t stack{};
  if (::sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE) == 0 && stack.ss_size >= least_stack) return;
  stack = {};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  ::sigaltstack(&stack, nullptr);
}

}  // namespace

void catch_faults(void (*note)(const fault&)) noexcept {
  take_note = note;
  stack_base = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  set_up_stack();
  for (std::size_t i = 0; i < crashes.size(); ++i) {
    struct sigaction before{};
    if (::sigaction(crashes[i], nullptr, &before) != 0 || is(before, SIG_IGN)) continue;
    if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == on_signal_of_the_program) continue;
    if (is(before, SIG_DFL) || ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == on_signal)) {
      catch_for_good(crashes[i]);
      continue;
    }
    before_us[i] = before;
    before.sa_sigaction = on_signal_of_the_program;
    before.sa_flags |= SA_SIGINFO;
    ::sigaction(crashes[i], &before, nullptr);
  }
}

}  // namespace forkful::detail
