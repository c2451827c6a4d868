// Placeholders, as GNU parallel has them: {} {.} {/} {//} {/.} {#} {%}, {2} {2.} {2/} {2//} {2/.} {-1} {name}.
//
// A word is read once into pieces, and filled in for each job. Plain values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mapping {

/// The items of one job: a unit a line (or a combination of several sources), a value a column.
using unit = std::vector<std::string>;

struct job_items {
  std::size_t number = 0;  ///< {#}
  unsigned slot = 0;       ///< {%}
  std::vector<unit> units{};
  [[nodiscard]] std::vector<std::string_view> values() const;  ///< of all units
};

enum class form : unsigned char { whole, no_extension, base, folder, base_no_extension, number, slot };

struct reference {
  form what = form::whole;
  int column = 0;  ///< {2}: 2, {-1}: -1; 0: {}, all of them
  [[nodiscard]] bool of_job() const { return what == form::number || what == form::slot; }
  bool operator==(const reference&) const = default;
};

struct piece {
  std::string text{};
  bool is_reference = false;
  reference to{};
};
using pieces = std::vector<piece>;

/// How placeholders are written here: `whole` instead of {}, and the names of columns.
struct spelling {
  std::string whole = "{}";
  std::vector<std::string> names{};
};

/// A placeholder at the begin of `text`; 0 if there is none, else its length.
std::size_t reference_at(std::string_view text, const spelling&, reference&);
pieces read_pieces(std::string_view word, const spelling&);
bool has_reference(const pieces&);

/// What a reference stands for: one value, or, of {} {.} {/} {//} {/.}, one for each value of the job. A column that is not there
/// is empty.
std::vector<std::string> values_of(const reference&, const job_items&);
/// The value as {.} {/} {//} {/.} have it.
std::string in_form(form, std::string_view value);

/// Appends the word or, if it holds {} and the job has several values, one for each. None of them: no word.
void fill_in(const pieces&, const job_items&, std::vector<std::string>& words);

}  // namespace mapping
