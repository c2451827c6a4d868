// What counts as a hang. Far more than any test takes, on a slow machine with other tests beside it: a test fails
// because something never comes, not because it takes long. CTest itself waits a little longer (FORKFUL_TEST_TIMEOUT).
#pragma once

#include <unistd.h>

namespace forkful_tests {

constexpr unsigned hang_seconds = 150;

// A hang becomes a failure: SIGALRM ends the test program. Workers do not inherit it.
class watchdog {
 public:
  explicit watchdog(unsigned seconds = hang_seconds) { alarm(seconds); }
  ~watchdog() { alarm(0); }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
};

}  // namespace forkful_tests
