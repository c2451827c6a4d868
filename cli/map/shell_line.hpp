// A line for a shell with placeholders in it. What they stand for is never text of the line: each becomes a reference to a parameter,
// quoted for the place where it stands, and the value travels as an argument of the shell.
//
//   gzip -c {} > "{.} (1).gz"   ->   sh -c '_f1=$1 _f2=$2; shift 2; gzip -c "${_f1}" > "${_f2} (1).gz"' forkful VALUE VALUE
//
// Invariant: no byte of a value is ever part of a shell's program. Should the scan lose its way (the ")" of a case inside "$( )", a
// here-document), a value may be split into words or gain quotes, and no more.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "map/template.hpp"

namespace mapping {

class shell_line {
 public:
  /// Scans it once. `bash`: the shell knows $'...'.
  shell_line(std::string_view text, const spelling& how, bool bash);

  [[nodiscard]] bool has_reference() const { return has_reference_; }
  /// What is wrong with adding the items at its end, as a word about the end; empty: nothing.
  [[nodiscard]] std::string no_place_for_items() const;

  struct script {
    std::string text{};
    std::vector<std::string> parameters{};  ///< $1, $2, ...
  };
  /// For one job. Without placeholders its values are added at the end (`append`).
  [[nodiscard]] script for_job(const job_items& job, bool append) const;
  /// The same as one line that can be pasted, values in quotes. `typed`: {#} and {%} as they were typed.
  [[nodiscard]] std::string shown(const job_items& job, bool append, bool typed) const;

 private:
  enum class place : unsigned char { plain, in_double, in_single, in_dollar_single, arithmetic };
  struct part {
    std::string text{};
    bool is_reference = false;
    reference to{};
    place where = place::plain;
  };
  class scan;

  std::vector<part> parts_;
  std::string text_;
  bool has_reference_ = false;
};

}  // namespace mapping
