// forkful tour: its words and options. What it walks through is in tour.cpp and tour/.

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "format/fmt.hpp"
#include "quantity.hpp"
#include "terminal.hpp"
#include "tour.hpp"
#include "tour_page.hpp"
#include "verb.hpp"

namespace cli {

namespace {

constexpr double longest_timeout = 1e6;  // seconds

/// Not CLI11's own check, whose message does not say what the steps are.
bool is_step(const std::string& text, std::size_t& step) {
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, step);
  return read.ec == std::errc{} && read.ptr == end && step >= 1 && step <= tour_steps();
}

class tour final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "tour"; }
  [[nodiscard]] std::string about() const override { return "A walk through parallel computing, with cake"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  forkful tour               all steps, with a pause after each\n"
           "  forkful tour --list        what the steps are\n"
           "  forkful tour --step 8      only step 8: a friend faints\n"
           "  forkful tour --yes | less  no pauses; so it is without a terminal\n"
           "  forkful tour --step 10 *   the real cake, made of your own files\n"
           "  forkful tour --export tour.html\n"
           "                             the whole walk as one page, to send to a friend\n"
           "  forkful tour --python      the talk's Python runs, too, on forkful's module\n"
           "\n"
           "The story of a cake and hungry friends: every way to eat in parallel, as a few\n"
           "lines of C++ that really run, with what really came out.";
  }

  void describe(CLI::App& app) override {
    app.add_option("--step", step_, "Only this step")->type_name("N");
    app.add_flag("--list", list_, "Print what the steps are, and leave");
    app.add_option("--export", page_, "Write the walk as one page instead")->type_name("FILE");
    app.add_flag("-y,--yes", options_.yes, "No pauses");
    app.add_flag("--python", python_, "Run the Python lines, too; exit code 1 if that fails");
    app.add_option("--interpreter", interpreter_, "The Python to run them with (/usr/bin/python3)")->type_name("FILE");
    app.add_option("--timeout", timeout_, "What they may take in a step (60s)")->type_name("TIME");
    app.add_option("FILE", options_.files, "Slices of the real cake (else the licence texts of Debian)")->type_name("");
  }

  int run(const CLI::App& app) override {
    if (list_) {
      list_tour();
      return all_well;
    }
    if (app.count("--step") != 0 && !is_step(step_, options_.step)) {
      return misused(fmt::format("there is no step '{}': the tour has steps 1 to {}", harmless(step_), tour_steps()),
                     "forkful tour --list");
    }
    if (options_.step != 0 && options_.step != tour_steps() && !options_.files.empty()) {
      return misused(fmt::format("step {} takes no files: only the real cake, step {}, is made of them", options_.step,
                                 tour_steps()),
                     "forkful tour --help");
    }
    if (!python_ && app.count("--interpreter") + app.count("--timeout") != 0) {
      return misused("--interpreter and --timeout are about the Python lines, which run with --python",
                     "forkful tour --help");
    }
    if (python_) options_.python.emplace();
    if (app.count("--interpreter") != 0) options_.python->path = interpreter_;
    if (app.count("--timeout") != 0) {
      const std::optional<double> seconds = seconds_of(timeout_);
      if (!seconds || *seconds <= 0 || *seconds > longest_timeout) {
        return misused(fmt::format("--timeout wants a time like 90s, and '{}' is none", harmless(timeout_)),
                       "forkful tour --help");
      }
      options_.python->longest = std::chrono::nanoseconds(std::llround(1e9 * *seconds));
    }
    const bool good = page_.empty() ? walk_tour(options_) : export_tour(options_, page_);
    return good ? all_well : input_failed;
  }

  [[nodiscard]] remark mismatch(std::string_view option) const override {
    if (option == "--export") {
      return {"--export wants the name of the page to write, as in: forkful tour --export tour.html",
              "forkful tour --help"};
    }
    if (option == "--interpreter") {
      return {"--interpreter wants one program, as in: forkful tour --python --interpreter /usr/local/bin/python3",
              "forkful tour --help"};
    }
    if (option == "--timeout") {
      return {"--timeout wants one time, as in: forkful tour --python --timeout 90s", "forkful tour --help"};
    }
    if (option == "--step") {
      return {fmt::format("--step wants one number, from 1 to {}", tour_steps()), "forkful tour --list"};
    }
    return {};
  }

 private:
  tour_options options_;
  std::string step_;
  std::string page_;
  std::string interpreter_;
  std::string timeout_;
  bool python_ = false;
  bool list_ = false;
};

}  // namespace

std::unique_ptr<verb> tour_verb() { return std::make_unique<tour>(); }

}  // namespace cli
