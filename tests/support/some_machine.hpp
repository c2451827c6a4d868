// A machine whose every figure is one that a machine can have, for tests of what is stored about one.
#pragma once

#include "advice/machine.hpp"
#include "os/cpu.hpp"

namespace forkful_tests {

inline forkful::detail::machine some_machine() {
  forkful::detail::machine made;
  made.cpus = 4;
  made.threads = {.call = 5e-7, .wake = 2e-5, .hand_out = 0, .claim = 1e-7};
  made.processes = {.call = 1.5e-6, .wake = 4e-5, .hand_out = 3e-7, .claim = 2e-7};
  made.crowded_wake = 9e-5;
  made.fork_start = 3e-4;
  made.fork_per_byte = 1.6e-11;
  made.template_start = 4e-4;
  made.page_fault = 5e-7;
  made.copy_on_write = 1e-6;
  made.copy_rate = 1.1e10;
  made.copy_rate_all = 2e10;
  made.fresh_copy_rate = 2e9;
  made.spread = 0.05;
  made.taken = 1.7e9;
  made.disturbance = 0.02;
  return made;
}

// As if it were this machine, measured by a process that is small enough however large this one is.
inline forkful::detail::machine some_machine_here() {
  forkful::detail::machine made = some_machine();
  made.cpus = forkful::detail::usable_cpus();
  made.fork_per_byte = 1e-14;
  return made;
}

}  // namespace forkful_tests
