// Made-up work on a made-up machine, for tests of the simulation and the verdict.
#pragma once

#include "advice/machine.hpp"
#include "advice/workload.hpp"

namespace forkful_tests {

// Figures as a small computer has them.
inline forkful::detail::machine usual_machine(unsigned cpus = 2) {
  forkful::detail::machine made;
  made.cpus = cpus;
  made.threads = {.call = 1e-6, .wake = 20e-6, .hand_out = 0.1e-6, .claim = 0.05e-6};
  made.processes = {.call = 2e-6, .wake = 50e-6, .hand_out = 0.3e-6, .claim = 0.1e-6};
  made.fork_start = 300e-6;
  made.fork_per_byte = 13e-12;
  made.template_start = 200e-6;
  made.copy_rate = 10e9;
  made.copy_rate_all = 15e9;
  made.fresh_copy_rate = 1.5e9;
  made.spread = 0.03;
  return made;
}

inline forkful::detail::workload work_of(
    std::size_t slices, double mean, forkful::detail::lengths::shape form = forkful::detail::lengths::shape::equal) {
  forkful::detail::workload made;
  made.slices = slices;
  made.time = forkful::detail::lengths::shaped(slices, mean, form);
  return made;
}

}  // namespace forkful_tests
