#include "map/session.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <forkful/progress.hpp>
#include <memory>
#include <optional>
#include <system_error>

#include "files.hpp"
#include "format/fmt.hpp"
#include "map/blocks.hpp"
#include "map/crew.hpp"
#include "map/ends.hpp"
#include "map/items.hpp"
#include "map/map_advice.hpp"
#include "map/measures.hpp"
#include "map/misuse.hpp"
#include "map/option_values.hpp"
#include "os/cpu.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

using forkful::detail::fd;

std::string error_text(int error) { return std::generic_category().message(error); }

// 0 to 2 lead somewhere, else a pipe of ours would be one of them: where one was closed, to where its use fails as it would have.
void open_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    const int opened = ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != number) {
      ::dup2(opened, number);
      ::close(opened);
    }
  }
  // Jobs get 0 to 2 and nothing else.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
}

/// As many descriptors as may be had; what they were before, if that changed.
std::optional<rlimit> raise_files() {
  rlimit before{};
  if (::getrlimit(RLIMIT_NOFILE, &before) != 0 || before.rlim_cur == before.rlim_max) return {};
  rlimit more = before;
  more.rlim_cur = more.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &more) == 0 ? std::optional(before) : std::nullopt;
}

fd event() {
  fd made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made.valid()) throw refusal(own_failure, fmt::format("cannot make a descriptor: {}", error_text(errno)));
  return made;
}

// How many jobs the descriptors are enough for; says so if those are fewer.
unsigned slots_for(unsigned jobs, const options& how) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return jobs;
  rlim_t used = 0;
  std::error_code none;
  for (auto each = std::filesystem::directory_iterator("/proc/self/fd", none);
       each != std::filesystem::directory_iterator(); each.increment(none))
    ++used;
  constexpr rlim_t spare = 8;  // ours: signals, events, the guardian, the log, the output
  const rlim_t each = how.blocks ? 7 : 5;
  const rlim_t left = files.rlim_cur > used + spare ? files.rlim_cur - used - spare : 0;
  const auto most = static_cast<unsigned>(std::clamp<rlim_t>(left / each, 1, jobs));
  if (most < jobs && how.jobs != "0")
    say_line(fmt::format("{} jobs at a time need more than the {} descriptors there are (ulimit -n): {} run at a time",
                         jobs, files.rlim_cur, most));
  return most;
}

// Where the jobs' standard output goes. What a broken run left behind the log's last line is cut off.
fd open_output(const options& how, job_log& log) {
  if (how.output_file.empty()) return fd();
  const auto fail = [&](std::string_view what) {
    throw refusal(own_failure,
                  fmt::format("cannot {} {}: {}", what, cli::harmless(how.output_file), error_text(errno)));
  };
  fd file(::open(how.output_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) fail("open");
  struct stat about{};
  if (::fstat(file.number(), &about) != 0) fail("look at");
  if (!S_ISREG(about.st_mode)) return file;
  if (log.resumes()) log.cut_to_output(static_cast<std::uint64_t>(about.st_size));
  const auto kept = static_cast<off_t>(log.resumes() ? log.received() : 0);
  if (::ftruncate(file.number(), kept) != 0) fail("cut");
  if (::lseek(file.number(), kept, SEEK_SET) < 0) fail("write to");
  return file;
}

int dry_run(job_queue& jobs, const recipe& does) {
  while (std::optional<job> next = jobs.take()) {
    next->items.slot = 1;
    cli::print(does.shown(next->items, false) + "\n");
  }
  return all_well;
}

void say_ended(int signal, const tally& sums, const options& how) {
  const std::string what = signal == SIGINT ? "interrupted" : fmt::format("ended by {}", signal_text(signal));
  const char* const next = how.log.empty()              ? "with --log FILE a run can go on with --resume"
                           : how.resume == resuming::no ? "the same line with --resume goes on"
                                                        : "the same line goes on";
  say_line(fmt::format("{} with {} jobs done; {}", what, sums.done(), next));
}

// --report, or what FORKFUL_REPORT asks every program for. What cannot be written is said before the run.
std::string report_name(const options& how) {
  const char* const asked = std::getenv("FORKFUL_REPORT");
  std::string file = !how.report.empty() ? how.report : asked != nullptr ? asked : "";
  if (file.empty()) return file;
  const std::string wrong = wrong_report_name(file);
  if (!wrong.empty() && !how.report.empty()) throw refusal(misused, wrong);
  if (!wrong.empty()) {
    say_line(wrong);
    return {};
  }
  if (file != "-") {
    try {
      cli::check_writable(file);
    } catch (const std::exception& error) {
      throw refusal(own_failure, fmt::format("the report cannot be written: {}", error.what()));
    }
  }
  return file;
}

// The report, and what to do better next time.
void conclude(const options& how, const measures& measured, const std::string& report, std::size_t held,
              const recipe& does, const forkful::detail::command_setting& setting) {
  const bool speaks = how.advice || (::isatty(STDERR_FILENO) == 1 && !how.quiet);
  if ((!speaks && report.empty()) || measured.jobs() == 0) return;
  const std::vector<std::string> sentences =
      advice_on(measured, {.cpus = forkful::detail::usable_cpus(),
                           .command_start = measure_command_start(setting),
                           .one_item_a_job = !how.per_job && !how.fill && !how.blocks,
                           .ordered = how.output == grouping::ordered,
                           .held = held,
                           .command = cli::harmless(does.name())});
  if (speaks) {
    for (const std::string& each : sentences) say_line(each);
  }
  if (!report.empty()) write_report(measured.as_report(sentences.empty() ? "" : sentences.front()), report);
}

}  // namespace

int run_session(const options& how) {
  open_standard_descriptors();
  if (how.origins.empty() && ::isatty(STDIN_FILENO) == 1) {
    throw refusal(misused,
                  "there are no items: put them behind :::, as forkful map COMMAND ::: a b c, or into a pipe, as "
                  "ls | forkful map COMMAND (see forkful map --help)");
  }
  const unsigned jobs = jobs_of(how.jobs.empty() ? "100%" : how.jobs, forkful::detail::usable_cpus());
  const fd stop = event();
  const fd attention = event();
  std::unique_ptr<supply> from;
  std::vector<std::string> names;
  if (how.blocks) {
    from = std::make_unique<blocks>(how, stop.number());
  } else {
    auto lists = std::make_unique<items>(how, jobs, stop.number());
    names = lists->names();
    from = std::move(lists);
  }
  const recipe does(how, std::move(names));
  job_log log;
  // Blocks have the same command, all of them.
  const resuming resume = how.blocks && how.resume == resuming::done ? resuming::numbers : how.resume;
  if (!how.log.empty() && !how.dry_run) log = job_log(how.log, resume);
  const fd file = how.dry_run ? fd() : open_output(how, log);
  log.settle();
  job_queue queue(*from, does, log, how.delay);
  if (how.dry_run) return dry_run(queue, does);

  forkful::detail::command_setting setting;
  const fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing.valid()) throw refusal(own_failure, fmt::format("cannot open /dev/null: {}", error_text(errno)));
  setting.nothing = nothing.number();
  setting.files = raise_files();
  const unsigned slots = slots_for(jobs, how);

  signals incoming;
  incoming.put_into(setting);
  tally sums(does, log, !how.quiet);
  const std::string report = report_name(how);
  measures measured(does, !report.empty());
  int status = all_well;
  int signal = 0;
  std::optional<int> decided;
  std::size_t held = 0;
  {
    guardian groups(slots);
    halt limit(how.halt);
    std::optional<crew> runners;
    turn output(how.output, file.valid() ? file.number() : STDOUT_FILENO, [&](const job_output& job) {
      if (output.broken() != 0) return;
      sums.add(job);
      if (job.result.how != job_result::fate::stopped) measured.add(job);
      if (sums.log_error() != 0)
        runners->fail(
            fmt::format("cannot write to the log {}: {}", cli::harmless(how.log), error_text(sums.log_error())),
            ending::stopping);
    });
    runners.emplace(crew::parts{how, does, queue, output, groups, limit, setting, attention.number(), stop.number()},
                    slots);
    ends until(*runners, groups, incoming, attention.number());
    std::function<void()> draw;
    const auto began = std::chrono::steady_clock::now();
    if (how.progress) {
      draw = [&, bar = forkful::progress_bar("running")] {
        bar({.done = sums.done(),
             .total = queue.total() - (queue.total() == 0 ? 0 : queue.left_out()),
             .elapsed = std::chrono::steady_clock::now() - began,
             .busy = runners->busy()});
      };
    }
    runners->begin();
    until.wait(draw);
    signal = until.signal();
    if (signal != 0) {
      say_ended(signal, sums, how);
      if (!until.all_through()) incoming.die_of(signal);  // some thread waits for a reader of our output
    }
    runners->join();
    measured.end(runners->runners());
    held = output.peak_held();
    if (draw) draw();
    decided = limit.status();
    if (const int broken = output.broken(); broken == EPIPE && !incoming.pipe_ignored() && signal == 0) {
      signal = SIGPIPE;
    } else if (broken != 0 && signal == 0) {
      say_line(fmt::format("cannot write the output{}: {}; the run has ended",
                           how.output_file.empty() ? "" : " to " + cli::harmless(how.output_file), error_text(broken)));
      status = own_failure;
    }
    if (const std::string failure = runners->failure(); !failure.empty()) {
      say_line(failure);
      status = own_failure;
    }
  }
  if (signal != 0) incoming.die_of(signal);
  if (const std::string failed = sums.summary(); !failed.empty()) say_line(failed);
  conclude(how, measured, report, held, does, setting);
  if (decided.value_or(0) != 0) say_line(fmt::format("stopped by --halt with {} jobs done", sums.done()));
  if (status != all_well) return status;
  if (decided) return *decided;
  return sums.failed() == 0 ? all_well : job_failed;
}

}  // namespace mapping
