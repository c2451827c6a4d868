// forkful race: its words and options, and what it says when. The race is in race/, what races in works/.
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "files.hpp"
#include "format/fmt.hpp"
#include "quantity.hpp"
#include "race/rounds.hpp"
#include "race/texts.hpp"
#include "terminal.hpp"
#include "units.hpp"
#include "verb.hpp"
#include "works/skewed.hpp"

namespace cli {

namespace {

constexpr std::string_view own_help = "forkful race --help";

std::vector<std::string> work_names() {
  std::vector<std::string> names;
  for (const race::entry& each : race::works()) names.emplace_back(each.name);
  return names;
}

std::vector<std::string> way_names() {
  std::vector<std::string> names;
  names.reserve(race::all_ways.size());
  for (const race::way each : race::all_ways) names.emplace_back(name_of(each));
  return names;
}

bool takes(const race::entry& work, std::string_view option) {
  const std::string words = fmt::format(" {} ", work.takes);
  return words.find(fmt::format(" {} ", option)) != std::string::npos;
}

/// A line on stderr that is drawn again and again, and gone when this is; nothing where there is no terminal.
class progress_line {
 public:
  progress_line() noexcept : drawn_(isatty(STDERR_FILENO) == 1) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { show({}); }
  void show(std::string_view text) const {
    if (drawn_) fmt::print(stderr, "\r{}\033[K", text);
  }
  /// Elsewhere a line, once: it may take minutes until there is anything else to read.
  void announce(std::string_view text) const {
    if (!drawn_) fmt::print(stderr, "{}\n", text);
    show(text);
  }

 private:
  bool drawn_;
};

std::string whole_seconds(std::chrono::nanoseconds time) {
  if (time < std::chrono::seconds(1)) return time_text(time);
  const auto seconds = static_cast<long>(std::ceil(std::chrono::duration<double>(time).count()));
  return seconds < 120 ? fmt::format("{} s", seconds) : fmt::format("{} min", (seconds + 59) / 60);
}

/// "[########            ]  40 %, at most 3 s left: round 4, thread"
std::string bar_of(const race::news& news) {
  if (news.left.count() == 0) return news.what;
  constexpr std::size_t room = 24;
  const double part = static_cast<double>(news.gone.count()) / static_cast<double>((news.gone + news.left).count());
  const auto full = static_cast<std::size_t>(part * room);
  const std::string line = fmt::format("[{:<{}}] {:3.0f} %, at most {} left: {}", std::string(full, '#'), room,
                                       100 * part, whole_seconds(news.left), news.what);
  return line.substr(0, columns - 1);
}

class race_them final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "race"; }
  [[nodiscard]] std::string about() const override { return "Every way on the same work, in turns: which is fastest"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  forkful race *.txt         compress your files, every way\n"
           "  forkful race --list        what else can race\n"
           "  forkful race --work blur --in photo.png --out blurred.png\n"
           "  forkful race --work skewed --skew giant --slices 100 --time 200us\n"
           "  forkful race --work numbers --bytes 8MB --ways serial,shared --json\n"
           "  forkful race --work matrix --within 2s\n"
           "  forkful race --html race.html\n"
           "                             the race as one page, with pictures\n"
           "\n"
           "Runs the loop, threads and processes on the same work until their medians are\n"
           "sure, checks that all give the same bits, and says who won.";
  }

  void describe(CLI::App& app) override {
    app.add_option("--work", work_, "What to do (else gzip)")->type_name("NAME");
    app.add_flag("--list", list_, "Print what can race, and leave");
    app.add_option("--slices", slices_, "How many slices")->type_name("N");
    app.add_option("--time", time_, "What a slice takes: 20us, 1.5ms, 2s")->type_name("T");
    app.add_option("--bytes", bytes_, "How large a slice is: 800B, 64KB, 8MB")->type_name("B");
    app.add_option("--skew", said_.skew, "equal, linear, exponential, bimodal or giant")->type_name("SHAPE");
    app.add_option("--in", said_.in, "The picture to blur, a PNG file")->type_name("FILE");
    app.add_option("--out", said_.out, "Where to put what came of it")->type_name("FILE");
    app.add_option("--ways", ways_, "Only these, as in: serial,process")->type_name("LIST");
    app.add_option("--workers", workers_, "How many (else one a CPU)")->type_name("P");
    app.add_option("--rounds", rounds_, "How many (else until it is sure)")->type_name("N");
    app.add_option("--within", within_, "End in that time, and say what is left out")->type_name("T");
    app.add_flag("--json", json_, "Print JSON and nothing else");
    app.add_flag("--markdown", markdown_, "Print a Markdown table");
    app.add_option("--html", page_, "Write a page as well")->type_name("FILE");
    app.add_option("FILE", said_.files, "What gzip compresses (else the licence texts of Debian)")->type_name("");
  }

  int run(const CLI::App& app) override {
    if (list_) {
      for (const race::entry& each : race::works()) print(fmt::format("{:<11} {}\n", each.name, each.about));
      return all_well;
    }
    const auto work = std::find_if(race::works().begin(), race::works().end(),
                                   [&](const race::entry& each) { return each.name == work_; });
    if (work == race::works().end()) return unknown("work", work_, work_names(), "forkful race --list");
    for (const char* option : {"--slices", "--time", "--bytes", "--skew", "--in", "--out"})
      if (app.count(option) != 0 && !takes(*work, option)) return not_taken(*work, option);
    if (!said_.files.empty() && !takes(*work, "files")) return not_taken(*work, "files");
    const int mistaken = read_figures(app);
    return mistaken != all_well ? mistaken : run(*work);
  }

  [[nodiscard]] remark mismatch(std::string_view option) const override {
    if (option == "--skew")
      return {fmt::format("--skew wants one of {}", fmt::join(race::shapes(), ", ")), std::string(own_help)};
    if (option == "--work") return {"--work wants the name of one work", "forkful race --list"};
    if (option == "--ways")
      return {"--ways wants names with commas between them, as in: --ways serial,process", std::string(own_help)};
    return {};
  }

 private:
  static int not_taken(const race::entry& work, std::string_view what) {
    std::string taken(work.takes);
    for (std::size_t at = 0; (at = taken.find(' ', at)) != std::string::npos; at += 2) taken.replace(at, 1, ", ");
    return misused(fmt::format("the work '{}' takes no {}, but: {}", work.name, what, taken), own_help);
  }

  /// Options that are figures or names; `usage` if one makes no sense.
  int read_figures(const CLI::App& app) {
    const auto count = [&](const char* option, const std::string& text, double most, auto& to) {
      if (app.count(option) == 0) return true;
      const auto read = count_of(text, most);
      if (read)
        to = static_cast<std::decay_t<decltype(to)>>(*read);
      else
        misused(fmt::format("{} wants a whole number from 1 to {:.15g}, not '{}'", option, most, harmless(text)),
                own_help);
      return read.has_value();
    };
    std::size_t slices = 0;
    if (!count("--slices", slices_, 1e7, slices) || !count("--workers", workers_, 1000, how_.workers) ||
        !count("--rounds", rounds_, 1e5, how_.rounds))
      return usage;
    if (slices != 0) said_.slices = slices;
    if (app.count("--time") != 0) {
      const auto seconds = seconds_of(time_);
      if (!seconds || *seconds > 10)
        return misused(
            fmt::format("--time wants a length of time up to 10 s, as 20us, 1.5ms or 2s, not '{}'", harmless(time_)),
            own_help);
      said_.time = std::chrono::nanoseconds(std::llround(*seconds * 1e9));
    }
    if (app.count("--within") != 0) {
      const auto seconds = seconds_of(within_);
      if (!seconds || *seconds <= 0 || *seconds > 1e6)
        return misused(fmt::format("--within wants a length of time, as 500ms or 20s, not '{}'", harmless(within_)),
                       own_help);
      how_.within = std::chrono::nanoseconds(std::llround(*seconds * 1e9));
    }
    if (app.count("--bytes") != 0) {
      const auto bytes = bytes_of(bytes_);
      if (!bytes || *bytes > 1e15)
        return misused(fmt::format("--bytes wants a size, as 800B, 64KB or 8MB, not '{}'", harmless(bytes_)), own_help);
      said_.bytes = static_cast<std::size_t>(*bytes);
    }
    const std::vector<std::string> shapes = race::shapes();
    if (app.count("--skew") != 0 && std::find(shapes.begin(), shapes.end(), said_.skew) == shapes.end())
      return unknown("shape", said_.skew, shapes, own_help);
    if (json_ && markdown_) return misused("--json and --markdown both want all of stdout; choose one", own_help);
    return read_ways();
  }

  int read_ways() {
    std::string_view rest = ways_;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const std::string word(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const auto found = std::find_if(race::all_ways.begin(), race::all_ways.end(),
                                      [&](race::way each) { return name_of(each) == word; });
      if (found == race::all_ways.end()) return unknown("way", word, way_names(), own_help);
      if (std::find(raced_.begin(), raced_.end(), *found) == raced_.end()) raced_.push_back(*found);
    }
    if (raced_.empty()) raced_.assign(race::all_ways.begin(), race::all_ways.end());
    std::sort(raced_.begin(), raced_.end());  // the loop comes first: others are compared with it
    return all_well;
  }

  int run(const race::entry& work) {
    const auto began = std::chrono::steady_clock::now();
    const progress_line line;
    const bool plain = !json_ && !markdown_;
    if (plain) print(fmt::format("{} {}\n", bold(fmt::format("race: {},", work.name)), work.about));
    if (!page_.empty()) check_writable(page_);
    if (!said_.out.empty()) check_writable(said_.out);
    line.announce(
        fmt::format("racing {}: {} in turns, {}", work.name, names_of(raced_),
                    how_.within.count() == 0 ? "until it is sure" : fmt::format("within {}", time_text(how_.within))));
    std::unique_ptr<race::work> what;
    try {
      what = work.make(said_);
    } catch (const std::invalid_argument& mistake) {
      line.show({});
      return misused(mistake.what(), own_help);
    }
    line.show({});
    if (plain) print(wrapped(what->slices()) + "\n");
    how_.ways = raced_;
    // Reading and drawing what races took some of it.
    if (how_.within.count() != 0)
      how_.within = std::max<std::chrono::nanoseconds>(how_.within - (std::chrono::steady_clock::now() - began),
                                                       std::chrono::nanoseconds(1));
    how_.progress = [&](const race::news& now) { line.show(bar_of(now)); };
    how_.foretell = [&](std::chrono::nanoseconds loop, std::chrono::nanoseconds all) {
      line.show({});
      if (plain)
        print(faint(fmt::format("Once through takes {}; this will take {} at most.", time_text(loop),
                                whole_seconds(all))) +
              "\n");
    };
    const race::outcome outcome = race::run(work, *what, how_);
    line.show({});
    print(json_ ? as_json(outcome) : markdown_ ? as_markdown(outcome) : as_text(outcome));
    if (!said_.out.empty()) fmt::print(stderr, "{} holds what came of it\n", harmless(said_.out));
    if (!page_.empty()) write_page(outcome);
    if (!outcome.all_same())
      complain("some way gave other results than the loop, which must not happen; please report it");
    return outcome.all_same() && what->whole() ? all_well : input_failed;
  }

  static std::string names_of(const std::vector<race::way>& ways) {
    std::vector<std::string_view> names;
    names.reserve(ways.size());
    for (const race::way each : ways) names.push_back(name_of(each));
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void write_page(const race::outcome& outcome) const {
    write_whole(page_, as_page(outcome));
    fmt::print(stderr, "{} holds the race: open it in a browser\n", harmless(page_));
  }

  race::work_options said_;
  race::rules how_;
  std::vector<race::way> raced_;
  std::string work_ = "gzip";
  std::string slices_;
  std::string time_;
  std::string bytes_;
  std::string workers_;
  std::string rounds_;
  std::string ways_;
  std::string within_;
  std::string page_;
  bool list_ = false;
  bool json_ = false;
  bool markdown_ = false;
};

}  // namespace

std::unique_ptr<verb> race_verb() { return std::make_unique<race_them>(); }

}  // namespace cli
