// From what is known of some work to advice: every way simulated, the verdict, and what it hangs on.
//
// Owns nothing. Deterministic: the same workload on the same machine gets the same advice.
#pragma once

#include <array>
#include <forkful/advice.hpp>
#include <string>

#include "advice/machine.hpp"
#include "advice/simulate.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

// Where and how the work would be done.
struct situation {
  unsigned workers = 0;                  // at most; 0: as many as CPUs to use
  bool cold = false;                     // thread and process pools would be started for this call
  bool from_template = false;            // cold: forkful::init was called
  double private_memory = 0;             // of the caller, bytes
  double spread = 0.05;                  // how far a slice's measured time may be off, as a share of it
  std::array<std::string, 4> why_not{};  // by way; a sentence: it cannot go that way. Empty: it can
  std::string parallel_by{};             // the library that makes the callable parallel already, if one was recognised
};

[[gnu::visibility("default")]] advice judge(const workload&, const situation&, const machine&);

}  // namespace forkful::detail
