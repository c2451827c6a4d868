// Keeps each thread's last report, pool by pool.
#include <forkful/detail/job.hpp>
#include <unordered_map>

namespace forkful::detail {

namespace {
// Keyed by the engine's number, which is never used twice: a pool made at a dead pool's address has no report yet.
thread_local std::unordered_map<std::uint64_t, report> last_reports;
constexpr std::size_t kept_reports = 64;
}  // namespace

void run_job(engine& running, job& work, const call_options& options) {
  report happened;
  happened.slices = work.slices;
  happened.workers = running.size();
  happened.bytes_in = work.bytes_broadcast;
  const auto began = std::chrono::steady_clock::now();
  const auto keep = [&] {
    happened.wall = std::chrono::steady_clock::now() - began;
    if (last_reports.size() >= kept_reports) last_reports.clear();
    last_reports[running.number()] = happened;
  };
  try {
    running.run(work, options, happened);
  } catch (...) {
    keep();
    throw;
  }
  keep();
}

report last_report(const engine& running) {
  const auto found = last_reports.find(running.number());
  return found == last_reports.end() ? report{} : found->second;
}

}  // namespace forkful::detail
