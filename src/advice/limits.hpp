// What limits forkful on this machine: facts that were read, and what each of them means for it, as sentences.
//
// Owns nothing. Reading and judging are apart: findings() sees nothing but what it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "advice/machine.hpp"

namespace forkful::detail {

// Sizes in bytes; SIZE_MAX where there is no limit.
struct limits {
  std::string kernel{};                      // "6.1.0-18-amd64"; empty: not known
  unsigned online_cpus = 1;                  // of the machine
  unsigned affinity_cpus = 1;                // in this process's mask
  double cpu_quota = 0;                      // CPUs' worth of time that the control group grants; 0: all
  double load = 0;                           // processes that ran or wanted to in the last minute, of all users
  std::size_t memory = 0;                    // of the machine; 0: not known
  std::size_t memory_free = 0;               // of that, to be had without swapping
  std::size_t group_memory_left = SIZE_MAX;  // before the control group's limit is reached
  std::size_t processes = SIZE_MAX;          // ulimit -u: processes and threads of this user
  std::size_t open_files = SIZE_MAX;         // ulimit -n
  std::size_t address_space = SIZE_MAX;      // ulimit -v
  std::size_t file_size = SIZE_MAX;          // ulimit -f
  std::size_t locked_memory = SIZE_MAX;      // ulimit -l
  std::size_t core = SIZE_MAX;               // ulimit -c
  bool strict_overcommit = false;            // vm.overcommit_memory is 2
  std::string huge_pages{};                  // "always", "madvise", "never"; empty: not known
  bool has_shm = true;                       // /dev/shm is there
  std::size_t shm = 0;                       // bytes of it
  bool virtual_machine = false;              // as far as the processor says
  int pidfd_error = 0;                       // errno with which pidfd_open is refused; 0: it works
  bool valgrind = false;
  bool sanitizer = false;  // this forkful is built with one
};

[[gnu::visibility("default")]] limits read_limits();

enum class weight : std::uint8_t {
  note,    // good to know; nothing to be done about it
  costs,   // takes time or memory that need not be
  blocks,  // pools cannot start, or fail before long
};

struct finding {
  weight how_much = weight::note;
  std::string what;   // the fact; one sentence
  std::string means;  // for forkful; one sentence
  std::string todo;   // one sentence, which begins with a verb
};

// The most important last. `measured` null: the machine could not be measured, and nothing is said about its costs.
[[gnu::visibility("default")]] std::vector<finding> findings(const limits&, const machine* measured);

// The one thing to do next, without capital and full stop.
[[gnu::visibility("default")]] std::string next_step(const std::vector<finding>&);

}  // namespace forkful::detail
