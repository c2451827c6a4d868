#include "os/limits.hpp"

#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace forkful::detail {

std::size_t limit_of(resource which) noexcept {
  // In the order of `resource`.
  static constexpr std::array kinds{RLIMIT_NPROC,   RLIMIT_AS,   RLIMIT_FSIZE, RLIMIT_NOFILE,
                                    RLIMIT_MEMLOCK, RLIMIT_CORE, RLIMIT_DATA,  RLIMIT_STACK};
  rlimit now{};
  if (::getrlimit(kinds[static_cast<std::size_t>(which)], &now) != 0 || now.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return now.rlim_cur;
}

bool under_valgrind() noexcept {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr && std::strstr(preloaded, "vgpreload") != nullptr;
}

}  // namespace forkful::detail
