#include "map/measures.hpp"

#include <algorithm>
#include <fstream>

#include "files.hpp"
#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "map/tally.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr std::size_t most_lengths = 2000;
constexpr std::size_t most_slowest = 5;
// A page that draws more is slow to open: jobs beyond are counted, not drawn.
constexpr std::size_t most_drawn = 20'000;
constexpr std::size_t shown_letters = 120;

}  // namespace

void measures::add(const job_output& job) {
  const job_result& result = job.result;
  const unsigned slot = job.of.items.slot - 1;
  if (rows_.size() <= slot) rows_.resize(slot + 1);
  const auto took = result.ended - result.taken;
  rows_[slot].jobs += 1;
  rows_[slot].starting += result.starting;
  rows_[slot].running += took - result.starting;
  cpu_ += result.cpu;
  sent_ += job.sent;
  delivered_ += job.delivered;
  if (jobs_++ % each_ == 0) lengths_.push_back(std::chrono::duration<double>(took).count());
  if (lengths_.size() == most_lengths) {
    for (std::size_t i = 0; i != most_lengths / 2; ++i) lengths_[i] = lengths_[2 * i];
    lengths_.resize(most_lengths / 2);
    each_ *= 2;
  }
  if (result.ended > last_end_) {
    end_before_ = std::max(last_end_, began_);
    last_end_ = result.ended;
    last_ = job.of.items.number;
  } else {
    end_before_ = std::max(end_before_, result.ended);
  }
  keep_slowest(job, took);
  if (!with_timeline_) return;
  if (timeline_.chunks.size() == most_drawn) {
    timeline_.thinned = true;
    return;
  }
  timeline_.chunks.push_back({.worker = slot,
                              .first = job.of.items.number - 1,
                              .count = 1,
                              .begin = result.taken - began_,
                              .end = result.ended - began_,
                              .pass_in = result.starting});
  if (result.good) return;
  const std::string why = result.how == job_result::fate::not_started ? "not started: " + result.reason
                          : result.how == job_result::fate::timed_out ? std::string("timed out")
                          : result.signal != 0                        ? signal_text(result.signal)
                                                                      : fmt::format("status {}", result.exit_status);
  timeline_.events.push_back(
      {.what = forkful::timeline_event::kind::slice_failed,
       .worker = slot,
       .slice = job.of.items.number - 1,
       .at = result.ended - began_,
       .text = fmt::format("{}: {}", why, cli::harmless(how_.shown(job.of.items, false).substr(0, shown_letters)))});
}

void measures::keep_slowest(const job_output& job, std::chrono::nanoseconds took) {
  if (slowest_.size() == most_slowest && slowest_.back().of.time >= took) return;
  const auto at = std::find_if(slowest_.begin(), slowest_.end(), [&](const slow& each) { return each.of.time < took; });
  slowest_.insert(at, {{.first = job.of.items.number - 1, .worker = job.of.items.slot - 1, .time = took},
                       cli::harmless(how_.shown(job.of.items, false).substr(0, shown_letters))});
  if (slowest_.size() > most_slowest) slowest_.pop_back();
}

double measures::median() const {
  if (lengths_.empty()) return 0;
  std::vector<double> sorted = lengths_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

std::pair<std::size_t, double> measures::alone() const {
  return {last_, std::chrono::duration<double>(last_end_ - end_before_).count()};
}

forkful::report measures::as_report(const std::string& advice) const {
  forkful::report all;
  all.way = "command";
  all.verb = "map";
  all.began = began_.time_since_epoch();
  all.slices = jobs_;
  all.chunks = jobs_;
  all.workers = std::max(slots_, static_cast<unsigned>(rows_.size()));
  all.wall = ended_ - began_;
  all.caller.idle = all.wall;
  for (unsigned slot = 0; slot != all.workers; ++slot) {
    const row each = slot < rows_.size() ? rows_[slot] : row{};
    forkful::worker_row& to = all.per_worker.emplace_back();
    to.worker = slot;
    to.slices = each.jobs;
    to.chunks = each.jobs;
    to.time.start = std::min(each.starting, all.wall);
    to.time.compute = std::min(each.running, all.wall - to.time.start);
    to.time.idle = all.wall - to.time.start - to.time.compute;
  }
  all.bytes_in = static_cast<std::size_t>(sent_);
  all.bytes_out = static_cast<std::size_t>(delivered_);
  for (const slow& each : slowest_) {
    all.slowest.push_back(each.of);
    all.warnings.push_back(fmt::format("job {} took {:.3g} s: {}", each.of.first + 1,
                                       std::chrono::duration<double>(each.of.time).count(), each.command));
  }
  all.advice = advice;
  all.has_timeline = with_timeline_;
  all.recorded = timeline_;
  std::stable_sort(all.recorded.chunks.begin(), all.recorded.chunks.end(), [](const auto& a, const auto& b) {
    return a.worker != b.worker ? a.worker < b.worker : a.begin < b.begin;
  });
  std::stable_sort(all.recorded.events.begin(), all.recorded.events.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return all;
}

std::string wrong_report_name(const std::string& file) {
  if (file == "-" || file.ends_with(".html") || file.ends_with(".json") || file.ends_with(".trace")) return {};
  return fmt::format("a report is written to a file that ends in .html, .json or .trace, or to - as text; {} does not",
                     cli::harmless(file));
}

void write_report(const forkful::report& all, const std::string& file) {
  if (file == "-") {
    fmt::print(stderr, "{}", all.text());
    return;
  }
  try {
    cli::write_whole(file, file.ends_with(".html") ? all.html() : file.ends_with(".json") ? all.json() : all.trace());
  } catch (const std::exception& error) {
    throw refusal(own_failure, fmt::format("the report could not be written: {}", error.what()));
  }
}

}  // namespace mapping
