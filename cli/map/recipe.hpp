// What a job executes: a command with words, or a line for a shell. Which of them the command line means is decided here, once.
//
// The shape decides: several words are a command and its arguments; one word with a blank or a shell character, that is no program, is
// a line for a shell; TEXT of `sh -c TEXT` is one for that shell; an exported bash function is a command. What could be meant both
// ways is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "map/options.hpp"
#include "map/shell_line.hpp"
#include "map/template.hpp"

namespace mapping {

/// Thread-safe once made.
class recipe {
 public:
  /// `names`: of columns. Throws refusal: 2 for what is ambiguous, 126 and 127 for a command that cannot run.
  recipe(const options& how, std::vector<std::string> names);

  struct words_of_job {
    std::vector<std::string> words{};
    std::string path{};  ///< what is executed; empty: `error` says why there is none
    int error = 0;
  };
  [[nodiscard]] words_of_job for_job(const job_items& job) const;
  /// On one line that can be pasted. `typed`: {#} and {%} as typed, so that the same job has the same text in every run.
  [[nodiscard]] std::string shown(const job_items& job, bool typed) const;
  /// As people call it: the command without its items.
  [[nodiscard]] std::string name() const;

 private:
  void read_words(const options& how);
  void check_operators(const std::vector<std::string>& words) const;
  [[nodiscard]] bool is_line(const std::string& word) const;
  bool find_shell_text();
  void find_program();
  void words_around_text(const job_items& job, std::vector<std::string>& words, bool shown, bool typed) const;

  enum class kind : unsigned char { words, line, text_of_shell, items_are_lines };
  kind kind_ = kind::words;
  spelling spelling_;
  std::vector<std::string> typed_;
  std::vector<pieces> words_;       // of a command; of sh -c TEXT all but TEXT
  std::optional<shell_line> line_;  // a line, or TEXT
  std::size_t text_at_ = 0;         // where TEXT was
  bool append_ = false;             // no placeholder: the items are added at the end
  std::string shell_;               // its path
  std::string path_;                // of the command, if it is always the same
  bool function_ = false;           // words_[0] is a bash function
  bool blocks_ = false;
};

/// The file that a command is, as execvp would find it; empty: there is none, and `error` is ENOENT or EACCES.
std::string program_of(std::string_view command, int& error);

}  // namespace mapping
