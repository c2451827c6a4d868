// One figure of a benchmark: what each contestant took, what the goal is, and whether it is reached.
//
// Plain values. They are printed (as text), saved (as JSON, one line a program), and drawn (by page.cpp).
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forkful_bench {

/// What is left of many measurements. A percentile is the value that so many per cent do not exceed.
struct spread {
  std::size_t count = 0;
  double low = 0;  ///< 10th percentile
  double median = 0;
  double high = 0;  ///< 90th percentile
  double p99 = 0;
  double p999 = 0;
};
spread spread_of(std::vector<double> values);

struct lane {
  std::string name;
  bool ours = false;
  spread values{};
  std::string absent{};  ///< why it did not run; empty if it did
  [[nodiscard]] bool ran() const { return absent.empty() && values.count != 0; }
};

struct row;

/// `value` works out the number that is held against `limit`; nothing if a peer it needs is absent.
struct goal {
  std::string text;
  double limit = 0;
  std::function<std::optional<double>(const row&)> value{};
  bool at_least = false;
  std::string unit = "x";
};

/// A goal with its figures.
struct verdict {
  std::string text;
  std::string unit;
  double limit = 0;
  std::optional<double> value{};
  bool reached = false;
};

struct series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};
/// Drawn on paper that is logarithmic in both directions.
struct growth {
  std::string x;
  std::string x_unit;
  std::string y;
  std::string y_unit;
  std::vector<series> lines;
};

struct row {
  std::string id;          ///< "S1", as in the list of goals
  std::string title;       ///< what is measured
  std::string unit = "s";  ///< "s" and "B" are written readably, others as they are
  std::string per{};       ///< "slice", if the values are for one of many
  bool tails = false;      ///< print p99 and p99.9, too
  std::vector<lane> lanes{};
  std::vector<verdict> verdicts{};
  growth curves{};
  std::string note{};
  std::string quarrel{};  ///< which contestant computed another result than the others; empty if all agree
  /// The first that is ours and ran.
  [[nodiscard]] const lane* ours() const;
  [[nodiscard]] const lane* named(std::string_view name) const;
};

/// "the median is at most `limit`", in the row's unit.
goal at_most(double limit, std::string text, std::string unit = "s");
/// "ours takes at most `limit` times what `peer` takes."
goal at_most_times(std::string peer, double limit);
goal at_most_times_fastest_peer(double limit);
/// "ours is at least `limit` times as fast as `peer`."
goal times_faster_than(std::string peer, double limit);

verdict judge(const goal&, const row&);

/// "2.31 us", "8.0 MB", "1.07 x".
std::string quantity(double value, std::string_view unit);
std::string as_text(const row&);

}  // namespace forkful_bench
