// What races: one piece of work, made of the words of the command line, that can be done every way.
//
// A work is a small file in works/; works.cpp lists them. Making one reads or draws its slices; nothing of that is measured.
#pragma once

#include <chrono>
#include <cstddef>
#include <forkful/advice.hpp>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "race/crew.hpp"
#include "race/way.hpp"

namespace race {

/// What was said about the slices; what was not said the work chooses.
struct work_options {
  std::optional<std::size_t> slices{};
  std::optional<std::chrono::nanoseconds> time{};  ///< of one slice, in the loop
  std::optional<std::size_t> bytes{};              ///< of one slice
  std::string skew{};                              ///< a name of shapes()
  std::string in{};                                ///< a file to read
  std::string out{};                               ///< a file to write the results to
  std::vector<std::string> files{};
};

class work {
 public:
  work() noexcept = default;
  work(const work&) = delete;
  work& operator=(const work&) = delete;
  virtual ~work() = default;

  /// What the slices are: "20000 slices of 13 B".
  [[nodiscard]] virtual std::string slices() const = 0;
  /// Empty: the work can go that way. Else why not, one sentence without its full stop.
  [[nodiscard]] virtual std::string why_not(way which) const = 0;
  /// Does it once. Only the call that runs is timed; what lies before it (a table that is laid) and behind it (results turned into
  /// bytes) is not.
  [[nodiscard]] virtual finish run(crew& here, way which) const = 0;
  /// What every way must give: by default what the loop does.
  [[nodiscard]] virtual results expected(crew& here) const { return run(here, way::serial).output; }
  /// The result, in lines of at most 80 columns: an estimate of pi, which slice crashed. May be empty.
  [[nodiscard]] virtual std::string remark(const results& /*run*/) const { return {}; }
  /// Writes work_options::out. Throws std::system_error.
  virtual void keep(const results& /*run*/) const {}
  /// How long it takes until nothing of the last call uses a CPU: workers that look for more work sleep within a millisecond.
  [[nodiscard]] virtual std::chrono::milliseconds rest() const { return std::chrono::milliseconds(1); }
  /// False: some of the input could not be read, which was reported.
  [[nodiscard]] virtual bool whole() const { return true; }
  /// What forkful::advise says about it, without a race, of slices in ordinary memory or in shared memory. Nothing if it cannot try.
  [[nodiscard]] virtual std::optional<forkful::advice> advised(bool /*in_shared_memory*/) const { return std::nullopt; }
};

/// A line of `forkful race --list`, and how the work is made.
struct entry {
  std::string_view name;
  std::string_view about;
  std::string_view takes;  ///< the options it listens to, "--slices --time"; "files" if it reads files
  /// Throws std::invalid_argument for options that make no sense, std::runtime_error if what it needs cannot be had.
  std::unique_ptr<work> (*make)(const work_options&);
};

std::span<const entry> works();

inline constexpr std::string_view in_place_of_nothing = "slices are only numbers: nothing to change in place";

}  // namespace race
