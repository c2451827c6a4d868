// forkful explain: what an error's code stands for, why it comes, and what to do; from docs/errors.md (errors_page.hpp).

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "errors_page.hpp"
#include "format/fmt.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace cli {

namespace {

constexpr std::size_t indent = 19;  // of what is said beside a code in the list

std::string first_sentence(std::string_view text) {
  std::string sentence(text.substr(0, text.find(". ")));
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence;
}

void print_list(const std::vector<error_entry>& entries) {
  for (const error_entry& each : entries) {
    const std::string about = each.points.empty() ? std::string() : first_sentence(each.points.front().second);
    const std::string text = wrapped(fmt::format("{:<{}}{}", each.code, indent, about), indent);
    print(bold(each.code) + text.substr(each.code.size()));
  }
  print("\nnext: forkful explain CODE\n");
}

void print_entry(const error_entry& entry) {
  print(bold(entry.code) + "\n");
  for (const auto& [title, text] : entry.points) {
    const std::string line = wrapped(fmt::format("{}: {}", title, text), 2);
    print("\n" + bold(title + ":") + line.substr(title.size() + 1));
  }
}

nlohmann::ordered_json as_json(const error_entry& entry) {
  nlohmann::ordered_json object{{"code", entry.code}};
  for (const auto& [title, text] : entry.points) {
    std::string name = title;
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    object[name] = text;
  }
  return object;
}

class explain final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "explain"; }
  [[nodiscard]] std::string about() const override { return "What an error means, and what to do about it"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  forkful explain                      all codes, a line each\n"
           "  forkful explain worker_crashed       one of them\n"
           "  forkful explain start_failed --json  the same for a program\n"
           "\n"
           "A code is what forkful::error::code() returns, and the name of the class.";
  }

  void describe(CLI::App& app) override {
    app.add_flag("--json", json_, "JSON instead");
    app.add_option("CODE", code_, "The code (else all of them are listed)")->type_name("");
  }

  int run(const CLI::App& app) override {
    const std::vector<error_entry> entries = error_entries();
    if (app.count("CODE") == 0) {
      if (json_) {
        nlohmann::ordered_json all = nlohmann::ordered_json::array();
        for (const error_entry& each : entries) all.push_back(as_json(each));
        print(all.dump(2) + "\n");
      } else {
        print_list(entries);
      }
      return all_well;
    }
    constexpr std::string_view ours = "forkful::";
    if (code_.starts_with(ours)) code_.erase(0, ours.size());
    std::vector<std::string> codes;
    for (const error_entry& each : entries) {
      if (each.code == code_) {
        if (json_) {
          print(as_json(each).dump(2) + "\n");
        } else {
          print_entry(each);
        }
        return all_well;
      }
      codes.push_back(each.code);
    }
    return unknown("error", code_, codes, "forkful explain");
  }

 private:
  std::string code_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<verb> explain_verb() { return std::make_unique<explain>(); }

}  // namespace cli
