#include "os/fd.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace forkful::detail {

namespace {

constexpr int first_ordinary = 3;

// The last quarter of the numbers that every program may have. Higher ones would make each process's table of descriptors larger.
int first_high() noexcept {
  constexpr rlim_t usual_limit = 1024;
  rlimit numbers{};
  const rlim_t limit =
      ::getrlimit(RLIMIT_NOFILE, &numbers) == 0 ? std::min(numbers.rlim_cur, usual_limit) : usual_limit;
  return std::max(static_cast<int>(limit - limit / 4), first_ordinary);
}

}  // namespace

file_identity file_identity::of(int number) noexcept {
  struct stat about{};
  if (number < 0 || ::fstat(number, &about) != 0) return {};
  return {about.st_dev, about.st_ino};
}

bool file_identity::behind(int number) const noexcept {
  if (device == 0 && inode == 0) return true;
  struct stat about{};
  if (::fstat(number, &about) != 0) return errno != EBADF;
  return about.st_dev == device && about.st_ino == inode;
}

fd fd::moved_high(int number) noexcept {
  if (number < 0) return fd();
  int moved = ::fcntl(number, F_DUPFD_CLOEXEC, first_high());
  if (moved < 0 && number < first_ordinary) moved = ::fcntl(number, F_DUPFD_CLOEXEC, first_ordinary);
  if (moved < 0 && number >= first_ordinary) return fd(number);  // where numbers are few
  const int error = errno;
  ::close(number);
  errno = error;
  return fd(moved);
}

}  // namespace forkful::detail
