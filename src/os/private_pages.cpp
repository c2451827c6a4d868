#include "os/private_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "os/refused_call.hpp"

namespace forkful::detail {

private_pages::private_pages(std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw refused_call("mmap", errno);
  bytes_ = {static_cast<std::byte*>(mapped), bytes};
}

private_pages::~private_pages() { ::munmap(bytes_.data(), bytes_.size()); }

void private_pages::show_to_children(bool shown) noexcept {
  ::madvise(bytes_.data(), bytes_.size(), shown ? MADV_DOFORK : MADV_DONTFORK);
}

std::size_t page_size() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace forkful::detail
