// The report as text: readable in ten seconds, without colour, within 80 columns, what to do next in the last line.

#include <algorithm>
#include <array>
#include <cmath>
#include <forkful/report.hpp>

#include "format/fmt.hpp"
#include "report/words.hpp"

namespace forkful {

namespace {

using detail::counted;
using detail::human_bytes;
using detail::human_time;
using detail::percent;
using detail::wrapped;
using std::chrono::nanoseconds;

constexpr std::size_t bar_width = 30;
constexpr std::size_t most_rows = 8;
constexpr auto worth_telling = std::chrono::milliseconds(1);  // of waiting, if it is so much of the wall besides:
constexpr double much = 0.25;

struct part {
  char sign;
  const char* name;
  nanoseconds time;
};

double share(nanoseconds part, nanoseconds whole) {
  return whole.count() <= 0 ? 0 : static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

// "worker 0  ######################>.....  compute 74 %, passing 3 %, waiting 23 %"
template <std::size_t N>
std::string row(const std::string& name, const std::array<part, N>& parts, nanoseconds whole) {
  std::string bar;
  nanoseconds so_far{0};
  for (const part& one : parts) {
    so_far += one.time;
    const auto end = static_cast<std::size_t>(std::lround(share(so_far, whole) * static_cast<double>(bar_width)));
    if (end > bar.size()) bar.append(std::min(end, bar_width) - bar.size(), one.sign);
  }
  std::array<part, N> by_size = parts;
  std::stable_sort(by_size.begin(), by_size.end(), [](const part& a, const part& b) { return a.time > b.time; });
  std::string listed;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, N); ++i) {
    if (i != 0 && share(by_size[i].time, whole) < 0.01) break;
    listed +=
        fmt::format("{}{} {}", listed.empty() ? "" : ", ", by_size[i].name, percent(share(by_size[i].time, whole)));
  }
  return fmt::format("{:<11.11} {:<{}}  {}\n", name, bar, bar_width, listed);
}

std::string worker_line(const std::string& name, const time_split& time, nanoseconds whole) {
  return row(name,
             std::array<part, 4>{{{'+', "starting", time.start},
                                  {'#', "computing", time.compute},
                                  {'=', "passing", time.pass_in + time.pass_out},
                                  {'.', "waiting", time.wake + time.idle}}},
             whole);
}

std::string caller_line(const time_split& time, nanoseconds whole) {
  return row("caller",
             std::array<part, 4>{{{'+', "starting", time.start},
                                  {'=', "passing in", time.pass_in + time.wake},
                                  {'.', "waiting", time.idle + time.compute},
                                  {'=', "taking back", time.reassemble}}},
             whole);
}

void add(time_split& sum, const time_split& one) {
  sum.start += one.start;
  sum.pass_in += one.pass_in;
  sum.wake += one.wake;
  sum.compute += one.compute;
  sum.idle += one.idle;
  sum.pass_out += one.pass_out;
}

}  // namespace

std::string report::text() const {
  if (calls == 0 && verb.empty() && way.empty()) return "no call has ended yet: there is nothing to report\n";
  const std::string what = verb.empty() ? "call" : verb;
  std::string text = wrapped(
      "", fmt::format("{}{}: {} in {} by {} ({}), {}", calls > 1 ? fmt::format("{} calls of {}", calls, what) : what,
                      finished ? "" : " (not finished)", counted(slices, "slice"), counted(chunks, "chunk"),
                      counted(workers, "worker"), way, human_time(wall)));
  if (wall.count() > 0) {
    if (per_worker.size() <= most_rows) {
      for (const worker_row& one : per_worker) {
        text += one.missing ? fmt::format("{:<11.11} could not be started\n", fmt::format("worker {}", one.worker))
                            : worker_line(fmt::format("worker {}", one.worker), one.time, wall);
      }
    } else {
      time_split all;
      std::size_t there = 0;
      for (const worker_row& one : per_worker) {
        if (one.missing) continue;
        ++there;
        add(all, one.time);
      }
      text += worker_line(counted(there, "worker"), all, wall * static_cast<std::int64_t>(there));
      if (there != per_worker.size()) text += fmt::format("{} more could not be started\n", per_worker.size() - there);
    }
    text += caller_line(caller, wall);
  }
  // The time before a worker began, and while no call was under way, is not caused by the work.
  const nanoseconds each_queued = queued / static_cast<std::int64_t>(std::max<std::size_t>(1, calls));
  if (each_queued >= worth_telling && share(queued, wall) >= much)
    text += fmt::format("queued: {}{} until a worker began\n", human_time(each_queued), calls > 1 ? " a call" : "");
  if (away >= worth_telling && share(away, wall) >= much)
    text += fmt::format("away: {} while nobody asked for results\n", human_time(away));
  text += fmt::format("copied in {}, copied out {}", human_bytes(bytes_in), human_bytes(bytes_out));
  if (bytes_shared != 0) text += fmt::format(", in shared memory {}", human_bytes(bytes_shared));
  text += '\n';
  if (!slowest.empty() && slices > 1) {
    const slow_slices& one = slowest.front();
    if (calls > 1 && verb == "submit") {
      text += fmt::format("slowest: call {}", one.call);
    } else {
      text += one.count == 1 ? fmt::format("slowest: slice {}", one.first)
                             : fmt::format("slowest: slices {}-{}", one.first, one.first + one.count - 1);
      if (calls > 1) text += fmt::format(" of call {}", one.call);
    }
    text += fmt::format(", {}\n", human_time(one.time));
  }
  if (peak_memory != 0) {
    text += fmt::format("memory: {} at most, {}", human_bytes(peak_memory), counted(page_faults, "page fault"));
    if (bytes_copied_on_write != 0) text += fmt::format(", {} copied on write", human_bytes(bytes_copied_on_write));
    text += '\n';
  }
  if (deaths != 0)
    text += fmt::format("{} died, {} handed out again\n", counted(deaths, "worker"), counted(retries, "chunk"));
  for (const std::string& warning : warnings) text += wrapped("note: ", warning);
  if (!advice.empty()) text += wrapped("next: ", advice);
  return text;
}

}  // namespace forkful
