// gethostname(2).
#include "os/host.hpp"

#include <unistd.h>
#include <climits>

namespace forkful::detail {

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

}  // namespace forkful::detail
