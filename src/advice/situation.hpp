// Where and how some work would be done: what judge() gets besides the work and the machine.
//
// Owns nothing.
#pragma once

#include <array>
#include <string>

namespace forkful::detail {

struct situation {
  unsigned workers = 0;                  // at most; 0: as many as CPUs to use
  bool cold = false;                     // thread and process pools would be started for this call
  bool from_template = false;            // cold: forkful::init was called
  double private_memory = 0;             // of the caller, bytes
  double spread = 0.05;                  // how far a slice's measured time may be off, as a share of it
  std::array<std::string, 4> why_not{};  // by way; a sentence: that way is not possible. Empty: it is
  std::string parallel_by{};             // the library that makes the callable parallel already, if one was recognised
};

}  // namespace forkful::detail
