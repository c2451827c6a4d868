#include "map/options.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "format/fmt.hpp"
#include "map/option_values.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

using setter = std::function<void(options&, std::string_view)>;
struct entry {
  std::vector<std::string_view> names;  // "-j", "--jobs"; the first ones are listed, up to an empty one
  std::string_view value;               // empty: none; "[=number]": with = only
  std::string_view about;               // empty: not listed
  setter set;
};

const std::vector<entry>& entries() {
  const auto flag = [](bool options::* member) {
    return [member](options& to, std::string_view) { to.*member = true; };
  };
  const auto mode = [](grouping which) { return [which](options& to, std::string_view) { to.output = which; }; };
  const auto form = [](shape which) { return [which](options& to, std::string_view) { to.how = which; }; };
  const auto text = [](std::string options::* member) {
    return [member](options& to, std::string_view value) { to.*member = value; };
  };
  static const std::vector<entry> all{
      {{"-j", "-P", "--jobs", "", "--max-procs"},
       "N",
       "Jobs at a time: 4, +1, -1, 50%, 0 (as many as there are); else one a CPU",
       [](options& to, std::string_view value) {
         if (jobs_of(value, 2) == 0)
           wrong_value("-j", "a number of jobs, as 4, +1, -1, 50%, or 0 for as many as there are", value);
         to.jobs = value;
       }},
      {{"-n", "", "--max-args"},
       "N",
       "Items a job (else 1); 0: run once an item, without it",
       [](options& to, std::string_view value) { to.per_job = count_of("-n", value, 0); }},
      {{"-N", "", "--max-replace-args"},
       "N",
       "The same, and {1} to {N} are the items; with --pipe lines a job",
       [](options& to, std::string_view value) {
         to.per_job = count_of("-N", value, 0);
         to.positional = true;
       }},
      {{"-X", "--fill", "-m", "--xargs"},
       "",
       "As many items a job as fit, the last ones shared evenly",
       flag(&options::fill)},
      {{"-0", "--null"},
       "",
       "Items end in NUL, as find -print0 has them",
       [](options& to, std::string_view) { to.delimiter = '\0'; }},
      {{"-d", "", "--delimiter"},
       "C",
       "Items end in C",
       [](options& to, std::string_view value) { to.delimiter = delimiter_of(value); }},
      {{"-a", "", "--arg-file"},
       "FILE",
       "Items from a file; - is standard input; several: all combinations",
       [](options& to, std::string_view value) { to.files.emplace_back(value); }},
      {{"--link"}, "", "Several sources side by side, not all combinations", flag(&options::link)},
      {{"-C", "--colsep"}, "RE", "Items fall into columns {1} {2} ... at RE", text(&options::column_separator)},
      {{"--header"},
       ":",
       "The first item of each source names its columns: {name}",
       [](options& to, std::string_view value) {
         if (value != ":") wrong_value("--header", "':', for the first item holds the names", value);
         to.header = true;
       }},
      {{"-r", "", "--no-run-if-empty"}, "", "Empty lines are no items", flag(&options::drop_empty)},
      {{"-I"},
       "R",
       "The placeholder is R (else {})",
       [](options& to, std::string_view value) {
         if (value.empty()) wrong("-I needs a placeholder that is not empty");
         to.placeholder = value;
       }},
      {{"-c", "--shell"}, "", "The words are a line for the shell", form(shape::shell)},
      {{"-q", "--quote"}, "", "The words are a command, whatever they look like", form(shape::words)},
      {{"--shell-program"}, "P", "The shell of shell lines (else /bin/sh)", text(&options::shell_program)},
      {{"-k", "--keep-order"}, "", "Output in the order of the items: the rule", mode(grouping::ordered)},
      {{"--unordered"}, "", "Each job's output whole, as it ends", mode(grouping::unordered)},
      {{"--line-buffer", "--lb", "", "--linebuffer"}, "", "Lines as they come", mode(grouping::lines)},
      {{"-u", "", "--ungroup"}, "", "Jobs write themselves, nothing is held", mode(grouping::none)},
      {{"--tag"}, "", "Each line begins with the item and a tab", flag(&options::tag)},
      {{"--tagstring"},
       "T",
       "Each line begins with T, with placeholders, and a tab",
       [](options& to, std::string_view value) { to.tag_text = std::string(value); }},
      {{"-o", "--output"}, "FILE", "The jobs' standard output goes there", text(&options::output_file)},
      {{"--timeout"},
       "T",
       "A job may take so long: 2s, 500ms, 1.5m",
       [](options& to, std::string_view value) { to.timeout = time_of("--timeout", value); }},
      {{"--retries"},
       "N",
       "A job that fails is tried N times in all",
       [](options& to, std::string_view value) { to.tries = count_of("--retries", value, 1); }},
      {{"--delay"},
       "T",
       "Between two starts",
       [](options& to, std::string_view value) { to.delay = time_of("--delay", value); }},
      {{"--halt"},
       "WHEN",
       "never; now,fail=1; soon,fail=10%; also success, done",
       [](options& to, std::string_view value) { to.halt = halting_of(value); }},
      {{"--fail-fast"},
       "",
       "The first failure ends the run: --halt now,fail=1",
       [](options& to, std::string_view) { to.halt = halting_of("2"); }},
      {{"--ok"},
       "LIST",
       "Statuses that are no failure (else 0): 0,1 for grep",
       [](options& to, std::string_view value) { to.good = statuses_of(value); }},
      {{"--log", "--joblog"}, "FILE", "A line a job, in GNU parallel's format", text(&options::log)},
      {{"--resume"},
       "[=number]",
       "Leave out the jobs whose command, or number, is in the log",
       [](options& to, std::string_view value) {
         if (!value.empty() && value != "number") wrong_value("--resume", "alone or --resume=number", value);
         to.resume = value.empty() ? resuming::done : resuming::numbers;
       }},
      {{"--resume-failed"},
       "",
       "Leave out only those that succeeded",
       [](options& to, std::string_view) { to.resume = resuming::succeeded; }},
      {{"--pipe"}, "", "Standard input in blocks that end at line ends, one a job", flag(&options::blocks)},
      {{"--block"},
       "SIZE",
       "Of so many bytes (else 1M)",
       [](options& to, std::string_view value) { to.block_bytes = size_of("--block", value); }},
      {{"--dry-run"}, "", "Print what would run", flag(&options::dry_run)},
      {{"-t", "", "--verbose"}, "", "Say each command on stderr", flag(&options::say_commands)},
      {{"--progress", "", "--bar", "--eta"},
       "",
       "How far it is, on stderr if that is a terminal",
       flag(&options::progress)},
      {{"--report"}, "FILE", "Where the time went: .html, .json, .trace, - for text", text(&options::report)},
      {{"--advice"}, "", "What would be faster, also where stderr is no terminal", flag(&options::advice)},
      {{"--quiet"}, "", "No advice, no names of failed jobs", flag(&options::quiet)},
      {{"--will-cite", "--gnu", "--plain", "--group", "--no-notice"}, "", "", [](options&, std::string_view) {}},
  };
  return all;
}

// Options of other tools that have no counterpart here, and what to do instead.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> refused{{
    {"-S", "jobs run on this host; start forkful map there, as ssh HOST forkful map ..."},
    {"--sshlogin", "jobs run on this host; start forkful map there, as ssh HOST forkful map ..."},
    {"--slf", "jobs run on this host; start forkful map there, as ssh HOST forkful map ..."},
    {"--sshloginfile", "jobs run on this host; start forkful map there, as ssh HOST forkful map ..."},
    {"--trc", "files stay where they are: jobs run on this host"},
    {"--transfer", "files stay where they are: jobs run on this host"},
    {"--semaphore", "to run one command at a time use flock(1)"},
    {"--sem", "to run one command at a time use flock(1)"},
    {"--rpl", "there are {} {.} {/} {//} {/.} {#} {%}; for others use the shell, as '${x%.gz}' in a shell line"},
    {"--sql", "keep the list in a file and the results in --log"},
    {"--sqlmaster", "keep the list in a file and the results in --log"},
    {"--sqlworker", "keep the list in a file and the results in --log"},
}};

bool takes_value(const entry& option) { return !option.value.empty() && !option.value.starts_with('['); }

const entry* find(std::string_view name) {
  for (const entry& each : entries()) {
    if (!name.empty() && std::find(each.names.begin(), each.names.end(), name) != each.names.end()) return &each;
  }
  return nullptr;
}

[[noreturn]] void unknown(const std::string& option) {
  for (const auto& [name, instead] : refused) {
    if (name == option) wrong(fmt::format("there is no {}: {}", name, instead));
  }
  std::vector<std::string> names{"--help"};
  for (const entry& each : entries()) {
    for (const std::string_view name : each.names)
      if (name.starts_with("--")) names.emplace_back(name);
  }
  const std::string meant = option.starts_with("--") ? cli::closest(option, names) : "";
  wrong(fmt::format("there is no option '{}'{}; the command begins with the first word that is none",
                    cli::harmless(option), meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
}

class word_reader {
 public:
  explicit word_reader(const std::vector<std::string>& words) : words_(words) {}

  std::optional<options> read() {
    while (at_ < words_.size()) {
      const std::string& word = words_[at_];
      if (word == "-h" || word == "--help") return {};
      if (word == "--") {
        ++at_;
        break;
      }
      if (word.size() < 2 || !word.starts_with('-')) break;
      ++at_;
      if (word.starts_with("--"))
        long_option(word);
      else
        bundle(word);
    }
    command_and_items();
    return std::move(read_);
  }

 private:
  void long_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const entry* const option = find(name);
    if (option == nullptr) unknown(name);
    if (equals != std::string::npos) {
      if (option->value.empty()) wrong(fmt::format("{} takes no value", name));
      option->set(read_, std::string_view(word).substr(equals + 1));
    } else {
      option->set(read_, takes_value(*option) ? value_of(name, *option) : std::string_view{});
    }
  }

  // "-kj2": flags, and the last may have a value, here or in the next word.
  void bundle(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name{'-', word[i]};
      const entry* const option = find(name);
      if (option == nullptr) unknown(i == 1 ? name : fmt::format("{}' in '{}", name, word));
      if (takes_value(*option)) {
        const std::string_view rest = std::string_view(word).substr(i + 1);
        option->set(read_, rest.empty() ? value_of(name, *option) : rest);
        return;
      }
      option->set(read_, {});
    }
  }

  std::string_view value_of(const std::string& name, const entry& option) {
    if (at_ == words_.size()) wrong(fmt::format("{} needs {}", name, option.value));
    return words_[at_++];
  }

  void command_and_items() {
    const auto mark = [](const std::string& word) {
      return word == ":::" || word == "::::" || word == ":::+" || word == "::::+";
    };
    while (at_ < words_.size() && !mark(words_[at_])) read_.command.push_back(words_[at_++]);
    while (at_ < words_.size()) {
      const std::string& kind = words_[at_++];
      const bool file = kind.starts_with("::::");
      bool linked = kind.ends_with('+');
      std::vector<std::string> list;
      while (at_ < words_.size() && !mark(words_[at_])) list.push_back(words_[at_++]);
      if (!file) {
        read_.origins.push_back({false, linked, std::move(list)});
        continue;
      }
      if (list.empty()) wrong(fmt::format("{} needs a file", kind));
      for (std::string& each : list)
        read_.origins.push_back({true, std::exchange(linked, kind.ends_with('+')), {std::move(each)}});
    }
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  options read_;
};

void check_together(const options& all) {
  if (all.resume != resuming::no && all.log.empty()) wrong("--resume needs to know what was done: --log FILE");
  if (all.blocks && !all.origins.empty()) wrong("--pipe takes standard input or -a FILE, and no items behind :::");
  if (all.blocks && all.resume == resuming::succeeded)
    wrong("--resume-failed knows jobs by their commands, and those of --pipe are all the same");
  if (all.blocks && all.fill) wrong("--pipe hands out blocks, so -X has no items to fill jobs with");
  if (all.block_bytes && !all.blocks) wrong("--block is for --pipe");
  if (all.output == grouping::none && (all.tag || all.tag_text || !all.output_file.empty()))
    wrong("with -u jobs write themselves, so there is nothing to tag or to put into a file; leave -u out");
  if (all.blocks && all.files.size() > 1) wrong("--pipe reads one file");
  if (all.blocks && all.command.empty()) wrong("--pipe needs a command");
}

}  // namespace

std::vector<option_help> option_list() {
  std::vector<option_help> list;
  for (const entry& each : entries()) {
    if (each.about.empty()) continue;
    std::string names;
    for (const std::string_view name : each.names) {
      if (name.empty()) break;
      names += (names.empty() ? "" : ",") + std::string(name);
    }
    list.push_back({names, std::string(each.value), std::string(each.about)});
  }
  return list;
}

std::optional<options> read_options(const std::vector<std::string>& words) {
  std::optional<options> read = word_reader(words).read();
  if (!read) return read;
  check_together(*read);
  if (read->blocks) return read;
  for (const std::string& each : read->files) read->origins.insert(read->origins.begin(), origin{true, false, {each}});
  if (read->files.size() > 1)
    std::reverse(read->origins.begin(), read->origins.begin() + static_cast<std::ptrdiff_t>(read->files.size()));
  return read;
}

}  // namespace mapping
