// Step 10: real files, compressed every way, compared byte for byte.

#include <algorithm>
#include <filesystem>

#include "files.hpp"
#include "format/fmt.hpp"
#include "freed_memory.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"
#include "tour/exhibit.hpp"
#include "tour/kitchen.hpp"
#include "tour/step.hpp"
#include "tour/stopwatch.hpp"
#include "units.hpp"

namespace tour {

namespace {

using namespace std::chrono_literals;
using cli::read_slice;

constexpr std::size_t most_rounds = 11;
constexpr std::size_t most_files_listed = 24;

struct real_cake {
  std::vector<std::string> names;
  texts slices;
  bool whole = true;  ///< false: some file could not be a slice
};

real_cake read_cake(kitchen& here,
                    const std::vector<std::string>& paths) {
  real_cake cake;
  auto friends = here.friends.with(cli::stoppable());
  // show: read
  auto read = friends.try_map(paths, read_slice);
  // end
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i]) {
      cake.names.push_back(cli::harmless(
          std::filesystem::path(paths[i]).filename().string()));
      cake.slices.push_back(std::move(*read[i]));
    } else {
      cli::complain(read[i].failure().what);
      cake.whole = false;
    }
  }
  return cake;
}

struct course {
  std::vector<std::chrono::nanoseconds> times{};
  forkful::report happened{};
  bool same = true;
};

struct feast {
  std::vector<course> courses;  ///< one for each of ways()
  texts expected;               ///< what the first loop gave
};

/// All ways take turns, so that a moment's noise hits all of them, until
/// there are rounds enough for a median or the guests would get bored.
feast eat_every_way(kitchen& here, const texts& cake) {
  feast eaten{std::vector<course>(ways().size()), {}};
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < most_rounds; ++round) {
    for (std::size_t i = 0; i < ways().size(); ++i) {
      plate done = ways()[i].eat(here, cake);
      if (round == 0 && i == 0) eaten.expected = done.eaten;
      course& each = eaten.courses[i];
      each.times.push_back(done.time);
      each.happened = done.happened;
      each.same = each.same && done.eaten == eaten.expected;
    }
    if (std::chrono::steady_clock::now() - began > 1s) break;
  }
  return eaten;
}

double speed_up(const course& loop, const course& other) {
  return static_cast<double>(median(loop.times).count()) /
         static_cast<double>(median(other.times).count());
}

void print_table(const std::vector<course>& courses) {
  cli::print(cli::bold(fmt::format(
      "{:<18} {:>9} {:>10} {:>12} {:>12}  {}\n", "way", "time",
      "speed-up", "copied in", "copied out", "same bytes")));
  for (std::size_t i = 0; i < courses.size(); ++i) {
    const course& each = courses[i];
    cli::print(
        fmt::format("{:<18} {:>9} {:>8} x {:>12} {:>12}  {}\n",
                    ways()[i].name, cli::time_text(median(each.times)),
                    cli::ratio_text(speed_up(courses.front(), each)),
                    cli::bytes_text(each.happened.bytes_in),
                    cli::bytes_text(each.happened.bytes_out),
                    i == 0      ? "(compared)"
                    : each.same ? "yes"
                                : "NO"));
  }
  const std::size_t rounds = courses.front().times.size();
  const std::string times =
      rounds == 1 ? "one round"
                  : fmt::format("median of {} rounds", rounds);
  cli::print(cli::faint(fmt::format(
      "{}, {} friends; the friends were there already, snapshots\n"
      "are taken anew each time, and the table was laid in shared "
      "memory before\n\n",
      times, courses.back().happened.workers)));
}

void print_verdict(const std::vector<course>& courses) {
  std::size_t best = 1;
  for (std::size_t i = 2; i < courses.size(); ++i)
    if (median(courses[i].times) < median(courses[best].times))
      best = i;
  const double factor = speed_up(courses.front(), courses[best]);
  cli::print(cli::bold(
      factor > 1.05
          ? fmt::format("Fastest: {}, {} x the loop.\n",
                        ways()[best].name, cli::ratio_text(factor))
          : "No way beat the loop: too little to chew, or the CPUs "
            "have other guests.\n"));
}

bool all_same(const std::vector<course>& courses) {
  const bool same =
      std::all_of(courses.begin(), courses.end(),
                  [](const course& each) { return each.same; });
  if (!same)
    cli::complain(
        "some way gave other bytes than the loop, which must not "
        "happen; "
        "please report it with the files");
  return same;
}

/// Compresses once more: who takes which file.
std::vector<unsigned> eaters(kitchen& here, const real_cake& cake) {
  return here.friends.with(cli::stoppable())
      .map(cake.slices, [](std::string_view text) {
        (void)squeeze(text);
        return forkful::worker_index();
      });
}

void print_files(const real_cake& cake, const texts& squeezed,
                 const std::vector<unsigned>& eaten_by) {
  const std::size_t listed =
      std::min(cake.names.size(), most_files_listed);
  for (std::size_t i = 0; i < listed; ++i)
    cli::print(fmt::format(
        "{:<40.40} {:>9} -> {:>9}   friend {}\n", cake.names[i],
        cli::bytes_text(cake.slices[i].size()),
        cli::bytes_text(squeezed[i].size()), eaten_by[i]));
  if (cake.names.size() > listed)
    cli::print(
        fmt::format("and {} more\n", cake.names.size() - listed));
  cli::print("\n");
}

bool run(const visit& here_for) {
  const std::vector<std::string> paths =
      here_for.files.empty() ? cli::licence_texts() : here_for.files;
  if (paths.empty()) {
    cli::complain(
        "there are no licence texts in /usr/share/common-licenses to "
        "make a cake of; name some files instead: forkful tour --step "
        "10 "
        "FILE...");
    return false;
  }
  cli::keep_freed_memory();
  kitchen here;
  const real_cake cake = read_cake(here, paths);
  if (cake.slices.empty()) {
    cli::complain(
        "no slice is left, so there is no cake; name files "
        "that can be read");
    return false;
  }

  if (!cake.whole)
    cli::print(fmt::format("{} of {} files are slices of this cake\n\n",
                           cake.slices.size(), paths.size()));

  const std::vector<unsigned> eaten_by = eaters(here, cake);
  const forkful::report happened = here.friends.report();
  const feast eaten = eat_every_way(here, cake.slices);
  print_files(cake, eaten.expected, eaten_by);
  print_table(eaten.courses);
  exhibit(happened, cake.names);
  cli::print("\n");
  print_verdict(eaten.courses);
  return all_same(eaten.courses) && cake.whole;
}

}  // namespace

step real_cake_step() {
  return {.title = "A real cake: your files, every way",
          .story = R"(
Every file is a slice, and eating it is compressing it. The same cake is eaten
in every way of this tour. A file that cannot be read costs one slice.
Think of how data is passed: look at what is copied.)",
          .shown = {"squeeze", "read", "in_a_loop", "by_snapshot",
                    "by_copy", "by_update", "in_place"},
          .python = R"(
cake = [open(path, 'rb').read() for path in sys.argv[1:]]
with multiprocessing.Pool() as pool:
  eaten = pool.map(zlib.compress, cake))",
          .looked_at =
              "[sum(map(len, slices)) for slices in (cake, eaten)]",
          .run = run};
}

}  // namespace tour
