#include "os/limits.hpp"

#include <sys/resource.h>

#include <array>

namespace forkful::detail {

std::size_t limit_of(resource which) noexcept {
  // In the order of `resource`.
  static constexpr std::array kinds{RLIMIT_NPROC,   RLIMIT_AS,   RLIMIT_FSIZE, RLIMIT_NOFILE,
                                    RLIMIT_MEMLOCK, RLIMIT_CORE, RLIMIT_DATA};
  rlimit now{};
  if (::getrlimit(kinds[static_cast<std::size_t>(which)], &now) != 0 || now.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return now.rlim_cur;
}

}  // namespace forkful::detail
