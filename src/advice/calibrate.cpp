#include "advice/calibrate.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <forkful/init.hpp>
#include <forkful/process_pool.hpp>
#include <forkful/thread_pool.hpp>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "advice/samples.hpp"
#include "advice/way_costs.hpp"
#include "os/child.hpp"
#include "os/memory.hpp"
#include "os/private_pages.hpp"
#include "os/process.hpp"
#include "os/refused_call.hpp"
#include "os/topology.hpp"

namespace forkful::detail {

namespace {

constexpr unsigned most_crowded = 4;  // workers, which are forked for it
constexpr std::size_t megabyte = std::size_t{1} << 20;

// Starting and ending a worker, as one of two: a pool costs more than its workers, and that is shared between the two.
double start_of_a_worker(start_method start) {
  const std::uint64_t began = now_ns();
  {
    process_pool pool(pool_options{.workers = 2, .start = start});
    pool.for_each(indices(2), [](std::size_t) {});
  }
  return seconds_since(began) / 2;
}

// Forks a process that does `work` and ends, and waits for it.
template <class Work>
double in_fork(Work work) {
  const std::uint64_t began = now_ns();
  const pid_t child = fork_flushed();
  if (child < 0) throw refused_call("fork", errno);
  if (child == 0) {
    work();
    leave(0);
  }
  reap_unwatched(child);
  return seconds_since(began);
}

void touch(std::span<std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += page_size()) bytes[i] = std::byte{1};
}

double per_page(double seconds, std::size_t bytes) {
  return seconds / (static_cast<double>(bytes) / static_cast<double>(page_size()));
}

// Memory that forks, faults and copies are measured with: small beside a fork's own cost, and yet visible in it.
class ballast {
 public:
  explicit ballast(unsigned cpus) : pages_(std::min<std::size_t>(std::max(8U, 2 * cpus), 64) * megabyte) {}

  samples faults(pace& measuring) {
    std::vector<double> each;
    constexpr std::size_t block = 2 * megabyte;
    for (std::size_t at = 0; at != pages_.bytes().size(); at += block) {
      const std::uint64_t began = now_ns();
      touch(pages_.bytes().subspan(at, block));
      each.push_back(per_page(seconds_since(began), block));
    }
    return measuring.taken(std::move(each));
  }

  // What a fork takes longer because these pages are there, for each byte. Of the quickest forks: noise only adds to
  // their time, and is often more than what is measured here. So where no difference is visible, more forks are made.
  double fork_per_byte() {
    constexpr int most = 12;
    const std::uint64_t end = now_ns() + 3'000'000;
    double with = 1e9;
    double without = 1e9;
    for (int pairs = 0; pairs != most && (pairs == 0 || now_ns() < end || with - without < without / 10); ++pairs) {
      pages_.show_to_children(false);
      without = std::min(without, in_fork([] {}));
      pages_.show_to_children(true);
      with = std::min(with, in_fork([] {}));
    }
    // With huge pages the difference is too small to be seen: then it counts as just visible.
    constexpr double visible = 1e-6;
    return std::max(with - without, visible) / static_cast<double>(pages_.bytes().size());
  }

  samples copies_on_write(pace& measuring) {
    const shared_mapping shared = map_shared(page_size(), page_size());
    if (shared.base == nullptr) throw refused_call(shared.refused, shared.error);
    auto* const took = reinterpret_cast<double*>(shared.base);
    const std::span<std::byte> written = pages_.bytes().first(2 * megabyte);
    const samples all = measuring.repeat(5, 3, [&] {
      in_fork([&] {
        const std::uint64_t began = now_ns();
        touch(written);
        *took = seconds_since(began);
      });
      return per_page(*took, written.size());
    });
    unmap_shared(shared.base, shared.size);
    return all;
  }

  // Bytes a second from one half to the other: each thread copies its part, all at once.
  double copy_rate(pace& measuring, unsigned threads) {
    const std::size_t half = pages_.bytes().size() / 2;
    const std::size_t part = half / threads;
    const auto from = [&](unsigned who) { return pages_.bytes().subspan(who * part, part); };
    const auto to = [&](unsigned who) { return pages_.bytes().subspan(half + who * part, part); };
    std::vector<double> took = at_once(
        threads, 5,
        [&](unsigned who) {
          leave_caches(from(who));
          leave_caches(to(who));
        },
        [&](unsigned who) { std::memcpy(to(who).data(), from(who).data(), part); });
    return static_cast<double>(part * threads) / measuring.taken(std::move(took)).median();
  }

  samples fresh_copies(pace& measuring) {
    constexpr std::size_t bytes = 2 * megabyte;
    return measuring.repeat(5, 3, [&] {
      const private_pages fresh(bytes);
      const std::uint64_t began = now_ns();
      std::memcpy(fresh.bytes().data(), pages_.bytes().data(), bytes);
      return seconds_since(began) / static_cast<double>(bytes);
    });
  }

 private:
  // Runs work(0) ... work(threads - 1) at the same time, for so many rounds, when all have prepared: seconds from the
  // first begin to the last end.
  template <class Prepare, class Work>
  static std::vector<double> at_once(unsigned threads, unsigned rounds, const Prepare& prepare, const Work& work) {
    std::atomic<unsigned> there{0};
    std::atomic<bool> given_up{false};
    std::vector<std::uint64_t> begins(std::size_t{rounds} * threads);
    std::vector<std::uint64_t> ends(begins.size());
    const auto run = [&](unsigned who) {
      for (unsigned round = 0; round != rounds; ++round) {
        prepare(who);
        there.fetch_add(1);
        // Two threads may be on the same core.
        while (there.load() < (round + 1) * threads && !given_up.load()) let_others_run();
        begins[round * threads + who] = now_ns();
        work(who);
        ends[round * threads + who] = now_ns();
      }
    };
    {
      std::vector<std::jthread> others;
      try {
        for (unsigned who = 1; who != threads; ++who) others.emplace_back(run, who);
      } catch (const std::system_error& refused) {
        given_up = true;
        others.clear();
        throw refused_call("pthread_create", refused.code().value());
      }
      run(0);
    }
    std::vector<double> took;
    for (std::size_t first = 0; first != begins.size(); first += threads) {
      const std::uint64_t begin = *std::min_element(&begins[first], &begins[first] + threads);
      const std::uint64_t end = *std::max_element(&ends[first], &ends[first] + threads);
      took.push_back(1e-9 * static_cast<double>(std::max(end, begin + 1) - begin));
    }
    return took;
  }

  private_pages pages_;
};

}  // namespace

machine calibrate(unsigned cpus) {
  machine found;
  pace measuring;
  found.cpus = cpus;
  init(0, nullptr);  // while this process has one thread

  std::vector<double> from_template;
  found.fork_start = measuring
                         .repeat(8, 5.5,
                                 [&] {
                                   from_template.push_back(start_of_a_worker(start_method::forkserver));
                                   return start_of_a_worker(start_method::fork);
                                 })
                         .low();
  found.template_start = measuring.taken(std::move(from_template)).low();
  const unsigned runners = cpus > 2 ? 2 : 1;
  {
    process_pool pool(pool_options{.workers = runners, .start = start_method::fork});
    const waking alone = measure_waking(pool, runners, 5, measuring);
    found.processes.wake = alone.wake;
    found.processes.rouse = alone.rouse;
  }
  found.crowded_wake = found.processes.wake;
  if (cpus > 1 && cpus <= most_crowded) {
    process_pool pool(pool_options{.workers = cpus, .start = start_method::fork});
    found.crowded_wake = std::max(found.crowded_wake, measure_waking(pool, cpus, 4, measuring).wake);
  }
  {
    // A core is the caller's: calls between two on the same one would be slow.
    process_pool pool(
        pool_options{.workers = runners, .start = start_method::fork, .on_worker_start = keep_off_first_cpu});
    const on_first_cpu caller;
    measure_calls(pool, runners, measuring, found.processes);
  }

  ballast memory(cpus);
  found.page_fault = memory.faults(measuring).median();
  found.copy_on_write = memory.copies_on_write(measuring).median();
  found.fork_per_byte = memory.fork_per_byte();
  found.copy_rate = memory.copy_rate(measuring, 1);
  found.fresh_copy_rate = 1 / memory.fresh_copies(measuring).median();
  found.copy_rate_all = memory.copy_rate(measuring, cpus);
  found.spread = measuring.spread();
  return found;
}

void calibrate_threads(machine& found) {
  pace measuring;
  const unsigned runners = std::min(found.cpus, 2U);  // the caller is one of them
  thread_pool pool(pool_options{.workers = runners});
  const waking asleep = measure_waking(pool, runners, 5, measuring);
  found.threads.wake = asleep.wake;
  found.threads.rouse = asleep.rouse;
  measure_calls(pool, runners, measuring, found.threads);
}

}  // namespace forkful::detail
