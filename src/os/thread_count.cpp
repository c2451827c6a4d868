#include "os/thread_count.hpp"

#include <sys/single_threaded.h>
#include <sys/stat.h>

namespace forkful::detail {

unsigned thread_count() noexcept {
  struct stat tasks{};
  // A directory has a link from its parent, one from itself and one from each directory in it.
  if (::stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2) return static_cast<unsigned>(tasks.st_nlink - 2);
  return __libc_single_threaded != 0 ? 1 : 0;
}

}  // namespace forkful::detail
