// How the speed-up would grow with workers and hosts: simulated, drawn in the terminal, as JSON, and as a page.
#pragma once

#include <forkful/advice.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "advice/judge.hpp"

namespace cli {

struct curve_point {
  unsigned hosts = 1;
  unsigned workers = 1;  ///< on each of them
  double seconds = 0;    ///< of a call
  double speed_up = 0;   ///< over the loop
};

/// Process pools of 1 to 4096 workers on each of 1 to 64 hosts, by powers of two; hosts first. Each worker and the caller have a core
/// of their own, memory that is as fast for each core as here, and a network between the hosts as `crew_plan` has it.
std::vector<curve_point> simulate_curve(const forkful::detail::workload&, const forkful::detail::situation&,
                                        const forkful::detail::machine&);

/// A picture with logarithmic axes, a table, and the assumptions. At most 80 columns, readable without colour.
std::string draw_curve(const std::vector<curve_point>&);
/// An array of objects.
std::string curve_json(const std::vector<curve_point>&);
/// A page of its own with the advice and the curve.
std::string curve_page(std::string_view title, const forkful::advice&, const std::vector<curve_point>&);

}  // namespace cli
