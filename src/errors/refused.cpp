#include "errors/refused.hpp"

#include <cerrno>
#include <cstring>
#include <forkful/errors.hpp>

#include "format/fmt.hpp"

namespace forkful::detail {

const char* way_out_of(int error) noexcept {
  switch (error) {
    case EMFILE:
      return "raise `ulimit -n` or use fewer workers: a pool needs 3 descriptors and 2 more a worker";
    case ENFILE:
      return "the whole machine is out of file descriptors: raise fs.file-max";
    case EAGAIN:
      return "raise `ulimit -u` (or the cgroup's pids.max) or use fewer workers";
    case ENOMEM:
      return "free memory, raise the memory limit or use fewer workers";
    case ENOSYS:
    case EPERM:
      return "Linux 5.10 or later is needed, and a seccomp filter that allows this call";
    default:
      return "see `ulimit -a` and the machine's limits";
  }
}

std::string message_of(const refused_call& refused) {
  return fmt::format("{} failed: {}; {}", refused.call(), std::strerror(refused.error()), way_out_of(refused.error()));
}

void throw_start_failed(const refused_call& refused) {
  throw start_failed("the pool could not start: " + message_of(refused));
}

}  // namespace forkful::detail
