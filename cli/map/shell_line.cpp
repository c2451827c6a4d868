#include "map/shell_line.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "format/fmt.hpp"
#include "map/quoting.hpp"

namespace mapping {

/// Walks through the line with a stack of what is open.
class shell_line::scan {
 public:
  scan(std::string_view text, const spelling& how, bool bash) : text_(text), how_(how), bash_(bash) {}

  std::vector<part> parts() {
    while (at_ < text_.size()) step();
    keep();
    return std::move(parts_);
  }

 private:
  enum class open : unsigned char {
    line,
    double_quote,
    single_quote,
    dollar_single,
    command,
    backquote,
    arithmetic,
    braces
  };

  [[nodiscard]] bool quoted_place() const { return now() == open::single_quote || now() == open::dollar_single; }
  [[nodiscard]] open now() const { return open_.empty() ? open::line : open_.back(); }
  // Inside of double quotes, "${x:-{}}" included.
  [[nodiscard]] place here() const {
    for (auto each = open_.rbegin(); each != open_.rend(); ++each) {
      if (*each == open::braces) continue;
      if (*each == open::single_quote) return place::in_single;
      if (*each == open::dollar_single) return place::in_dollar_single;
      if (*each == open::double_quote) return place::in_double;
      if (*each == open::arithmetic) return place::arithmetic;
      return place::plain;
    }
    return place::plain;
  }

  void step() {
    reference found;
    if (const std::size_t length = reference_at(text_.substr(at_), how_, found); length != 0 && !in_parameter_name()) {
      keep();
      parts_.push_back({std::string(text_.substr(at_, length)), true, found, here()});
      at_ += length;
      return;
    }
    const char c = text_[at_];
    if (quoted_place()) {
      if (now() == open::dollar_single && c == '\\') take();
      if (c == '\'') open_.pop_back();
      take();
      return;
    }
    if (c == '\\') {
      escaped();
      return;
    }
    if (starts_comment()) {
      while (at_ < text_.size() && text_[at_] != '\n') take();
      return;
    }
    if (!opens(c)) closes(c);
    take();
  }

  // A placeholder behind a backslash is text: \{} is how to write the two letters.
  void escaped() {
    take();
    reference found;
    const std::size_t length = std::max<std::size_t>(reference_at(text_.substr(at_), how_, found), 1);
    for (std::size_t i = 0; i < length; ++i) take();
  }

  // "${#}" and "${1}" are the shell's own.
  [[nodiscard]] bool in_parameter_name() const { return at_ > 0 && text_[at_ - 1] == '$' && !quoted_place(); }

  [[nodiscard]] bool starts_comment() const {
    if (text_[at_] != '#' || here() != place::plain || now() == open::braces) return false;
    return at_ == 0 || std::string_view(" \t\n;&|(").find(text_[at_ - 1]) != std::string_view::npos;
  }

  // True if c opens something; all of it but its last letter has been taken then.
  bool opens(char c) {
    const std::string_view rest = text_.substr(at_);
    const bool in_double = here() == place::in_double;
    if (rest.starts_with("$((")) return push(open::arithmetic, 2);
    if (rest.starts_with("$(")) return push(open::command, 1);
    if (rest.starts_with("${")) return push(open::braces, 1);
    if (bash_ && !in_double && rest.starts_with("$'")) return push(open::dollar_single, 1);
    if (c == '`' && now() != open::backquote) return push(open::backquote, 0);
    if (c == '\'' && !in_double && here() != place::arithmetic) return push(open::single_quote, 0);
    if (c == '"' && now() != open::double_quote && (now() != open::braces || !in_double))
      return push(open::double_quote, 0);
    if (c == '(' && here() == place::arithmetic) return push(open::arithmetic, 0);
    if (c == '(' && here() == place::plain) return push(open::command, 0);
    return false;
  }

  void closes(char c) {
    const open last = now();
    const bool does = (c == '"' && last == open::double_quote) || (c == '`' && last == open::backquote) ||
                      (c == '}' && last == open::braces) ||
                      (c == ')' && (last == open::command || last == open::arithmetic));
    if (!does) return;
    if (last == open::arithmetic && text_.substr(at_).starts_with("))") && !inner_parenthesis()) take();
    open_.pop_back();
  }

  // Of an arithmetic expression, open inside another one.
  [[nodiscard]] bool inner_parenthesis() const {
    return open_.size() > 1 && open_[open_.size() - 2] == open::arithmetic;
  }

  bool push(open what, std::size_t before) {
    for (std::size_t i = 0; i < before; ++i) take();
    open_.push_back(what);
    return true;
  }

  void take() {
    if (at_ < text_.size()) kept_ += text_[at_++];
  }
  void keep() {
    if (!kept_.empty()) parts_.push_back({.text = std::exchange(kept_, {})});
  }

  std::string_view text_;
  const spelling& how_;
  bool bash_;
  std::size_t at_ = 0;
  std::string kept_;
  std::vector<open> open_;
  std::vector<part> parts_;
};

shell_line::shell_line(std::string_view text, const spelling& how, bool bash)
    : parts_(scan(text, how, bash).parts()), text_(text) {
  has_reference_ = std::any_of(parts_.begin(), parts_.end(), [](const part& each) { return each.is_reference; });
}

std::string shell_line::no_place_for_items() const {
  const std::size_t last = text_.find_last_not_of(" \t\n");
  if (last == std::string::npos || std::string_view(";&|({").find(text_[last]) == std::string_view::npos) return {};
  if (last > 0 && text_[last - 1] == '\\') return {};
  return text_.substr(last, 1);
}

shell_line::script shell_line::for_job(const job_items& job, bool append) const {
  script made;
  std::vector<std::string> named;                      // the value of _f1, _f2, ...
  std::vector<std::pair<reference, std::string>> one;  // and which stand for one value
  const auto name_of = [&](const std::string& value) {
    named.push_back(value);
    return fmt::format("${{_f{}}}", named.size());
  };
  bool all_values = append && !has_reference_;
  std::string line;
  for (const part& each : parts_) {
    if (!each.is_reference) {
      line += each.text;
      continue;
    }
    const std::vector<std::string> values = values_of(each.to, job);
    std::string text;
    if (values.size() == 1) {
      const auto known = std::find_if(one.begin(), one.end(), [&](const auto& pair) { return pair.first == each.to; });
      text = known != one.end() ? known->second : one.emplace_back(each.to, name_of(values.front())).second;
      if (each.where == place::plain) text = fmt::format("\"{}\"", text);
    } else if (each.to == reference{}) {
      all_values = true;
      text = each.where == place::plain || each.where == place::in_single ? "\"$@\"" : "$*";
    } else {
      for (const std::string& value : values) {
        if (!text.empty()) text += ' ';
        const std::string name = name_of(value);
        text += each.where == place::plain ? fmt::format("\"{}\"", name) : name;
      }
    }
    if (each.where == place::in_single || each.where == place::in_dollar_single) {
      const char* const quote = text.starts_with('"') ? "" : "\"";
      text = fmt::format("'{}{}{}{}", quote, text, quote, each.where == place::in_single ? "'" : "$'");
    }
    line += text;
  }
  if (append && !has_reference_) line += " \"$@\"";

  std::string head;
  for (std::size_t i = 1; i <= named.size(); ++i) head += fmt::format("{}_f{}=${{{}}}", i == 1 ? "" : " ", i, i);
  if (!named.empty()) head += fmt::format("; shift {}; ", named.size());
  made.text = head + line;
  made.parameters = std::move(named);
  if (all_values) {
    for (const std::string_view each : job.values()) made.parameters.emplace_back(each);
  }
  return made;
}

std::string shell_line::shown(const job_items& job, bool append, bool typed) const {
  std::string line;
  for (const part& each : parts_) {
    if (!each.is_reference || (typed && each.to.of_job())) {
      line += each.text;
      continue;
    }
    std::string text;
    bool plain = true;  // needs no quotes of its own
    for (const std::string& value : values_of(each.to, job)) {
      if (!text.empty()) text += ' ';
      text += quoted(value);
      plain = plain && quoted(value) == value;
    }
    if (plain || each.where == place::plain || each.where == place::arithmetic)
      line += text;
    else if (each.where == place::in_double)
      line += '"' + text + '"';
    else
      line += "'" + text + (each.where == place::in_single ? "'" : "$'");
  }
  if (append && !has_reference_) {
    for (const std::string_view value : job.values()) line += ' ' + quoted(value);
  }
  // Only a line of several lines has them: values show theirs as \n.
  return line.find('\n') == std::string::npos ? line : "eval " + quoted(line);
}

}  // namespace mapping
