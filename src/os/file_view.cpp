#include "os/file_view.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "os/fd.hpp"

namespace forkful::detail {

file_view::file_view(const char* path) noexcept {
  const fd file(::open(path, O_RDONLY | O_CLOEXEC));
  struct stat about{};
  if (!file.valid() || ::fstat(file.number(), &about) != 0 || about.st_size <= 0) return;
  const auto size = static_cast<std::size_t>(about.st_size);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (mapped != MAP_FAILED) bytes_ = {static_cast<const std::byte*>(mapped), size};
}

file_view::~file_view() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace forkful::detail
