// The command line tool: which verbs there are and what a mistyped one meant. Each verb has a file of its own.
//
// Exit codes: 0 all went well, 1 some input failed, 2 the command line made no sense.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <exception>
#include <forkful/version.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "interrupt.hpp"
#include "suggest.hpp"
#include "terminal.hpp"
#include "tour.hpp"
#include "tour_page.hpp"

namespace {

enum exit_code : int { all_well = 0, input_failed = 1, usage = 2 };

constexpr const char* examples =
    "Examples:\n"
    "  forkful tour               the whole story, live, in ten small steps\n"
    "  forkful tour --step 4      one step: friends on a photograph\n"
    "  forkful tour *.txt         the same, and the last step compresses your files\n"
    "\n"
    "forkful: process pools for C++ that survive crashes and say what was copied.";

constexpr const char* tour_examples =
    "Examples:\n"
    "  forkful tour               all steps, with a pause after each\n"
    "  forkful tour --list        what the steps are\n"
    "  forkful tour --step 8      only step 8: a friend faints\n"
    "  forkful tour --yes | less  no pauses; so it is without a terminal\n"
    "  forkful tour --step 10 *   the real cake, made of your own files\n"
    "  forkful tour --export tour.html\n"
    "                             the whole walk as one page, to send to a friend\n"
    "\n"
    "The story of a cake and hungry friends: every way to eat in parallel, as a few\n"
    "lines of C++ that really run, with what really came out.";

/// Help that begins with examples, of the verb it is about.
class examples_first : public CLI::Formatter {
 public:
  examples_first() { column_width(18); }
  std::string make_description(const CLI::App* app) const override {
    return std::string(app->get_name() == "tour" ? tour_examples : examples) + "\n\n";
  }
};

constexpr const char* exit_codes =
    "Colour is for terminals only; NO_COLOR=1 turns it off.\n"
    "Exit code: 0 all went well, 1 some input failed, 2 nonsense on the command line,\n"
    "130 interrupted by Ctrl-C.";

int misused(std::string_view sentence, std::string_view help) {
  cli::complain(fmt::format("{} (see {})", sentence, help));
  return usage;
}

/// The complaint about a word that nothing takes.
int unknown(std::string_view kind, const std::string& word, const std::vector<std::string>& known,
            std::string_view help) {
  const std::string meant = cli::closest(word, known);
  return misused(fmt::format("there is no {} '{}'{}", kind, cli::harmless(word),
                             meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)),
                 help);
}

/// Not CLI11's own check, whose message does not say what the steps are.
bool is_step(const std::string& text, std::size_t& step) {
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, step);
  return read.ec == std::errc{} && read.ptr == end && step >= 1 && step <= cli::tour_steps();
}

int run_tour(const CLI::App& verb, const std::string& step, bool list, const std::string& page,
             cli::tour_options& options) {
  constexpr std::string_view help = "forkful tour --help";
  if (verb.remaining_size() != 0)
    return unknown("option", verb.remaining().front(), {"--step", "--list", "--yes", "--export", "--help"}, help);
  if (list) {
    cli::list_tour();
    return all_well;
  }
  if (verb.count("--step") != 0 && !is_step(step, options.step))
    return misused(
        fmt::format("there is no step '{}': the tour has steps 1 to {}", cli::harmless(step), cli::tour_steps()),
        "forkful tour --list");
  if (options.step != 0 && options.step != cli::tour_steps() && !options.files.empty())
    return misused(fmt::format("step {} takes no files: only the real cake, step {}, is made of them", options.step,
                               cli::tour_steps()),
                   help);
  const bool good = page.empty() ? cli::walk_tour(options) : cli::export_tour(options, page);
  return good ? all_well : input_failed;
}

int run(int argc, char** argv) {
  CLI::App app{"", "forkful"};
  app.formatter(std::make_shared<examples_first>());
  app.set_help_flag("-h,--help", "Print this and leave");
  app.set_version_flag("--version", FORKFUL_VERSION, "Print the version and leave");
  app.allow_extras();
  app.footer(exit_codes);

  cli::tour_options options;
  std::string step;
  std::string page;
  bool list = false;
  CLI::App& tour = *app.add_subcommand("tour", "A walk through parallel computing, with cake");
  tour.add_option("--step", step, "Only this step")->type_name("N");
  tour.add_flag("--list", list, "Print what the steps are, and leave");
  tour.add_option("--export", page, "Write the walk as one page instead")->type_name("FILE");
  tour.add_flag("-y,--yes", options.yes, "No pauses");
  tour.add_option("FILE", options.files, "Slices of the real cake (else the licence texts of Debian)")->type_name("");
  tour.allow_extras();
  tour.footer(exit_codes);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_text) {
    return app.exit(asked_for_text);
  } catch (const CLI::ArgumentMismatch& mismatch) {
    if (std::string_view(mismatch.what()).find("--export") != std::string_view::npos)
      return misused("--export wants the name of the page to write, as in: forkful tour --export tour.html",
                     "forkful tour --help");
    return misused(fmt::format("--step wants one number, from 1 to {}", cli::tour_steps()), "forkful tour --list");
  } catch (const CLI::ParseError& error) {
    return misused(error.what(), tour.parsed() ? "forkful tour --help" : "forkful --help");
  }
  if (tour.parsed()) return run_tour(tour, step, list, page, options);
  if (app.remaining_size() == 0) {
    fmt::print(stderr, "{}", app.help());
    return usage;
  }
  const std::string word = app.remaining().front();
  return word.starts_with('-') ? unknown("option", word, {"--help", "--version"}, "forkful --help")
                               : unknown("verb", word, {"tour"}, "forkful --help");
}

}  // namespace

int main(int argc, char** argv) {
  cli::watch_for_interrupts();
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    cli::complain(error.what());
    return input_failed;
  }
}
