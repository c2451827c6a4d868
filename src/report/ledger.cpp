// Keeps each thread's last report, pool by pool.
#include <forkful/detail/job.hpp>
#include <unordered_map>

namespace forkful::detail {

namespace {
// Keyed by the engine's number, which is never used twice: a pool made at a dead pool's address has no report yet.
thread_local std::unordered_map<std::uint64_t, report> last_reports;
constexpr std::size_t kept_reports = 64;
}  // namespace

void conclude_job(std::uint64_t engine_number, ongoing& call) {
  const auto keep = [&] {
    if (last_reports.size() >= kept_reports) last_reports.clear();
    last_reports[engine_number] = std::move(call.happened);
  };
  try {
    call.conclude();
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
