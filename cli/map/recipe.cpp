#include "map/recipe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "map/quoting.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr std::string_view shell_characters = " \t\n|&;<>()$`\"'*?[]#~=%!\\";

bool exported_function(std::string_view name) {
  const std::string key = fmt::format("BASH_FUNC_{}%%=", name);
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::string_view(*each).starts_with(key)) return true;
  }
  return false;
}

bool exports_functions() {
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::string_view(*each).starts_with("BASH_FUNC_")) return true;
  }
  return false;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_shell(std::string_view path) {
  static constexpr std::array<std::string_view, 6> shells{"sh", "bash", "dash", "zsh", "ksh", "ash"};
  return std::find(shells.begin(), shells.end(), base_name(path)) != shells.end();
}

bool is_bash(std::string_view path) {
  return base_name(path) == "bash" || base_name(path) == "zsh" || base_name(path) == "ksh";
}

// What a shell would not pass on as a word: ; | & && || < > >> 2>&1 >file
bool is_operator(std::string_view word) {
  static constexpr std::array<std::string_view, 9> alone{";", "|", "&", "&&", "||", "|&", ";;", "&>", "<<<"};
  if (std::find(alone.begin(), alone.end(), word) != alone.end()) return true;
  word.remove_prefix(std::min(word.find_first_not_of("0123456789"), word.size()));
  if (word.empty() || (word.front() != '<' && word.front() != '>')) return false;
  const char first = word.front();
  word.remove_prefix(word.starts_with(">>") || word.starts_with("<<") || word.starts_with(">|") ? 2 : 1);
  if (word.empty()) return true;
  if (word.front() == '&') return true;
  const auto of_path = [](char c) { return std::string_view(" \t<>|&;()").find(c) == std::string_view::npos; };
  return (first == '>' || word.front() == '/' || word.front() == '.') && std::all_of(word.begin(), word.end(), of_path);
}

bool is_builtin(std::string_view word) {
  static constexpr std::array<std::string_view, 16> builtins{"cd",    "source", ".",     "export", "alias", "unset",
                                                             "set",   "eval",   "exec",  "read",   "type",  "ulimit",
                                                             "umask", "wait",   "shift", "trap"};
  return std::find(builtins.begin(), builtins.end(), word) != builtins.end();
}

// {#} and {%} as text.
pieces job_words_as_typed(pieces word) {
  for (piece& each : word) each.is_reference = each.is_reference && !each.to.of_job();
  return word;
}

}  // namespace

std::string program_of(std::string_view command, int& error) {
  error = ENOENT;
  const auto usable = [&](const std::string& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) {
      if (errno == EACCES) error = EACCES;
      return false;
    }
    if (S_ISREG(about.st_mode) && ::access(path.c_str(), X_OK) == 0) return true;
    error = EACCES;
    return false;
  };
  if (command.empty()) return {};
  if (command.find('/') != std::string_view::npos) {
    std::string path(command);
    return usable(path) ? path : std::string();
  }
  const char* const variable = std::getenv("PATH");
  std::string_view folders = variable == nullptr ? "/bin:/usr/bin" : variable;
  while (true) {
    const std::size_t colon = std::min(folders.find(':'), folders.size());
    const std::string_view folder = folders.substr(0, colon);
    std::string path = fmt::format("{}/{}", folder.empty() ? "." : folder, command);
    if (usable(path)) return path;
    if (colon == folders.size()) return {};
    folders.remove_prefix(colon + 1);
  }
}

recipe::recipe(const options& how, std::vector<std::string> names)
    : spelling_{how.placeholder, std::move(names)}, typed_(how.command), blocks_(how.blocks) {
  int error = 0;
  shell_ = how.shell_program.empty() ? std::string(exports_functions() ? "bash" : "/bin/sh") : how.shell_program;
  if (std::string found = program_of(shell_, error); !found.empty()) {
    shell_ = std::move(found);
  } else if (how.shell_program.empty()) {
    shell_ = "/bin/sh";
  } else {
    throw refusal(error == EACCES ? not_executable : not_found,
                  fmt::format("--shell-program {}: there is no such program", cli::harmless(shell_)));
  }
  for (const std::string& word : typed_) {
    if (word.find("{=") != std::string::npos && word.find("=}") != std::string::npos)
      throw refusal(misused, "{= perl =} is not read here: use the shell, as 'x={}; echo \"${x%.gz}\"'");
  }
  read_words(how);
}

void recipe::read_words(const options& how) {
  if (typed_.empty()) {
    kind_ = kind::items_are_lines;
    path_ = shell_;
    return;
  }
  const bool one = typed_.size() == 1;
  if (how.how == shape::shell || (how.how == shape::by_shape && one && is_line(typed_.front()))) {
    std::string text;
    for (const std::string& each : typed_) text += (text.empty() ? "" : " ") + each;
    line_.emplace(text, spelling_, is_bash(shell_));
    kind_ = kind::line;
    path_ = shell_;
    append_ = !line_->has_reference() && !blocks_ && how.per_job != std::size_t{0};
    if (const std::string end = append_ ? line_->no_place_for_items() : ""; !end.empty()) {
      throw refusal(misused,
                    fmt::format("the shell line ends in {}, so items at its end would be commands; say where they go "
                                "with {}, or leave the {} out (see forkful map --help)",
                                end, spelling_.whole, end));
    }
    return;
  }
  if (how.how == shape::by_shape && !one) check_operators(typed_);
  const bool text = find_shell_text();
  for (std::size_t i = 0; i < typed_.size(); ++i) {
    if (!text || i != text_at_) words_.push_back(read_pieces(typed_[i], spelling_));
  }
  const bool placed = std::any_of(words_.begin(), words_.end(), has_reference) || (line_ && line_->has_reference());
  append_ = !placed && !blocks_ && how.per_job != std::size_t{0};
  find_program();
}

bool recipe::is_line(const std::string& word) const {
  int error = 0;
  if (!program_of(word, error).empty() || exported_function(word)) return false;
  // {} alone, {.} and the like are commands.
  std::string rest;
  for (const piece& each : read_pieces(word, spelling_)) {
    if (!each.is_reference) rest += each.text;
  }
  return rest.find_first_of(shell_characters) != std::string::npos;
}

void recipe::check_operators(const std::vector<std::string>& words) const {
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!is_operator(words[i])) continue;
    std::string joined;
    for (const std::string& each : words) joined += (joined.empty() ? "" : " ") + each;
    throw refusal(
        misused,
        fmt::format(
            "'{}' is one word of several, so it is not clear who reads it. For the shell: forkful map {}, or -c; "
            "for the command, as it is: -q (see forkful map --help)",
            cli::harmless(words[i]), quoted(joined)));
  }
}

// sh -c TEXT, with options of the shell before, and anything before the shell (nice, env, sudo).
bool recipe::find_shell_text() {
  for (std::size_t i = 0; i + 2 < typed_.size(); ++i) {
    if (!is_shell(typed_[i])) continue;
    std::size_t at = i + 1;
    while (at < typed_.size() && typed_[at].size() > 1 && (typed_[at].front() == '-' || typed_[at].front() == '+')) {
      const std::string& option = typed_[at++];
      if (option.starts_with("--")) continue;
      if (option.find('c') != std::string::npos && option.front() == '-') {
        if (at == typed_.size()) return false;
        text_at_ = at;
        kind_ = kind::text_of_shell;
        line_.emplace(typed_[at], spelling_, is_bash(typed_[i]));
        return true;
      }
      if (option.ends_with('o') || option.ends_with('O')) ++at;
    }
  }
  return false;
}

void recipe::find_program() {
  if (has_reference(words_.front())) return;  // another one for each job
  const std::string& command = typed_.front();
  int error = 0;
  path_ = program_of(command, error);
  if (!path_.empty()) return;
  if (exported_function(command)) {
    function_ = true;
    path_ = program_of("bash", error);
    if (!path_.empty()) return;
  }
  const std::string named = cli::harmless(command);
  if (error == EACCES)
    throw refusal(not_executable, fmt::format("{} cannot be executed: it is a folder, or may not be by you", named));
  if (is_builtin(command)) {
    throw refusal(not_found, fmt::format("{} is a word of the shell, no program: write the command as one word, as "
                                         "forkful map '{} ... && ...', or -c",
                                         named, named));
  }
  throw refusal(not_found, fmt::format("there is no command {}: is it installed, and its folder in PATH?", named));
}

void recipe::words_around_text(const job_items& job, std::vector<std::string>& words, bool shown, bool typed) const {
  for (std::size_t i = 0; i < text_at_; ++i) fill_in(typed ? job_words_as_typed(words_[i]) : words_[i], job, words);
  std::vector<std::string> behind;
  for (std::size_t i = text_at_; i < words_.size(); ++i)
    fill_in(typed ? job_words_as_typed(words_[i]) : words_[i], job, behind);
  if (append_) {
    for (const std::string_view each : job.values()) behind.emplace_back(each);
  }
  if (shown) {
    words.push_back(line_->shown(job, false, typed));
  } else {
    shell_line::script script = line_->for_job(job, false);
    words.push_back(std::move(script.text));
    if (!script.parameters.empty()) {
      // The first word behind TEXT is $0.
      if (behind.empty()) behind.push_back(typed_[text_at_ - 2]);
      behind.insert(behind.begin() + 1, std::make_move_iterator(script.parameters.begin()),
                    std::make_move_iterator(script.parameters.end()));
    }
  }
  words.insert(words.end(), std::make_move_iterator(behind.begin()), std::make_move_iterator(behind.end()));
}

recipe::words_of_job recipe::for_job(const job_items& job) const {
  words_of_job made;
  made.path = path_;
  switch (kind_) {
    case kind::items_are_lines: {
      std::string text;
      for (const std::string_view each : job.values()) text += (text.empty() ? "" : " ") + std::string(each);
      made.words = {shell_, "-c", std::move(text)};
      return made;
    }
    case kind::line: {
      shell_line::script script = line_->for_job(job, append_);
      made.words = {shell_, "-c", std::move(script.text), "forkful"};
      made.words.insert(made.words.end(), std::make_move_iterator(script.parameters.begin()),
                        std::make_move_iterator(script.parameters.end()));
      return made;
    }
    case kind::text_of_shell:
      words_around_text(job, made.words, false, false);
      break;
    case kind::words:
      if (function_) made.words = {"bash", "-c", typed_.front() + " \"$@\"", "forkful"};
      for (std::size_t i = function_ ? 1 : 0; i < words_.size(); ++i) fill_in(words_[i], job, made.words);
      if (append_) {
        for (const std::string_view each : job.values()) made.words.emplace_back(each);
      }
      break;
  }
  if (made.path.empty())
    made.path = program_of(made.words.empty() ? std::string_view{} : made.words.front(), made.error);
  return made;
}

std::string recipe::shown(const job_items& job, bool typed) const {
  std::vector<std::string> words;
  switch (kind_) {
    case kind::items_are_lines: {
      std::string text;
      for (const std::string_view each : job.values()) text += (text.empty() ? "" : " ") + std::string(each);
      return text.find('\n') == std::string::npos ? text : "eval " + quoted(text);
    }
    case kind::line:
      return line_->shown(job, append_, typed);
    case kind::text_of_shell:
      words_around_text(job, words, true, typed);
      return quoted(words);
    case kind::words:
      break;
  }
  for (const pieces& each : words_) fill_in(typed ? job_words_as_typed(each) : each, job, words);
  if (append_) {
    for (const std::string_view each : job.values()) words.emplace_back(each);
  }
  return quoted(words);
}

std::string recipe::name() const { return typed_.empty() ? "the items" : quoted(typed_); }

}  // namespace mapping
