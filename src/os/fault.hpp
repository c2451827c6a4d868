// The signals by which code crashes, caught to take a note before the process dies of them all the same.
//
// Owns the handlers and the stack they run on, so that a stack overflow can be noted too. A handler that the program had before is
// called in place of ours, which follows when the program's gives up (puts the signal back to its default and returns). The process
// still ends by the signal that was caught.
#pragma once

#include <cstdint>

namespace forkful::detail {

// What a SIGSEGV or SIGBUS was about, where that is known.
enum class access : std::uint32_t {
  unknown,   // no such signal, or the kernel does not say
  null,      // the first page: through a null pointer
  wild,      // memory that is not there or not to be touched that way
  overflow,  // below the stack of the thread that called catch_faults
};

struct fault {
  int signal = 0;
  access touched = access::unknown;
  std::uintptr_t address = 0;  // what was touched, if that is known
};

// From now on `note` is called, in a signal handler, before this process dies. It has 100 ms; then SIGKILL ends what is left.
void catch_faults(void (*note)(const fault&)) noexcept;

}  // namespace forkful::detail
