// The page of a tour. See tour_page.hpp.
#include "tour_page.hpp"

#include <forkful/report.hpp>
#include <iostream>
#include <sstream>
#include <string_view>
#include <vector>

#include "files.hpp"
#include "format/fmt.hpp"
#include "interrupt.hpp"
#include "report/page.hpp"
#include "terminal.hpp"
#include "tour/exhibit.hpp"
#include "tour/shown.hpp"
#include "tour/step.hpp"
#include "tour/talk.hpp"

namespace cli {

namespace {

using forkful::detail::html_escaped;

// The page forbids styles and scripts but those that carry its mark.
constexpr std::string_view head = R"(<style nonce="forkful">
body { max-width: 100rem; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 36rem), 1fr)); gap: 0 3rem; }
.beside > * { min-width: 0; }
.beside pre { overflow-x: auto; padding: 0.5rem 0.8rem; background: var(--raised); }
.beside h2 { font-size: 1rem; margin-top: 1.2rem; }
section > h2 { font-size: 1.4rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.story { max-width: 46rem; }
</style>
<h1>Parallel computing, told with a cake</h1>
<p class="story">Every step is a few lines of C++ that ran when this page was written, and what they really did. Left: what was said and
run, and the same in the words of the talk it grew out of. Right: what happened, from the call's own report.</p>
)";

/// What is printed, by us and by the code that is shown, goes into `text` for as long as this lives; reports into `calls`.
class recording {
 public:
  explicit recording(std::vector<forkful::report>& calls) : shown_(std::cout.rdbuf(text.rdbuf())) {
    print_to(&text);
    tour::keep_exhibits(&calls);
  }
  recording(const recording&) = delete;
  recording& operator=(const recording&) = delete;
  ~recording() {
    tour::keep_exhibits(nullptr);
    print_to(nullptr);
    std::cout.rdbuf(shown_);
  }
  std::ostringstream text;

 private:
  std::streambuf* shown_;
};

std::string passage(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text.empty() ? "" : fmt::format("<pre>{}</pre>\n", html_escaped(text));
}

/// What a step printed, with the marks of its calls replaced by places where the page draws them.
std::string happened(std::string_view printed) {
  std::string html;
  std::size_t mark = 0;
  while ((mark = printed.find('\f')) != std::string_view::npos) {
    const std::size_t end = printed.find('\n', mark);
    html += passage(printed.substr(0, mark));
    html += fmt::format("<div data-call=\"{}\" data-compact></div>\n", printed.substr(mark + 1, end - mark - 1));
    printed.remove_prefix(end + 1);
  }
  return html + passage(printed);
}

/// The talk's lines, which have run if `ran`.
std::string talk(const tour::step& step, bool ran) {
  std::string html;
  if (!ran || !step.ours.empty()) {
    html += fmt::format("<p>{}</p>\n", step.python_is_code ? "The same in the talk's Python:" : "In the talk's words:");
    html += passage(step.python);
  }
  if (ran) html += "<p>What ran in Python:</p>\n" + passage(tour::talk::that_run(step));
  return html;
}

/// `in_python`: what its lines printed there; null if they have not run.
std::string section(std::size_t number, const tour::step& step, std::string_view printed,
                    const std::string* in_python) {
  std::string html = fmt::format("<section id=\"step-{0}\">\n<h2>{0}. {1}</h2>\n<p class=\"story\">{2}</p>\n", number,
                                 html_escaped(step.title), html_escaped(step.story));
  html += "<div class=\"beside\">\n<div>\n";
  for (const std::string_view name : step.shown) html += passage(tour::shown(name));
  html += talk(step, in_python != nullptr);
  html += "</div>\n<div>\n" + happened(printed);
  if (in_python != nullptr) html += "<p>And in Python:</p>\n" + passage(*in_python);
  html += "</div>\n</div>\n</section>\n";
  return html;
}

}  // namespace

bool export_tour(const tour_options& options, const std::string& file) {
  check_writable(file);  // better said now than after the walk
  if (options.python && !has_forkful(*options.python)) return false;
  std::vector<forkful::report> calls;
  std::string body(head);
  bool good = true;
  for (std::size_t number = 1; number <= tour_steps(); ++number) {
    if (options.step != 0 && options.step != number) continue;
    const tour::step& step = tour::steps()[number - 1];
    fmt::print(stderr, "step {} of {}: {}\n", number, tour_steps(), step.title);
    say_when_interrupted(fmt::format(" in step {} of {}; {} is not written", number, tour_steps(), file));
    recording running(calls);
    good = step.run({options.files}) && good;
    leave_if_interrupted();
    const std::string printed = running.text.str();
    if (!options.python) {
      body += section(number, step, printed, nullptr);
      continue;
    }
    running.text.str("");
    good = run_in_python(*options.python, number, step, options.files) && good;
    const std::string in_python = running.text.str();
    body += section(number, step, printed, &in_python);
  }
  const std::string page = forkful::detail::page("forkful tour: parallel computing with cake", body, calls);
  write_whole(file, page);
  fmt::print(stderr, "{} holds the tour, {} KB: open it in a browser\n", file, (page.size() + 999) / 1000);
  return good;
}

}  // namespace cli
