// The command line tool: passes the words to their verb (verb.hpp), and answers those that belong to none.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <forkful/version.hpp>
#include <string>
#include <vector>

#include "format/fmt.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace {

constexpr const char* examples =
    "Examples:\n"
    "  forkful tour               the whole story, live, in ten small steps\n"
    "  forkful tour --step 4      one step: friends on a photograph\n"
    "  forkful tour *.txt         the same, and the last step compresses your files\n"
    "  forkful race *.txt         every way in turns on your files: which is fastest\n"
    "  forkful race --list        what else can race\n"
    "  forkful advise --slices 1000 --time 20us\n"
    "                             is it worth it? for work that is not written yet\n"
    "  forkful map gzip ::: *.log a command over items, in parallel: no C++ needed\n"
    "\n"
    "forkful: process pools for C++ that survive crashes and say what was copied.";

constexpr const char* exit_codes =
    "Colour is for terminals only; NO_COLOR=1 turns it off.\n"
    "Exit code: 0 all went well, 1 some input failed, 2 nonsense on the command line,\n"
    "130 interrupted by Ctrl-C.";

/// Help that begins with examples, of the verb it is about.
class examples_first : public CLI::Formatter {
 public:
  explicit examples_first(std::string text) : text_(std::move(text)) { column_width(18); }
  std::string make_description(const CLI::App* /*app*/) const override { return text_ + "\n\n"; }

 private:
  std::string text_;
};

std::string help_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? "forkful --help" : fmt::format("forkful {} --help", app.get_name());
}

/// The names of options that are words, as "--step".
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* each : app.get_options()) {
    for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// CLI11 names the option first.
std::string_view first_word(std::string_view text) { return text.substr(0, text.find_first_of(": ")); }

int run(const std::vector<std::string>& words) {
  CLI::App app{"", "forkful"};
  app.formatter(std::make_shared<examples_first>(examples));
  app.set_help_flag("-h,--help", "Print this and leave");
  app.set_version_flag("--version", FORKFUL_VERSION, "Print the version and leave");
  app.allow_extras();
  app.footer(exit_codes);

  struct entry {
    std::unique_ptr<cli::verb> does;
    CLI::App* app;
  };
  std::vector<entry> all;
  for (auto& each : cli::verbs()) {
    CLI::App& sub = *app.add_subcommand(each->name(), each->about());
    each->describe(sub);
    sub.formatter(std::make_shared<examples_first>(each->examples()));
    sub.allow_extras();
    sub.footer(exit_codes);
    all.push_back({std::move(each), &sub});
  }
  const auto asked = [&]() -> entry* {
    for (entry& each : all) {
      if (each.app->parsed()) return &each;
    }
    return nullptr;
  };

  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // it takes the last one first
  } catch (const CLI::Success& asked_for_text) {
    return app.exit(asked_for_text);
  } catch (const CLI::ParseError& error) {
    const entry* const where = asked();
    if (where == nullptr) return cli::misused(error.what(), help_of(app));
    const cli::verb::remark own = where->does->mismatch(first_word(error.what()));
    return own.sentence.empty() ? cli::misused(error.what(), help_of(*where->app))
                                : cli::misused(own.sentence, own.help);
  }
  if (entry* const chosen = asked(); chosen != nullptr) {
    CLI::App& its = *chosen->app;
    if (its.remaining_size() != 0) {
      return cli::unknown("option", its.remaining().front(), option_names(its), help_of(its));
    }
    return chosen->does->run(its);
  }
  if (app.remaining_size() == 0) {
    fmt::print(stderr, "{}", app.help());
    return cli::usage;
  }
  const std::string word = app.remaining().front();
  if (word.starts_with('-')) return cli::unknown("option", word, option_names(app), "forkful --help");
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const entry& each : all) names.push_back(each.app->get_name());
  return cli::unknown("verb", word, names, "forkful --help");
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  for (const auto& each : cli::verbs()) {
    if (words.empty() || !each->reads_words() || each->name() != words.front()) continue;
    if (const auto left = each->run_words({words.begin() + 1, words.end()})) return *left;
    words = {each->name(), "--help"};
    break;
  }
  cli::watch_for_interrupts();
  try {
    return run(words);
  } catch (const std::exception& error) {
    cli::complain(error.what());
    return cli::input_failed;
  }
}
