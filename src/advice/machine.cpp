#include "advice/machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <forkful/errors.hpp>
#include <forkful/version.hpp>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "advice/calibrate.hpp"
#include "advice/machine_history.hpp"
#include "advice/machine_text.hpp"
#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "measure/listener.hpp"
#include "measure/shown_costs.hpp"
#include "os/breakpoint.hpp"
#include "os/child.hpp"
#include "os/cpu.hpp"
#include "os/data_limit.hpp"
#include "os/host.hpp"
#include "os/identity.hpp"
#include "os/inherited_lock.hpp"
#include "os/memory.hpp"
#include "os/others.hpp"
#include "os/process.hpp"
#include "os/sanitizer.hpp"
#include "os/signals.hpp"
#include "os/small_file.hpp"
#include "os/thread_count.hpp"
#include "os/timer.hpp"

namespace forkful::detail {

namespace {

constexpr std::uint64_t timeout_ns = 20'000'000'000;  // for what takes 50 ms, or a second with sanitizers

// What the measuring process leaves, in memory it shares with this one.
struct outcome {
  enum : std::uint8_t { nothing, measured, failed } state = nothing;
  machine figures{};
  std::array<char, 500> sentence{};
};

class shared_outcome {
 public:
  shared_outcome() : room_(map_shared(sizeof(outcome), page)) {
    if (room_.base == nullptr) throw_start_failed({room_.refused, room_.error});
    what_ = ::new (room_.base) outcome;
  }
  shared_outcome(const shared_outcome&) = delete;
  shared_outcome& operator=(const shared_outcome&) = delete;
  ~shared_outcome() { unmap_shared(room_.base, room_.size); }

  outcome* operator->() const noexcept { return what_; }

 private:
  static constexpr std::size_t page = 4096;
  shared_mapping room_;
  outcome* what_ = nullptr;
};

[[noreturn]] void measure_and_leave(const shared_outcome& shared, unsigned cpus, bool with_threads) noexcept {
  end_after(timeout_ns);
  reset_signals();
  try {
    const others_watch others;
    shared->figures = or_start_failed([&] { return calibrate(cpus); });
    if (with_threads) calibrate_threads(shared->figures);
    shared->figures.disturbance = others.share();
    shared->state = outcome::measured;
  } catch (const std::exception& error) {
    std::string_view(error.what()).copy(shared->sentence.data(), shared->sentence.size() - 1);
    shared->state = outcome::failed;
  }
  leave(0);
}

// What makes this build slower than others: a measurement by another one says little about it.
std::string slowed_by(const char* between) {
  std::string words;
#ifndef __OPTIMIZE__
  words += fmt::format("{}unoptimised", between);
#endif
  if (sanitized) words += fmt::format("{}sanitizer", between);
  if (has_breakpoints) words += fmt::format("{}breakpoints", between);
  return words;
}

constexpr std::size_t largest_file = std::size_t{64} << 10;  // ten times what is written

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

machine_key key_of_now() {
  std::string boot = read_small_file("/proc/sys/kernel/random/boot_id");
  boot.erase(std::find(boot.begin(), boot.end(), '\n'), boot.end());
  return {std::move(boot), usable_cpus(), fmt::format("{}{}", FORKFUL_VERSION, slowed_by(" "))};
}

}  // namespace

machine measure_machine() {
  reporting();  // calls of the measuring process are not to be reported, so it must not be the first to make a pool
  const shared_outcome shared;
  const double own_memory = static_cast<double>(private_memory());
  const unsigned cpus = usable_cpus();
  // A process that has threads may have used oneTBB, which then does not work in its forks.
  const bool has_threads = thread_count() != 1;
  const pid_t child = fork_flushed();
  if (child < 0) throw_start_failed({"fork", errno});
  if (child == 0) measure_and_leave(shared, cpus, !has_threads);
  reap_unwatched(child);
  if (shared->state == outcome::failed) throw start_failed(shared->sentence.data());
  machine found = shared->figures;
  if (shared->state == outcome::measured && has_threads) calibrate_threads(found);
  if (shared->state == outcome::nothing || !plausible(found)) {
    throw start_failed(
        "this machine could not be measured: a process that was to do it was killed, or took longer than 20 s; look "
        "for the reason in `dmesg`, and try again when the machine has memory and time to spare");
  }
  // The measured fork is one of this process; the figure wanted, of one without private memory.
  found.fork_start = std::max(found.fork_start - found.fork_per_byte * own_memory, found.fork_start / 10);
  found.taken = seconds_now();
  return found;
}

namespace {

// Empty if there is no file that fits.
machine_history stored() {
  const std::string path = machine_file();
  const machine_key key = key_of_now();
  if (path.empty() || key.boot.empty()) return {};
  return history_from(read_small_file(path, largest_file), key).value_or(machine_history{});
}

void store(const machine_history& what) {
  const std::string path = machine_file();
  const machine_key key = key_of_now();
  if (path.empty() || key.boot.empty() || what.measured.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  replace_file(path, fmt::format("{}.{:x}.part", path, this_process()), as_text(what, key));
}

// What this process has measured itself: all that there is where nothing can be stored. Locked as long as this lives.
class measured_here {
  struct kept {
    inherited_lock lock{};
    machine_history own{};
    unsigned cpus = 0;  // that it was measured for
  };

 public:
  measured_here() {
    // A fork in the middle of a change leaves a copy that cannot be trusted.
    if (!kept_.lock.lock()) std::construct_at(&kept_.own);
    const unsigned now = usable_cpus();
    if (std::exchange(kept_.cpus, now) != now) kept_.own = {};
  }
  measured_here(const measured_here&) = delete;
  measured_here& operator=(const measured_here&) = delete;
  ~measured_here() { kept_.lock.unlock(); }

  [[nodiscard]] machine_history& own() noexcept { return kept_.own; }
  // What is known now: stored, measured by this process, and shown by its calls.
  [[nodiscard]] machine_history all() const {
    machine_history known = stored();
    for (const machine& each : kept_.own.measured) {
      const bool there = std::any_of(known.measured.begin(), known.measured.end(),
                                     [&](const machine& one) { return one.taken == each.taken; });
      if (!there) known.add(each);
    }
    known.add(shown_by_calls().so_far());
    return known;
  }

 private:
  // Never destroyed: advice may be asked for as late as in static destructors.
  static kept& of_this_process() {
    static kept& only = *new kept;
    return only;
  }

  kept& kept_ = of_this_process();
};

// What calls showed is worth a write where it is better by so much.
constexpr double worth_a_write = 0.9;

bool shows_more(const machine_history& now, const machine_history& before) {
  if (before.measured.empty()) return false;
  const machine known = best_of(before);
  const machine better = best_of(now);
  const auto improves = [](double after, double earlier) { return after < worth_a_write * earlier; };
  for (const auto way : {&machine::threads, &machine::processes})
    for (const auto cost : {&way_costs::call, &way_costs::wake, &way_costs::hand_out})
      if (improves(better.*way.*cost, known.*way.*cost)) return true;
  return improves(known.copy_rate, better.copy_rate) || improves(known.fresh_copy_rate, better.fresh_copy_rate);
}

}  // namespace

machine this_machine() {
  measured_here mine;
  machine_history all = mine.all();
  if (worth_measuring(all, seconds_now(), others_running())) {
    const machine found = measure_machine();
    mine.own().add(found);
    all.add(found);
    cache_machine(found);
  } else if (machine_history before = stored(); shows_more(all, before)) {
    before.add(all.shown);
    store(before);
  }
  return best_of(all);
}

machine_history known_history() { return measured_here().all(); }

void cache_machine(const machine& what) {
  if (!worth_keeping(what, private_memory())) return;
  machine_history all = stored();
  all.add(what);
  all.add(shown_by_calls().so_far());
  store(all);
}

machine measure_again() {
  measured_here mine;
  const machine found = measure_machine();
  machine_history all = mine.all();
  if (!doubtful(found)) all = {};
  all.add(found);
  mine.own() = all;
  if (worth_keeping(found, private_memory())) store(all);
  return best_of(all);
}

std::string machine_file() {
  const auto below = [](const char* folder, const char* rest) {
    std::string host = host_name();
    std::replace(host.begin(), host.end(), '/', '_');
    return fmt::format("{}{}/forkful/machine-{}-{}{}.json", folder, rest, host, usable_cpus(), slowed_by("-"));
  };
  // The specification of base directories: relative paths do not count.
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return below(cache, "");
  const char* const home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? below(home, "/.cache") : std::string();
}

std::size_t private_memory() noexcept { return touched_private_memory(); }

}  // namespace forkful::detail
