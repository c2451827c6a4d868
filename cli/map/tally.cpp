#include "map/tally.hpp"

#include <unistd.h>

#include <cstring>

#include "format/fmt.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr std::size_t most_named = 10;

// Of a command in a sentence: long ones are in the log.
std::string shortened(const std::string& text) {
  constexpr std::size_t most = 200;
  std::string shown = cli::harmless(text.substr(0, most));
  return text.size() > most ? shown + "..." : shown;
}

std::string seconds_text(std::chrono::nanoseconds time) {
  return fmt::format("{:.3g} s", std::chrono::duration<double>(time).count());
}

}  // namespace

std::string signal_text(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("signal {} (SIG{})", signal, name);
}

void say_line(const std::string& sentence) {
  const std::string line = fmt::format("forkful: {}\n", sentence);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void tally::add(const job_output& job) {
  const job_result& result = job.result;
  if (result.how == job_result::fate::stopped) {
    stopped_.fetch_add(1);
    return;
  }
  if (!result.good && failed_.load() < most_named && names_failures_) name_failure(job);
  if (!result.good) failed_.fetch_add(1);
  done_.fetch_add(1);
  if (!log_.open() || log_error_.load() != 0) return;
  log_entry entry{.number = job.of.items.number,
                  .began = std::chrono::duration<double>(result.began.time_since_epoch()).count(),
                  .seconds = std::chrono::duration<double>(result.ran).count(),
                  .sent = job.sent,
                  .received = job.delivered,
                  .exit_status = result.signal != 0 ? 0 : result.exit_status,
                  .signal = result.signal,
                  .command = how_.shown(job.of.items, true)};
  if (result.how == job_result::fate::timed_out) entry.exit_status = 124;
  log_error_.store(log_.append(entry));
}

void tally::name_failure(const job_output& job) {
  const job_result& result = job.result;
  const std::string command = shortened(how_.shown(job.of.items, false));
  const std::size_t number = job.of.items.number;
  const std::string tries = result.attempts > 1 ? fmt::format(", tried {} times", result.attempts) : "";
  if (result.how == job_result::fate::not_started)
    say_line(fmt::format("job {} was not started: {}{}: {}", number, result.reason, tries, command));
  else if (result.how == job_result::fate::timed_out)
    say_line(
        fmt::format("job {} was ended after {} (--timeout){}: {}", number, seconds_text(result.ran), tries, command));
  else if (result.signal != 0)
    say_line(fmt::format("job {} was ended by {}{}: {}", number, signal_text(result.signal), tries, command));
  else
    say_line(fmt::format("job {} failed with status {}{}: {}", number, result.exit_status, tries, command));
}

std::string tally::summary() const {
  if (failed() == 0) return {};
  return fmt::format("{} of {} job{} failed{}", failed(), done(), done() == 1 ? "" : "s",
                     failed() > most_named && names_failures_
                         ? fmt::format("; the first {} are named above{}", most_named,
                                       log_.open() ? ", all of them in the log" : "; --log FILE has them all")
                         : "");
}

}  // namespace mapping
