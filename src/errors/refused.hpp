// What the user reads when the system refuses a call: the one place where that becomes start_failed, with what to do about it.
#pragma once

#include <string>
#include <utility>

#include "os/refused_call.hpp"

namespace forkful::detail {

// The limit that is most likely behind a refusal, and what to do about it.
const char* way_out_of(int error) noexcept;

// "fork failed: Resource temporarily unavailable; raise `ulimit -u` ...".
std::string message_of(const refused_call&);

[[noreturn]] void throw_start_failed(const refused_call&);

// What `attempt` returns; throws start_failed if a call was refused in it.
template <class Attempt>
auto or_start_failed(Attempt attempt) {
  try {
    return attempt();
  } catch (const refused_call& refused) {
    throw_start_failed(refused);
  }
}

}  // namespace forkful::detail
