// What was measured of a machine, as JSON: for the file that stores it, and for programs. Owns nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "advice/machine_figures.hpp"
#include "advice/machine_history.hpp"

namespace forkful::detail {

// What a measurement holds for.
struct machine_key {
  std::string boot;   // the kernel's name for the time since it booted
  unsigned cpus = 1;  // that this process may use
  std::string
      build;  // which forkful measured: version, and whether it was slowed down by sanitizers or for want of optimising
};

// One object, the fields of docs/machine.md.
[[gnu::visibility("default")]] std::string as_text(const machine&);
// What the file holds: the key, every measurement, and what real calls showed.
std::string as_text(const machine_history&, const machine_key&);

// Whether every figure is one that a machine can have: finite, and of a size that is not absurd.
bool plausible(const machine&);

// Whether it is good for other processes too: plausible, and measured by a process that is not so large (in bytes of private memory)
// that the cost of an empty process is a small difference of large figures.
bool worth_keeping(const machine&, std::size_t private_bytes);

// The machine that as_text() wrote; or that stands as "machine" in a larger object. Empty if the text is damaged, or not plausible.
[[gnu::visibility("default")]] std::optional<machine> machine_from(std::string_view text);
// What as_text() wrote for the same key, at least one measurement. Empty if it is for another key, of another form, damaged, or one
// of them is not plausible.
std::optional<machine_history> history_from(std::string_view text, const machine_key&);

}  // namespace forkful::detail
