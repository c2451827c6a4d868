// The limits that the system sets this process (`ulimit`). Owns nothing. A system call each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace forkful::detail {

enum class resource : std::uint8_t {
  processes,
  address_space,
  file_size,
  open_files,
  locked_memory,
  core,
  private_data,
  stack
};

// The soft limit, in bytes, or a number of processes (of this user) and files; SIZE_MAX if there is none.
std::size_t limit_of(resource) noexcept;

// Whether this program is run by valgrind, which preloads a library of its own. A look at the environment.
bool under_valgrind() noexcept;

}  // namespace forkful::detail
