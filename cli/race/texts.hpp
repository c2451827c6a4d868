// A race as people and programs read it.
#pragma once

#include <string>

#include "race/outcome.hpp"

namespace race {

/// The rows of a table, as text: what the table of a terminal, of Markdown and of the page have in common.
struct table {
  struct row {
    std::string way{};
    std::vector<std::string> figures{};  ///< one a column
    std::string why_not{};               ///< instead of figures
  };
  std::vector<std::string> columns{};  ///< of the figures
  std::vector<row> rows{};
};
table table_of(const outcome& race);

/// What was left out to end in time, one sentence; empty if nothing was.
std::string left_out_of(const outcome& race);

/// At most 80 columns wide, without its head line, which stood there before; the verdict comes last. Ends in a newline.
std::string as_text(const outcome& race);
/// A head line, a table, and the verdict.
std::string as_markdown(const outcome& race);
/// One object; times in nanoseconds, sizes in bytes (docs/race.md).
std::string as_json(const outcome& race);
/// One self-contained page: the table, bars, and the picture of one call of each way.
std::string as_page(const outcome& race);

}  // namespace race
