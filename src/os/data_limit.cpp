#include "os/data_limit.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "os/fd.hpp"
#include "os/limits.hpp"

namespace forkful::detail {

namespace {

// A size in /proc/self/status, in bytes; 0 if it is not there. Without allocating: workers ask, too.
std::size_t status_bytes(const char* line) noexcept {
  const fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return 0;
  std::array<char, 4096> text{};  // zero at the end, whatever is read
  const ssize_t length = ::read(file.number(), text.data(), text.size() - 1);
  if (length <= 0) return 0;
  const char* const found = std::strstr(text.data(), line);
  return found == nullptr ? 0 : std::strtoull(found + std::strlen(line), nullptr, 10) * 1024;
}

}  // namespace

std::size_t private_data() noexcept { return status_bytes("\nVmData:"); }
std::size_t touched_private_memory() noexcept { return status_bytes("\nRssAnon:"); }

std::size_t data_limit() noexcept { return limit_of(resource::private_data); }

bool limit_data(std::size_t bytes) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return false;
  limit.rlim_cur = bytes == SIZE_MAX ? limit.rlim_max : std::min<rlim_t>(bytes, limit.rlim_max);
  return ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

}  // namespace forkful::detail
