// forkful map beside xargs and GNU parallel, in turns: each starts as a user starts it, in a shell.
//   S14  2000 x true, 2 at a time; starting up; 10^6 lines, 5000 a job; 1 GB from one job; 200 at a time x sleep 1
// Times are from the shell's start to its end; memory is that of the largest process of all that ran.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "format/fmt.hpp"
#include "side_by_side/contest.hpp"

using namespace forkful_bench;

namespace {

constexpr const char* ours = FORKFUL_PROGRAM " map";

bool here(const std::string& command) { return std::system((command + " > /dev/null 2>&1 < /dev/null").c_str()) == 0; }

struct run {
  double seconds;
  double bytes;
};

// Throws if the line fails.
run run_line(const std::string& line) {
  rusage used{};
  int status = -1;
  const double took = seconds([&] {
    const pid_t shell = vfork();
    if (shell == 0) {
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    if (shell < 0 || wait4(shell, &status, 0, &used) != shell) throw std::runtime_error("no process");
  });
  if (status != 0) throw std::runtime_error("failed: " + line);
  return {took, static_cast<double>(used.ru_maxrss) * 1024};
}

struct contestant {
  const char* name;
  std::string line;
  bool is_ours = false;
};

enum class figure : unsigned char { time, memory };

// `lines`: ours first.
void race(score_sheet& sheet, const std::string& title, figure what, const std::vector<contestant>& all, double count,
          const std::vector<goal>& goals, const turns& how) {
  contest row(sheet, "S14", title);
  for (const contestant& each : all) {
    const auto round = [line = each.line, what] {
      const run taken = run_line(line);
      return measured{{what == figure::time ? taken.seconds : taken.bytes}};
    };
    const std::string program = each.line.find("parallel") != std::string::npos ? "parallel --version" : "true";
    if (each.is_ours)
      row.ours(each.name, round);
    else if (here(program))
      row.peer(each.name, round);
    else
      row.absent(each.name, "it is not installed");
  }
  if (what == figure::memory) row.unit("B");
  if (count != 1) row.per(count, "job");
  for (const goal& each : goals) row.goal(each);
  row.run(how);
}

std::string with(const std::string& words) { return fmt::format("{} {}", ours, words); }

void short_jobs(score_sheet& sheet) {
  race(sheet, "2000 x true, 2 at a time, output in order", figure::time,
       {{"forkful map", "seq 2000 | " + with("-j2 true"), true},
        {"xargs -P2", "seq 2000 | xargs -P2 -n1 true"},
        {"parallel -k", "seq 2000 | parallel --will-cite -j2 -k true"}},
       2000, {at_most_times("xargs -P2", 0.8), times_faster_than("parallel -k", 5)}, {.rounds = 7, .budget = 120});
  race(sheet, "starting up: one job", figure::time,
       {{"forkful map", "echo 1 | " + with("true"), true},
        {"xargs", "echo 1 | xargs -n1 true"},
        {"parallel", "echo 1 | parallel --will-cite true"}},
       1, {at_most(6e-3, "at most 6 ms")}, {.rounds = 25, .budget = 30});
}

void many_lines(score_sheet& sheet) {
  const std::vector<contestant> all{{"forkful map", "seq 1000000 | " + with("-j2 -n 5000 true"), true},
                                    {"xargs -P2", "seq 1000000 | xargs -P2 -n 5000 true"},
                                    {"parallel", "seq 1000000 | parallel --will-cite -j2 -n 5000 true"}};
  race(sheet, "10^6 lines, 5000 a job", figure::time, all, 1, {at_most_times("xargs -P2", 1)},
       {.rounds = 3, .budget = 90});
  race(sheet, "10^6 lines: memory", figure::memory, all, 1, {at_most(10e6, "at most 10 MB", "B")},
       {.rounds = 3, .budget = 60, .thrown_away = 0});
}

void large_output(score_sheet& sheet) {
  const std::vector<contestant> all{
      {"forkful map", "echo 1000000000 | " + with("'head -c {} /dev/zero' | cat > /dev/null"), true},
      {"xargs", "echo 1000000000 | xargs -I{} head -c {} /dev/zero | cat > /dev/null"},
      {"parallel", "echo 1000000000 | parallel --will-cite 'head -c {} /dev/zero' | cat > /dev/null"}};
  race(sheet, "1 GB from one job, through a pipe", figure::time, all, 1, {at_most_times("parallel", 0.4)},
       {.rounds = 5, .budget = 60});
  race(sheet, "1 GB from one job: memory", figure::memory, all, 1, {at_most(8e6, "at most 8 MB", "B")},
       {.rounds = 3, .budget = 30, .thrown_away = 0});
}

void many_at_a_time(score_sheet& sheet) {
  race(sheet, "200 at a time x sleep 1", figure::time,
       {{"forkful map", "yes 1 | head -200 | " + with("-j200 sleep"), true},
        {"xargs -P200", "yes 1 | head -200 | xargs -P200 -n1 sleep"},
        {"parallel -j200", "yes 1 | head -200 | parallel --will-cite -j200 sleep"}},
       1, {at_most(1.3, "at most 1.3 s")}, {.rounds = 3, .budget = 60});
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "map");
  if (sheet.wanted("S14")) {
    short_jobs(sheet);
    many_lines(sheet);
    large_output(sheet);
    many_at_a_time(sheet);
  }
  return sheet.finish();
}
