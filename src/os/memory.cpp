#include "os/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "os/cancellation.hpp"
#include "os/limits.hpp"
#include "os/small_file.hpp"

namespace forkful::detail {

namespace {

// The number a text begins with; `missing` if there is none ("max" is none).
std::uint64_t leading_number(std::string_view text, std::uint64_t missing) {
  std::uint64_t number = missing;
  return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{} ? number : missing;
}

std::uint64_t number_in(const std::string& path, std::uint64_t missing) {
  return leading_number(read_small_file(path), missing);
}

// What the two versions of control groups call the same things.
struct group_files {
  const char* limit;
  const char* used;
  const char* droppable[2];  // lines of memory.stat: file cache, counted as used but dropped before anything fails
};
constexpr group_files version_2{"memory.max", "memory.current", {"\ninactive_file ", "\nactive_file "}};
constexpr group_files version_1{
    "memory.limit_in_bytes", "memory.usage_in_bytes", {"\ntotal_inactive_file ", "\ntotal_active_file "}};

// What `group` and those above it leave to take. Inside a container the path in /proc may lie outside the mount; then the
// walk up ends at the mount's root, which is the container's own group.
std::uint64_t left_in_group(const std::string& root, std::string group, const group_files& files) {
  std::uint64_t left = SIZE_MAX;
  for (;;) {
    const std::string folder = root + group + "/";
    constexpr std::uint64_t no_limit = std::uint64_t{1} << 62;  // version 1 writes "none" as the largest page multiple
    if (const std::uint64_t most = number_in(folder + files.limit, no_limit); most < no_limit) {
      std::uint64_t used = number_in(folder + files.used, 0);
      const std::string statistics = "\n" + read_small_file(folder + "memory.stat");
      for (const std::string_view name : files.droppable) {
        const auto line = statistics.find(name);
        if (line != std::string::npos) used -= std::min(used, leading_number(statistics.substr(line + name.size()), 0));
      }
      left = std::min(left, most - std::min(most, used));
    }
    const auto parent = group.rfind('/');
    if (parent == std::string::npos) return left;
    group.resize(parent);
  }
}

// Opens the file anew through a link in /proc. True if it is that file.
bool reopened(shared_file& file, const char* link) noexcept {
  fd opened = fd::moved_high(open(link, O_RDWR | O_CLOEXEC));
  if (!opened.valid() || !file.identity.behind(opened.number())) return false;
  file.number = opened.release();
  return true;
}

// False if this process has lost the file for good.
bool usable(shared_file& file) noexcept {
  if (file.identity.behind(file.number)) return true;
  std::array<char, 64> link{};
  std::snprintf(link.data(), link.size(), "/proc/%d/fd/%d", static_cast<int>(file.maker), file.makers_number);
  return reopened(file, link.data());
}

constexpr std::size_t page_bytes = 4096;

// fallocate, again after a signal. Past the file size limit it would raise SIGXFSZ, which ends a program: asked first.
int allocate_pages(shared_file& file, std::size_t offset, std::size_t bytes) noexcept {
  const cancellation_deferred whole;
  if (!usable(file)) return EBADF;
  if (offset + bytes > file_size_limit()) return EFBIG;
  while (fallocate(file.number, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

}  // namespace

shared_mapping map_growing(std::size_t size, std::size_t align, std::size_t length) noexcept {
  shared_mapping made;
  shared_file& file = made.file;
  const auto refuse = [&](const char* call) {
    made.error = errno;
    made.refused = call;
    if (file.number >= 0) close(file.number);
    file.number = -1;
    return made;
  };

  file.number = fd::moved_high(memfd_create("forkful", MFD_CLOEXEC)).release();
  if (file.number < 0) return refuse("memfd_create");
  file.identity = file_identity::of(file.number);
  file.maker = getpid();
  file.makers_number = file.number;

  // mmap aligns to pages only: reserve more, put the file at an aligned place in it, return the ends.
  const std::size_t reserved = size + align;
  void* room = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return refuse("mmap");
  auto* const begin = static_cast<std::byte*>(room);
  const std::size_t before = (align - reinterpret_cast<std::uintptr_t>(begin) % align) % align;
  std::byte* const base = begin + before;
  if (mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file.number, 0) == MAP_FAILED) {
    refuse("mmap");
    munmap(room, reserved);
    return made;
  }
  // Only now: where future mappings are locked (MCL_FUTURE), what there is of the file would become resident with the mapping.
  made.length = length;
  bool sized = ftruncate(file.number, static_cast<off_t>(length)) == 0;
  if (sized && length < size && allocate_pages(file, length - page_bytes, page_bytes) != 0) {
    made.length = size;
    sized = ftruncate(file.number, static_cast<off_t>(size)) == 0;
  }
  if (!sized) {
    refuse("ftruncate");
    munmap(room, reserved);
    return made;
  }
  if (before != 0) munmap(room, before);
  if (before != align) munmap(base + size, align - before);
  madvise(base, size, MADV_DONTDUMP);  // refused: core dumps are larger, nothing else

  made.base = base;
  made.size = size;
  return made;
}

shared_mapping map_shared(std::size_t size, std::size_t align) noexcept {
  shared_mapping made = map_growing(size, align, size);
  if (made.file.number >= 0) close(made.file.number);
  made.file = {};
  return made;
}

void unmap_shared(void* base, std::size_t size, const shared_file& file) noexcept {
  munmap(base, size);
  if (file.number >= 0 && file.identity.behind(file.number)) close(file.number);
}

// Not ftruncate: of two processes the one with the lower length might come last, and cut off what the other uses.
int grow_file(shared_file& file, std::size_t length) noexcept {
  return allocate_pages(file, length - page_bytes, page_bytes);
}

int commit_pages(shared_file& file, std::size_t offset, std::size_t bytes) noexcept {
  return allocate_pages(file, offset, bytes);
}

int remove_pages(shared_file& file, std::size_t offset, void* data, std::size_t bytes) noexcept {
  if (madvise(data, bytes, MADV_REMOVE) == 0) return 0;
  const cancellation_deferred whole;
  // Locked memory (mlockall) is refused there, and here only where the file is sealed or lost.
  if (!usable(file)) return EBADF;
  return fallocate(file.number, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                   static_cast<off_t>(bytes)) == 0
             ? 0
             : errno;
}

std::byte* map_private(shared_file& file, std::size_t offset, std::size_t bytes) noexcept {
  const cancellation_deferred whole;
  if (!usable(file)) return nullptr;
  void* const view = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.number, static_cast<off_t>(offset));
  return view == MAP_FAILED ? nullptr : static_cast<std::byte*>(view);
}

void own_pages(void* data, std::size_t bytes) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const auto first = address / page_bytes * page_bytes;
  auto* const begin = reinterpret_cast<std::byte*>(first);
  const std::size_t length = (address + bytes - first + page_bytes - 1) / page_bytes * page_bytes;
#ifdef MADV_POPULATE_WRITE
  if (madvise(begin, length, MADV_POPULATE_WRITE) == 0) return;
#endif
  // Before Linux 5.14. Other threads may write there meanwhile: what stands there is exchanged for itself.
  for (std::size_t at = 0; at != length; at += page_bytes) {
    std::atomic_ref<std::byte> one(begin[at]);
    std::byte there = one.load(std::memory_order_relaxed);
    while (!one.compare_exchange_weak(there, there, std::memory_order_relaxed)) {
    }
  }
}

void* map_wipe_on_fork_page() noexcept {
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* page = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (madvise(page, bytes, MADV_WIPEONFORK) == 0) return page;
  munmap(page, bytes);
  return nullptr;
}

std::size_t physical_memory() noexcept {
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

bool may_map(std::size_t bytes) noexcept {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  munmap(memory, bytes);
  return true;
}

std::size_t file_size_limit() noexcept { return limit_of(resource::file_size); }
std::size_t address_space_limit() noexcept { return limit_of(resource::address_space); }

bool overcommit_is_strict(const std::string& proc) { return number_in(proc + "/sys/vm/overcommit_memory", 0) == 2; }

std::size_t memory_left_in_groups(const std::string& proc, const std::string& cgroups) {
  std::size_t left = SIZE_MAX;
  const std::string groups = read_small_file(proc + "/self/cgroup");  // one line a hierarchy: id:controllers:path
  for (std::size_t begin = 0, end = 0; (end = groups.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = groups.substr(begin, end - begin);
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      left = std::min(left, left_in_group(cgroups, group, version_2));
      left = std::min(left, left_in_group(cgroups + "/unified", group, version_2));
    } else if (controllers.find(",memory,") != std::string::npos) {
      left = std::min(left, left_in_group(cgroups + "/memory", group, version_1));
    }
  }
  return left;
}

}  // namespace forkful::detail
