#include "os/aside.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace forkful::detail {

namespace {

constexpr unsigned last_of_all = ~0U;
constexpr unsigned likely_last = 4096;  // where the kernel cannot close a range

void close_from_to(unsigned first, unsigned last) noexcept {
  if (first > last || ::syscall(SYS_close_range, first, last, 0U) == 0) return;
  for (unsigned number = first; number <= last && number < likely_last; ++number) ::close(static_cast<int>(number));
}

}  // namespace

void detach(int keep, bool keep_stdout) noexcept {
  ::setsid();
  const auto kept = static_cast<unsigned>(keep);
  if (kept > 3) close_from_to(3, kept - 1);
  close_from_to(kept < 3 ? 3 : kept + 1, last_of_all);
  // The lowest free number is taken: each closed one is opened again at its place.
  for (int number = 0; number <= 2; ++number) {
    if (number == keep || (number == 1 && keep_stdout)) continue;
    ::close(number);
    static_cast<void>(::open("/dev/null", O_RDWR | O_CLOEXEC));
  }
}

}  // namespace forkful::detail
