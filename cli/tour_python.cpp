// Starts the interpreter with session.py, and says how it ended. See tour_python.hpp.
#include "tour_python.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "files.hpp"
#include "format/fmt.hpp"
#include "other_program.hpp"
#include "terminal.hpp"
#include "tour/step.hpp"
#include "tour/talk.hpp"
#include "units.hpp"

namespace cli {

extern const std::string_view python_session;  // session.py, embedded by CMake

namespace {

constexpr int no_module = 3;  // as session.py has it
constexpr std::chrono::nanoseconds longest_start = std::chrono::minutes(1);

constexpr std::string_view what_to_do =
    "./dev tour --python builds it and takes the tour, ./dev python builds it, too; ./dev install PREFIX installs it; "
    "PYTHONPATH says where one is";

std::vector<std::string> words_for(const interpreter& python, const std::string& before, const std::string& lines) {
  std::error_code no_matter;  // then it is not looked for beside the tool
  const std::filesystem::path tool = std::filesystem::read_symlink("/proc/self/exe", no_matter);
  return {python.path, "-c", std::string(python_session), tool.parent_path().string(), before, lines};
}

/// Empty if all went well.
std::string what_went_wrong(const program_end& ended, std::chrono::nanoseconds longest) {
  if (ended.timed_out) return fmt::format("had not ended after {} and was killed", time_text(longest));
  if (ended.signal != 0) return fmt::format("was killed by signal {} ({})", ended.signal, ::strsignal(ended.signal));
  if (ended.exit_code == 1) return "raised an exception";
  if (ended.exit_code != 0) return fmt::format("left with exit code {}", ended.exit_code);
  return {};
}

/// What another program says cannot move the cursor, and fits.
void print_foreign(std::string_view line) { print(wrapped(harmless(line), 2)); }

}  // namespace

bool has_forkful(const interpreter& python) {
  if (::access(python.path.c_str(), X_OK) != 0) {
    complain(fmt::format("tour --python cannot run {}: {}; install python3, or name another with --interpreter",
                         harmless(python.path), std::strerror(errno)));
    return false;
  }
  std::string said;
  const program_end ended =
      run_other(words_for(python, "", ""), longest_start, [&](std::string_view line) { said = harmless(line); });
  if (ended.exit_code == 0) return true;
  if (ended.exit_code == no_module) {
    complain(fmt::format("{} has no module forkful ({}); {}", harmless(python.path), said, what_to_do));
  } else {
    complain(fmt::format("{} {} when it was asked for the module forkful{}{}", harmless(python.path),
                         what_went_wrong(ended, longest_start), said.empty() ? "" : ": ", said));
  }
  return false;
}

bool run_in_python(const interpreter& python, std::size_t number, const tour::step& step,
                   const std::vector<std::string>& files) {
  std::vector<std::string> words = words_for(python, tour::talk::before(), tour::talk::that_run(step));
  const std::vector<std::string> cake = files.empty() ? licence_texts() : files;
  words.insert(words.end(), cake.begin(), cake.end());
  const program_end ended = run_other(words, python.longest, print_foreign);
  const std::string wrong = what_went_wrong(ended, python.longest);
  if (wrong.empty()) return true;
  const std::string_view what_now = ended.timed_out        ? "; --timeout gives it longer"
                                    : ended.exit_code == 1 ? ", see above"
                                                           : "";
  complain(fmt::format("step {}: Python {}{}", number, wrong, what_now));
  return false;
}

}  // namespace cli
