// The walk: title, story, the code that will run, the talk's Python beside it; then it runs. See tour.hpp.
#include "tour.hpp"

#include <iostream>
#include <string_view>

#include "format/fmt.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"
#include "tour/shown.hpp"
#include "tour/step.hpp"
#include "tour/talk.hpp"

namespace cli {

namespace {

/// Texts of a step begin on a line of their own in the source.
std::string_view flush_left(std::string_view text) { return text.starts_with('\n') ? text.substr(1) : text; }

/// Every line of the text behind a margin that says what it is.
void print_beside(std::string_view margin, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    print(faint(fmt::format("{:>7} |", margin)) + (line.empty() ? "" : " ") + std::string(line) + "\n");
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    margin = {};
  }
}

void print_title(std::size_t number, const tour::step& step) {
  const std::string title = fmt::format("--- {} of {} --- {} ", number, tour::steps().size(), step.title);
  print(fmt::format("{}\n\n", bold(fmt::format("{:-<{}}", title, columns))));
}

bool walk_step(std::size_t number, const tour_options& options) {
  const tour::step& step = tour::steps()[number - 1];
  say_when_interrupted(
      fmt::format(" in step {} of {}; go on with: forkful tour --step {}", number, tour::steps().size(), number));
  print_title(number, step);
  print(fmt::format("{}\n\n", flush_left(step.story)));
  for (const std::string_view name : step.shown) print_beside("C++", tour::shown(name));
  print("\n");
  if (!options.python) {
    print_beside(step.python_is_code ? "Python" : "talk", flush_left(step.python));
  } else {
    if (!step.ours.empty()) print_beside("talk", flush_left(step.python));
    print_beside("Python", tour::talk::that_run(step));
  }
  print("\n");
  bool good = step.run({options.files});
  if (options.python) {
    print(fmt::format("\n{}\n", faint("and in Python:")));
    good = run_in_python(*options.python, number, step, options.files) && good;
  }
  print("\n");
  leave_if_interrupted();
  return good;
}

/// False: the reader wants to leave.
bool ask_for_more() {
  print(bold("Enter for the next step, q to leave: "));
  std::string answer;
  if (!std::getline(std::cin, answer)) {
    leave_if_interrupted();
    print("\n");
    return false;
  }
  print("\n");
  return answer.empty() || (answer.front() != 'q' && answer.front() != 'Q');
}

}  // namespace

std::size_t tour_steps() { return tour::steps().size(); }

void list_tour() {
  std::size_t number = 0;
  for (const tour::step& step : tour::steps()) print(fmt::format("{:>3}  {}\n", ++number, step.title));
}

bool walk_tour(const tour_options& options) {
  if (options.python && !has_forkful(*options.python)) return false;
  if (options.step != 0) return walk_step(options.step, options);
  const bool pauses = !options.yes && interactive();
  bool good = true;
  for (std::size_t number = 1; number <= tour_steps(); ++number) {
    if (!walk_step(number, options)) good = false;
    if (number == tour_steps()) break;
    if (pauses && !ask_for_more()) return good;
  }
  print("That was the tour. Now your own cake: forkful tour --step 10 FILE...\n");
  return good;
}

}  // namespace cli
