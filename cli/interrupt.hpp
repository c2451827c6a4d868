// Ctrl-C: what is running gets a moment to end, then the program leaves and says how far it came. Twice: it leaves at once.
//
// Owns the SIGINT and SIGALRM handlers of the process. Workers need no message: forkful's workers ignore SIGINT, and
// end with their parent.
#pragma once

#include <forkful/options.hpp>
#include <string>

namespace cli {

inline constexpr int interrupted = 130;  // exit code, as shells have it: 128 + SIGINT

/// From now on Ctrl-C is answered. To be called once, before any pool is made.
void watch_for_interrupts();

/// What to say if Ctrl-C comes from now on, after "interrupted": how far the program came, and how to go on.
void say_when_interrupted(const std::string& how_far);

/// While one lives, Ctrl-C leaves at once: for what can be left anywhere, and is measured, so that nothing may look at the clock
/// meanwhile.
class leaving_at_once {
 public:
  leaving_at_once() noexcept;
  leaving_at_once(const leaving_at_once&) = delete;
  leaving_at_once& operator=(const leaving_at_once&) = delete;
  ~leaving_at_once();
};

/// For calls that may take long: once Ctrl-C was pressed no more chunks are published, and the program leaves within
/// 100 ms, saying how many slices ran.
forkful::call_options stoppable();

/// True once Ctrl-C was pressed: for places that have something to put away before they leave.
bool interrupt_came();

/// Leaves with what there is to say if Ctrl-C was pressed; for places between two steps.
void leave_if_interrupted();

}  // namespace cli
