// How a race went: what every table, page and JSON object is made from, and the verdict.
#pragma once

#include <chrono>
#include <cstddef>
#include <forkful/advice.hpp>
#include <forkful/report.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "race/statistics.hpp"
#include "race/way.hpp"

namespace race {

/// One way.
struct lane {
  way which = way::serial;
  std::string why_not{};                          ///< why it did not run; else empty, and then:
  std::vector<std::chrono::nanoseconds> times{};  ///< one a round
  spread took{};
  std::string difference{};    ///< from what was expected; empty: the same, bit for bit, in every round
  forkful::report happened{};  ///< of one call more, by workers that were just started, with its timeline
  bool drawn = false;          ///< there is such a call
  std::optional<std::chrono::nanoseconds> predicted{};
  std::vector<double> busy_cores{};  ///< a round each: of this process, while it ran; the loop's alone mean something

  [[nodiscard]] bool ran() const { return !times.empty(); }
};

struct outcome {
  std::string work{};
  std::string about{};
  std::string slices{};
  unsigned workers = 1;
  std::size_t rounds = 0;
  std::vector<lane> lanes{};
  std::string remark{};
  std::string noise{};                  ///< why figures may be off, one sentence; empty if the machine was quiet
  std::vector<std::string> left_out{};  ///< to end within the time that was given, in a few words each
  bool advised_parallel = false;        ///< the advisor found it parallel already
  std::string parallel_by{};            ///< then: by which library, if that is known

  /// The lane of the loop if it ran, else null.
  [[nodiscard]] const lane* loop() const;
  /// Ran lanes, fastest first.
  [[nodiscard]] std::vector<const lane*> ranking() const;
  [[nodiscard]] bool all_same() const;
  /// How many cores the loop kept busy, the median of all rounds; 1 if it did not run, or not for long enough to tell.
  [[nodiscard]] double cores_of_loop() const;
  /// It is parallel already: the loop kept clearly more than one core busy, or would have, says the advisor, but for other programs.
  [[nodiscard]] bool parallel_already() const { return advised_parallel || cores_of_loop() > several_cores; }
  static constexpr double several_cores = 1.2;
};

/// How to read the table: two lines, without the last full stop.
std::string how_measured(const outcome& race);

/// How many times as fast as the loop; nothing without a loop.
std::optional<double> speed_up(const outcome& race, const lane& each);

/// Which way won.
struct verdict {
  std::string sentence{};              ///< which way won, by how much, or that it is too close to say
  std::vector<std::string> winners{};  ///< more than one if it is too close
  [[nodiscard]] bool too_close() const { return winners.size() > 1; }
};
verdict verdict_of(const outcome& race);

}  // namespace race
