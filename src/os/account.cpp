#include "os/account.hpp"

#include <sys/resource.h>

namespace forkful::detail {

account read_account() noexcept {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return {};
  return {static_cast<std::uint64_t>(used.ru_minflt) + static_cast<std::uint64_t>(used.ru_majflt),
          static_cast<std::uint64_t>(used.ru_maxrss) * 1024};
}

}  // namespace forkful::detail
