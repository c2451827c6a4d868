// Cancelling a thread (pthread_cancel) that is inside forkful. Owns nothing.
#pragma once

#include <pthread.h>

namespace forkful::detail {

// For the length of a scope this thread is not cancelled: the unwinding that a cancellation is could not pass the places that must not
// throw, and would end the whole program. It comes into effect at the first cancellation point behind. Cost: a few nanoseconds.
class cancellation_deferred {
 public:
  cancellation_deferred() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  cancellation_deferred(const cancellation_deferred&) = delete;
  cancellation_deferred& operator=(const cancellation_deferred&) = delete;
  ~cancellation_deferred() { ::pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace forkful::detail
