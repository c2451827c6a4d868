// forkful map: a command over lines, in parallel.
//
// Puts the parts together: options, items, recipe, log, output, guardian, runners; and says at the end what came of it.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "map/options.hpp"
#include "map/session.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace cli {

namespace {

class map final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "map"; }
  [[nodiscard]] std::string about() const override { return "A command over lines, in parallel, output in order"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  ls *.log | forkful map gzip -9\n"
           "                             a job a line, the line is its last argument\n"
           "  forkful map 'gzip -c {} > {.}.gz' ::: *.log\n"
           "                             one word is a line for the shell; items are never\n"
           "                             part of its text, whatever they hold\n"
           "  find . -name '*.c' -print0 | forkful map -0 -X grep -n TODO\n"
           "                             as many items a job as fit\n"
           "  forkful map --log run.log -o all.txt ./measure ::: 1 2 3 ::: a b\n"
           "                             all combinations; killed, the same line with\n"
           "                             --resume goes on where it stopped\n"
           "  forkful map --timeout 30s --retries 3 --fail-fast curl -sfO :::: urls.txt\n"
           "  forkful map --pipe --block 10M wc -l < large.txt\n"
           "\n"
           "Runs COMMAND once for each item: lines of standard input, words behind :::, lines\n"
           "of files behind ::::. Output is whole and in the order of the items. Placeholders:\n"
           "{} {.} {/} {//} {/.} the item, without extension, its name, its folder, both;\n"
           "{#} {%} the job's number and slot; {1} {2.} columns and sources.";
  }

  void describe(CLI::App& app) override {
    for (const mapping::option_help& each : mapping::option_list()) {
      if (each.value.empty() || each.value.front() == '[')
        app.add_flag_function(each.names, [](std::int64_t) {}, each.about);
      else
        app.add_option_function<std::string>(each.names, [](const std::string&) {}, each.about)->type_name(each.value);
    }
  }

  [[nodiscard]] bool reads_words() const override { return true; }
  std::optional<int> run_words(const std::vector<std::string>& words) override {
    try {
      const std::optional<mapping::options> how = mapping::read_options(words);
      if (!how) return {};  // help, which CLI11 writes
      return mapping::run_session(*how);
    } catch (const mapping::refusal& refused) {
      complain(refused.what());
      return refused.leaves();
    } catch (const std::exception& error) {
      complain(error.what());
      return mapping::own_failure;
    }
  }

  int run(const CLI::App& /*help only*/) override { return usage; }
};

}  // namespace

std::unique_ptr<verb> map_verb() { return std::make_unique<map>(); }

}  // namespace cli
