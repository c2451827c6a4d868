// The door to the kernel's memory: shared mappings, giving pages back, and how much of it there may be.
//
// Owns nothing but the mapping handle. The only file that calls mmap, memfd_create, ftruncate, fallocate and madvise
// for shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace forkful::detail {

// A sparse, nameless mapping that forked children share. The caller unmaps it, or keeps it for good.
struct shared_mapping {
  std::byte* base = nullptr;  // nullptr: refused, see `error`
  std::size_t size = 0;
  int fd = -1;               // open (close-on-exec) only if asked for
  int error = 0;             // errno of the refusal
  const char* refused = "";  // the call that was refused
};

// Maps `size` bytes, zero until touched, aligned to `align` (a power of two and multiple of the page), left out of core
// dumps. `keep_fd` keeps the file open, for commit_pages.
shared_mapping map_shared(std::size_t size, std::size_t align, bool keep_fd) noexcept;
void unmap_shared(void* base, std::size_t size, int fd) noexcept;

// Makes the pages under file offsets offset .. offset + bytes exist now, so that touching them later cannot fail.
// Returns 0 or errno.
int commit_pages(int fd, std::size_t offset, std::size_t bytes) noexcept;
// Gives the pages of a shared mapping back to the kernel; they read zero afterwards. Returns 0 or errno.
int remove_pages(void* data, std::size_t bytes) noexcept;

// One private page that forked children see zeroed, or nullptr if the kernel cannot do that.
void* map_wipe_on_fork_page() noexcept;

// Limits of this process, in bytes; SIZE_MAX if there is none.
std::size_t file_size_limit() noexcept;      // RLIMIT_FSIZE
std::size_t address_space_limit() noexcept;  // RLIMIT_AS

// Bytes the machine has.
std::size_t physical_memory() noexcept;
// Whether touching memory may fail although address space is there (vm.overcommit_memory is 2).
bool overcommit_is_strict(const std::string& proc = "/proc");
// Bytes that may be taken before a control group's limit is reached; SIZE_MAX where there is none. Past it the kernel kills
// a process of the group, whatever call asked for the memory. `proc` and `cgroups` are mount points, which a test replaces.
std::size_t memory_left_in_groups(const std::string& proc = "/proc", const std::string& cgroups = "/sys/fs/cgroup");

}  // namespace forkful::detail
