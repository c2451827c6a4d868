// The door to the kernel's memory: shared mappings, giving pages back, and how much of it there may be.
//
// Owns nothing but the mapping handle. The only file that calls mmap, memfd_create, ftruncate, fallocate and madvise
// for shared memory.
//
// The file behind a mapping is as long as what is in use, and grows: code that does something to all of a process's memory
// (mlockall, a search for leaks) finds pages only there, and not a page for each of the mapping's addresses.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "os/fd.hpp"

namespace forkful::detail {

// A nameless file that forked children inherit open. Its number may be closed by user code, or lead to another file by
// now. So it is checked before it is used, and opened anew through the process that made it if need be.
struct shared_file {
  int number = -1;  // closed on exec
  file_identity identity;
  pid_t maker = 0;
  int makers_number = -1;
};

// A sparse, nameless mapping that forked children share. The caller unmaps it, or never does.
struct shared_mapping {
  std::byte* base = nullptr;  // nullptr: refused, see `error`
  std::size_t size = 0;
  std::size_t length = 0;  // of the file: addresses from here on do not exist yet, touching them is SIGBUS
  shared_file file;
  int error = 0;             // errno of the refusal
  const char* refused = "";  // the call that was refused
};

// Maps `size` bytes, zero until touched, aligned to `align` (a power of two and multiple of the page), left out of core
// dumps. The first `length` of them exist; all, where the system lets no file grow in the way that grow_file needs.
shared_mapping map_growing(std::size_t size, std::size_t align, std::size_t length) noexcept;
// The same, but all of it exists from the beginning, and no descriptor stays open.
shared_mapping map_shared(std::size_t size, std::size_t align) noexcept;
void unmap_shared(void* base, std::size_t size, const shared_file& file = {}) noexcept;

// Makes the file at least `length` bytes long, at the cost of one page and a microsecond; never shortens it, even if
// another process does the same at this moment. Returns 0 or errno: EBADF if the descriptor was closed, EFBIG past the
// file size limit.
int grow_file(shared_file&, std::size_t length) noexcept;
// Makes the pages under file offsets offset .. offset + bytes exist now, so that touching them later cannot fail.
// Returns as grow_file does.
int commit_pages(shared_file&, std::size_t offset, std::size_t bytes) noexcept;
// Gives the pages under those offsets, which lie at `data`, back to the kernel; they read zero afterwards. Returns 0 or errno.
int remove_pages(shared_file&, std::size_t offset, void* data, std::size_t bytes) noexcept;

// A private, writable view of the file's pages at offset .. offset + bytes, which are whole pages: what is written there no other process
// sees, and what is not written yet reads as the file does. nullptr: refused. Goes by unmap_shared().
std::byte* map_private(shared_file&, std::size_t offset, std::size_t bytes) noexcept;
// Makes the pages that such bytes lie in this process's own, as if each had been written to.
void own_pages(void* data, std::size_t bytes) noexcept;

// One private page that forked children see zeroed, or nullptr if the kernel cannot do that.
void* map_wipe_on_fork_page() noexcept;

// Whether this process may map that many bytes more just now, asked by doing it. Cost: two system calls.
bool may_map(std::size_t bytes) noexcept;

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
