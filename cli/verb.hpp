// A verb of the command line tool: its words, its options, and what it does.
//
// One file a verb; verbs.cpp puts them in the order in which help lists them. main.cpp parses, and answers what no verb takes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;  // of <CLI/CLI.hpp>, which takes seconds to compile: included where a verb's options are
}

namespace cli {

/// What every verb leaves with; docs and `forkful --help` list them too.
enum exit_code : int { all_well = 0, input_failed = 1, usage = 2 };

class verb {
 public:
  verb() noexcept = default;
  verb(const verb&) = delete;
  verb& operator=(const verb&) = delete;
  virtual ~verb() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  /// One line for the list of verbs.
  [[nodiscard]] virtual std::string about() const = 0;
  /// What its help begins with: "Examples:" and a few lines, then what it is, at most 80 columns.
  [[nodiscard]] virtual std::string examples() const = 0;
  /// Adds its options.
  virtual void describe(CLI::App&) = 0;
  /// Whether it reads all words behind its name itself, before anything else is set up: then run_words() is called, and run() is not.
  [[nodiscard]] virtual bool reads_words() const { return false; }
  /// Does it, and returns an exit code; nothing if the words ask for help.
  virtual std::optional<int> run_words(const std::vector<std::string>& /*words*/) { return {}; }
  /// Does it, when its options are parsed and nothing is left over. Returns an exit code.
  virtual int run(const CLI::App&) = 0;
  /// What to say about an option that was given no value, or too many; without a sentence CLI11's own will do.
  struct remark {
    std::string sentence;
    std::string help;  ///< where to look
  };
  [[nodiscard]] virtual remark mismatch(std::string_view /*option*/) const { return {}; }
};

std::vector<std::unique_ptr<verb>> verbs();

std::unique_ptr<verb> tour_verb();
std::unique_ptr<verb> race_verb();
std::unique_ptr<verb> advise_verb();
std::unique_ptr<verb> doctor_verb();
std::unique_ptr<verb> explain_verb();
std::unique_ptr<verb> map_verb();

/// Complains in one sentence that ends in where to look, as "(see forkful tour --help)". Returns `usage`.
int misused(std::string_view sentence, std::string_view help);
/// The complaint about a word that nothing takes, with the one that may have been meant.
int unknown(std::string_view kind, const std::string& word, const std::vector<std::string>& known,
            std::string_view help);

}  // namespace cli
