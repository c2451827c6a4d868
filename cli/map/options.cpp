#include "map/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <utility>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr unsigned most_jobs = 1000;

[[noreturn]] void wrong(std::string_view sentence) {
  throw refusal(misused, fmt::format("{} (see forkful map --help)", sentence));
}

[[noreturn]] void wrong_value(std::string_view option, std::string_view is, std::string_view typed) {
  wrong(fmt::format("{} is {}, not '{}'", option, is, cli::harmless(typed)));
}

std::optional<double> decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0) || value > 1e15) return {};
  return value;
}

std::optional<std::size_t> whole(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

std::size_t count(std::string_view option, std::string_view text, std::size_t least) {
  const auto value = whole(text);
  if (!value || *value < least) wrong_value(option, fmt::format("a whole number from {} on", least), text);
  return *value;
}

// A number and a unit.
template <std::size_t n>
std::optional<double> measured(std::string_view text, const std::array<std::pair<std::string_view, double>, n>& units) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  const std::string_view unit = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  const auto value = decimal(text.substr(0, text.size() - unit.size()));
  const auto found = std::find_if(units.begin(), units.end(), [&](const auto& each) { return each.first == unit; });
  if (!value || found == units.end()) return {};
  return *value * found->second;
}

std::chrono::nanoseconds time(std::string_view option, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  const auto seconds = measured(text, units);
  if (!seconds || *seconds > 1e9) wrong_value(option, "a time, as 2s or 500ms or 1.5m (seconds without a unit)", text);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*seconds * 1e9));
}

std::size_t size(std::string_view option, std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"m", 1 << 20}, {"M", 1 << 20}, {"g", 1 << 30}, {"G", 1 << 30}}};
  const auto bytes = measured(text, units);
  if (!bytes || *bytes < 1) wrong_value(option, "a size, as 64k or 1M or 2G", text);
  return static_cast<std::size_t>(*bytes);
}

char delimiter(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> escapes{
      {{"\\n", '\n'}, {"\\t", '\t'}, {"\\0", '\0'}, {"\\r", '\r'}, {"\\\\", '\\'}}};
  if (text.size() == 1) return text.front();
  const auto* const found =
      std::find_if(escapes.begin(), escapes.end(), [&](const auto& each) { return each.first == text; });
  if (found == escapes.end()) wrong_value("-d", "one character, or \\n, \\t, \\0, \\r", text);
  return found->second;
}

halting halt(std::string_view text) {
  using moment = halting::moment;
  using kind = halting::kind;
  static constexpr std::array<std::pair<std::string_view, halting>, 7> short_forms{
      {{"never", {}},
       {"0", {}},
       {"1", {moment::soon, kind::fail, 1}},
       {"2", {moment::now, kind::fail, 1}},
       {"-1", {moment::soon, kind::success, 1}},
       {"-2", {moment::now, kind::success, 1}},
       {"now", {moment::now, kind::fail, 1}}}};
  const auto* const known =
      std::find_if(short_forms.begin(), short_forms.end(), [&](const auto& each) { return each.first == text; });
  if (known != short_forms.end()) return known->second;
  const auto fail = [&] {
    wrong_value("--halt", "never, or now or soon with what to count, as now,fail=1 or soon,fail=10%", text);
  };
  halting found;
  const std::size_t comma = text.find(',');
  const std::size_t equals = text.find('=');
  if (comma == std::string_view::npos || equals == std::string_view::npos || equals < comma) fail();
  const std::string_view when = text.substr(0, comma);
  const std::string_view what = text.substr(comma + 1, equals - comma - 1);
  std::string_view limit = text.substr(equals + 1);
  if (when != "now" && when != "soon") fail();
  found.when = when == "now" ? moment::now : moment::soon;
  if (what == "fail")
    found.what = kind::fail;
  else if (what == "success")
    found.what = kind::success;
  else if (what == "done")
    found.what = kind::done;
  else
    fail();
  if (limit.ends_with('%')) {
    limit.remove_suffix(1);
    const auto percent = decimal(limit);
    if (!percent || *percent <= 0 || *percent > 100) fail();
    found.percent = *percent;
  } else {
    const auto number = whole(limit);
    if (!number || *number == 0) fail();
    found.count = *number;
  }
  return found;
}

std::vector<int> statuses(std::string_view text) {
  std::vector<int> list;
  const std::string typed(text);
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto value = whole(text.substr(0, comma));
    if (!value || *value > 255) wrong_value("--ok", "a list of statuses from 0 to 255, as 0,1", typed);
    list.push_back(static_cast<int>(*value));
    if (comma == text.size()) return list;
    text.remove_prefix(comma + 1);
  }
}

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
       [](options& to, std::string_view value) { to.per_job = count("-n", value, 0); }},
      {{"-N", "", "--max-replace-args"},
       "N",
       "The same, and {1} to {N} are the items; with --pipe lines a job",
       [](options& to, std::string_view value) {
         to.per_job = count("-N", value, 0);
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
       [](options& to, std::string_view value) { to.delimiter = delimiter(value); }},
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
       [](options& to, std::string_view value) { to.timeout = time("--timeout", value); }},
      {{"--retries"},
       "N",
       "A job that fails is tried N times in all",
       [](options& to, std::string_view value) { to.tries = count("--retries", value, 1); }},
      {{"--delay"},
       "T",
       "Between two starts",
       [](options& to, std::string_view value) { to.delay = time("--delay", value); }},
      {{"--halt"},
       "WHEN",
       "never; now,fail=1; soon,fail=10%; also success, done",
       [](options& to, std::string_view value) { to.halt = halt(value); }},
      {{"--fail-fast"},
       "",
       "The first failure ends the run: --halt now,fail=1",
       [](options& to, std::string_view) { to.halt = halt("2"); }},
      {{"--ok"},
       "LIST",
       "Statuses that are no failure (else 0): 0,1 for grep",
       [](options& to, std::string_view value) { to.good = statuses(value); }},
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
       [](options& to, std::string_view value) { to.block_bytes = size("--block", value); }},
      {{"--dry-run"}, "", "Print what would run", flag(&options::dry_run)},
      {{"-t", "", "--verbose"}, "", "Say each command on stderr", flag(&options::say_commands)},
      {{"--progress", "", "--bar", "--eta"},
       "",
       "How far it is, on stderr if that is a terminal",
       flag(&options::progress)},
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
  for (const std::string& each : read->files) read->origins.insert(read->origins.begin(), origin{true, false, {each}});
  if (read->files.size() > 1)
    std::reverse(read->origins.begin(), read->origins.begin() + static_cast<std::ptrdiff_t>(read->files.size()));
  check_together(*read);
  return read;
}

unsigned jobs_of(std::string_view typed, unsigned cpus) {
  if (typed == "0") return most_jobs;
  double jobs = 0;
  if (typed.ends_with('%')) {
    const auto percent = decimal(typed.substr(0, typed.size() - 1));
    if (!percent || *percent <= 0) return 0;
    jobs = std::floor(*percent / 100 * cpus);
  } else if (typed.starts_with('+') || typed.starts_with('-')) {
    const auto more = whole(typed.substr(1));
    if (!more) return 0;
    jobs = typed.front() == '+' ? cpus + static_cast<double>(*more) : cpus - static_cast<double>(*more);
  } else {
    const auto number = whole(typed);
    if (!number || *number == 0) return 0;
    jobs = static_cast<double>(*number);
  }
  return static_cast<unsigned>(std::clamp(jobs, 1.0, static_cast<double>(most_jobs)));
}

}  // namespace mapping
