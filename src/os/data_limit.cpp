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

namespace forkful::detail {

std::size_t private_data() noexcept {
  const fd file(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return 0;
  std::array<char, 4096> text{};  // zero at the end, whatever is read
  const ssize_t length = ::read(file.number(), text.data(), text.size() - 1);
  if (length <= 0) return 0;
  constexpr const char* name = "\nVmData:";
  const char* const found = std::strstr(text.data(), name);
  return found == nullptr ? 0 : std::strtoull(found + std::strlen(name), nullptr, 10) * 1024;
}

std::size_t data_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  return limit.rlim_cur;
}

bool limit_data(std::size_t bytes) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_DATA, &limit) != 0) return false;
  limit.rlim_cur = bytes == SIZE_MAX ? limit.rlim_max : std::min<rlim_t>(bytes, limit.rlim_max);
  return ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

}  // namespace forkful::detail
