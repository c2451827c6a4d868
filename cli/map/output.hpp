// What one job has printed and nobody has written yet, and how it ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "map/job_queue.hpp"

namespace mapping {

/// Descriptors, as jobs have them.
enum class stream : unsigned char { out = 1, err = 2 };

struct printed {
  stream to = stream::out;
  std::string bytes{};
};

struct job_result {
  enum class fate : unsigned char {
    ended,        ///< by itself
    timed_out,    ///< by --timeout
    not_started,  ///< `reason` says why
    stopped       ///< by forkful, which ends: it counts as not done
  };
  fate how = fate::ended;
  bool good = false;
  int exit_status = 0;  ///< 128 + signal if one ended it
  int signal = 0;
  std::string reason{};
  std::chrono::system_clock::time_point began{};
  std::chrono::nanoseconds ran{0};                         ///< the last attempt
  std::chrono::steady_clock::time_point taken{}, ended{};  ///< with all attempts
  std::chrono::nanoseconds starting{0};                    ///< of all attempts: until their commands ran
  std::chrono::nanoseconds cpu{0};                         ///< of all attempts, as wait(2) has it
  std::size_t attempts = 1;
};

/// Of the runner until it is handed in to `turn`, which has the lock of what is marked so.
struct job_output {
  job of{};
  std::string tag{};  ///< of each line; a tab is in it
  bool at_line_begin[3] = {true, true, true};
  std::string unfinished[3] = {};  ///< lines that have not ended (--line-buffer)
  std::deque<printed> held{};      ///< turn: not written yet
  std::size_t held_bytes = 0;      ///< turn
  bool may_flow = true;            ///< turn: false while it may be tried again
  bool finished = false;           ///< turn
  std::uint64_t delivered = 0;     ///< writer: bytes of standard output
  std::uint64_t sent = 0;          ///< bytes of its input
  job_result result{};
};

}  // namespace mapping
