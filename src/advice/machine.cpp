#include "advice/machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <forkful/errors.hpp>
#include <forkful/version.hpp>
#include <fstream>
#include <new>
#include <string_view>

#include "advice/calibrate.hpp"
#include "advice/machine_text.hpp"
#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "measure/listener.hpp"
#include "os/breakpoint.hpp"
#include "os/child.hpp"
#include "os/cpu.hpp"
#include "os/data_limit.hpp"
#include "os/host.hpp"
#include "os/identity.hpp"
#include "os/memory.hpp"
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
    shared->figures = or_start_failed([&] { return calibrate(cpus); });
    if (with_threads) calibrate_threads(shared->figures);
    shared->state = outcome::measured;
  } catch (const std::exception& error) {
    std::string_view(error.what()).copy(shared->sentence.data(), shared->sentence.size() - 1);
    shared->state = outcome::failed;
  }
  leave(0);
}

// How this library was built: a measurement by another build says little about it.
std::string build() {
  std::string name = FORKFUL_VERSION;
#ifndef __OPTIMIZE__
  name += " unoptimised";
#endif
  if (sanitized) name += " sanitizer";
  if (has_breakpoints) name += " breakpoints";
  return name;
}

machine_key key_of_now() {
  std::string boot = read_small_file("/proc/sys/kernel/random/boot_id");
  boot.erase(std::find(boot.begin(), boot.end(), '\n'), boot.end());
  return {std::move(boot), usable_cpus(), build()};
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
  return found;
}

const machine& this_machine() {
  static const machine known = [] {
    const std::optional<machine> kept = cached_machine();
    return kept ? *kept : measure_again();
  }();
  return known;
}

std::optional<machine> cached_machine() {
  const std::string path = machine_file();
  const machine_key key = key_of_now();
  return path.empty() || key.boot.empty() ? std::nullopt : machine_from(read_small_file(path), key);
}

void cache_machine(const machine& what) {
  if (!worth_keeping(what, private_memory())) return;
  const std::string path = machine_file();
  const machine_key key = key_of_now();
  if (path.empty() || key.boot.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  replace_file(path, fmt::format("{}.{:x}.part", path, this_process()), as_text(what, key));
}

machine measure_again() {
  const machine found = measure_machine();
  cache_machine(found);
  return found;
}

std::string machine_file() {
  const auto below = [](const char* folder, const char* rest) {
    std::string host = host_name();
    std::replace(host.begin(), host.end(), '/', '_');
    return fmt::format("{}{}/forkful/machine-{}-{}.json", folder, rest, host, usable_cpus());
  };
  // The specification of base directories: relative paths do not count.
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return below(cache, "");
  const char* const home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? below(home, "/.cache") : std::string();
}

std::size_t private_memory() noexcept { return touched_private_memory(); }

}  // namespace forkful::detail
