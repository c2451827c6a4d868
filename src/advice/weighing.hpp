// Every way of doing some work, simulated, and the fastest of them: what judge() compares, and compares again with changed work.
//
// Owns nothing. Deterministic.
#pragma once

#include <array>
#include <string>

#include "advice/crew_plan.hpp"
#include "advice/machine_figures.hpp"
#include "advice/situation.hpp"
#include "advice/workload.hpp"

namespace forkful::detail {

struct weighed {
  way by = way::serial;
  unsigned workers = 1;
  bool possible = true;
  prediction what{};
  double low = 0;  // it lies between these two, given the noise of slices and machine
  double high = 0;
};

struct weighing {
  std::array<weighed, 4> ways{};  // by way; each with as many workers as are fastest
  [[nodiscard]] const weighed& loop() const noexcept { return ways[0]; }
  // The fastest parallel one that is possible; the loop, if none is.
  [[nodiscard]] const weighed& parallel() const noexcept;
  // Faster than the loop, by more than noise.
  [[nodiscard]] bool pays() const noexcept { return parallel().high < loop().low; }
  [[nodiscard]] bool does_not_pay() const noexcept { return loop().high < parallel().low || &parallel() == &loop(); }
};

weighing weigh(const workload&, const situation&, const machine&);

// The mean time of a slice from which on the fastest parallel way takes no longer than the loop, all else being equal. 0: there is
// none below an hour.
double break_even(const workload&, const situation&, const machine&);

// The largest part of `chosen` that is not work shared evenly, as a sentence.
std::string largest_cost(const weighed& chosen, const workload&, const situation&, const machine&);
// The one change that would turn the verdict, as a sentence.
std::string flip_of(const weighing& now, double break_even, const workload&, const situation&, const machine&);

unsigned workers_of(const situation&, const machine&) noexcept;
bool starts_workers(const weighed&, const situation&) noexcept;
// "process_pool of 2", "the loop".
std::string named(const weighed&);
// "process"
const char* name_of(way) noexcept;
std::string in_words(double seconds);

}  // namespace forkful::detail
