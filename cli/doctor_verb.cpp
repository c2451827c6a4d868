// forkful doctor: what this machine charges for going parallel, and what limits it.
//
// Measuring and judging are the library's (src/advice/); here it is laid out. What is known without measuring is printed first.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <forkful/errors.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "advice/limits.hpp"
#include "advice/machine.hpp"
#include "advice/machine_text.hpp"
#include "format/fmt.hpp"
#include "terminal.hpp"
#include "units.hpp"
#include "verb.hpp"

namespace cli {

namespace {

using forkful::detail::finding;
using forkful::detail::limits;
using forkful::detail::machine;
using forkful::detail::weight;

std::string seconds_text(double seconds) { return time_text(std::chrono::nanoseconds(std::llround(seconds * 1e9))); }
std::string rate_text(double bytes_a_second) { return bytes_text(static_cast<std::size_t>(bytes_a_second)) + "/s"; }
std::string limit_text(std::size_t limit) { return limit == SIZE_MAX ? "no limit" : bytes_text(limit); }
std::string count_text(std::size_t limit) { return limit == SIZE_MAX ? "no limit" : fmt::format("{}", limit); }

void print_row(std::string_view what, std::string_view figure, std::string_view remark = "") {
  print(fmt::format("  {:<40}{:>12}{}{}\n", what, figure, remark.empty() ? "" : "  ", remark));
}

void print_costs(std::string_view what, double forkful::detail::way_costs::* cost, const machine& found) {
  print(fmt::format("  {:<40}{:>12}{:>12}\n", what, seconds_text(found.threads.*cost),
                    seconds_text(found.processes.*cost)));
}

void print_machine(const machine& found) {
  using forkful::detail::way_costs;
  print(bold(fmt::format("{:<42}{:>12}{:>12}", "What going parallel costs", "threads", "processes")) + "\n");
  print_costs("a call, workers awake", &way_costs::call, found);
  print_costs("waking a worker that sleeps", &way_costs::wake, found);
  print_costs("of that, for the caller", &way_costs::rouse, found);
  print_costs("a chunk, for the caller", &way_costs::hand_out, found);
  print_costs("a chunk, for the worker", &way_costs::claim, found);
  print(fmt::format("  {:<40}{:>12}{:>12}\n", "waking one more, where no core is free", "",
                    seconds_text(found.crowded_wake)));
  print("\n");
  print_row("starting and ending a worker, by fork", seconds_text(found.fork_start),
            fmt::format("+ {} a GB", seconds_text(found.fork_per_byte * 1e9)));
  print_row("the same from forkful::init's template", seconds_text(found.template_start), "however large");
  print_row("touching a page for the first time", seconds_text(found.page_fault));
  print_row("writing to a page shared since a fork", seconds_text(found.copy_on_write));
  print_row("copying: one core", rate_text(found.copy_rate));
  print_row("copying: all of them, together", rate_text(found.copy_rate_all));
  print_row("copying: one core, to memory never used", rate_text(found.fresh_copy_rate));
}

void print_limits(const limits& of) {
  print("\n" + bold("What there is to use") + "\n");
  print_row("CPUs of the machine", fmt::format("{}", of.online_cpus),
            fmt::format("{} in the affinity mask", of.affinity_cpus));
  print_row("CPU time of the control group", of.cpu_quota > 0 ? fmt::format("{:.3g} CPUs", of.cpu_quota) : "no limit");
  print_row("busy CPUs, last minute", fmt::format("{:.1f}", of.load));
  print_row("memory of the machine", bytes_text(of.memory), bytes_text(of.memory_free) + " free");
  print_row("memory left to the control group", limit_text(of.group_memory_left));
  print_row("/dev/shm", of.has_shm ? bytes_text(of.shm) : "none");
  print_row("transparent huge pages", of.huge_pages.empty() ? "none" : of.huge_pages);
  print_row("overcommit", of.strict_overcommit ? "strict" : "allowed");
  print_row("processes       (ulimit -u)", count_text(of.processes));
  print_row("open files      (ulimit -n)", count_text(of.open_files));
  print_row("address space   (ulimit -v)", limit_text(of.address_space));
  print_row("file size       (ulimit -f)", limit_text(of.file_size));
  print_row("locked memory   (ulimit -l)", limit_text(of.locked_memory));
  print_row("core dumps      (ulimit -c)", limit_text(of.core), "(workers write none)");
}

void print_findings(const std::vector<finding>& found) {
  if (found.empty()) return;
  print("\n" + bold("What that means") + "\n");
  for (const finding& each : found) {
    const std::string_view mark = each.how_much == weight::note ? "-" : each.how_much == weight::costs ? "!" : "X";
    const std::string what = wrapped(fmt::format("{} {}", mark, each.what), 2);
    print(each.how_much == weight::blocks ? bold(what.substr(0, what.size() - 1)) + "\n" : what);
    print(wrapped("  " + each.means, 2));
    print(wrapped("  " + each.todo, 2));
  }
}

nlohmann::ordered_json limits_json(const limits& of) {
  const auto limit = [](std::size_t bytes) -> nlohmann::ordered_json {
    if (bytes == SIZE_MAX) return nullptr;
    return bytes;
  };
  return {{"kernel", of.kernel},
          {"online_cpus", of.online_cpus},
          {"affinity_cpus", of.affinity_cpus},
          {"cpu_quota", of.cpu_quota > 0 ? nlohmann::ordered_json(of.cpu_quota) : nullptr},
          {"load", of.load},
          {"memory_bytes", of.memory},
          {"memory_free_bytes", of.memory_free},
          {"group_memory_left_bytes", limit(of.group_memory_left)},
          {"processes", limit(of.processes)},
          {"open_files", limit(of.open_files)},
          {"address_space_bytes", limit(of.address_space)},
          {"file_size_bytes", limit(of.file_size)},
          {"locked_memory_bytes", limit(of.locked_memory)},
          {"core_bytes", limit(of.core)},
          {"strict_overcommit", of.strict_overcommit},
          {"huge_pages", of.huge_pages},
          {"shm_bytes", of.has_shm ? nlohmann::ordered_json(of.shm) : nullptr},
          {"virtual_machine", of.virtual_machine},
          {"pidfd_errno", of.pidfd_error},
          {"valgrind", of.valgrind},
          {"sanitizer", of.sanitizer}};
}

class doctor final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "doctor"; }
  [[nodiscard]] std::string about() const override { return "What going parallel costs here, and what limits it"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  forkful doctor             what this machine charges, and what limits it\n"
           "  forkful doctor --again     measured anew: another load, other limits\n"
           "  forkful doctor --json      everything, for a program\n"
           "\n"
           "Measures for a twentieth of a second, several times as the machine is used, and\n"
           "remembers the best until it boots.\n"
           "Findings begin with - (good to know), ! (costs something) or X (stands in the\n"
           "way), the most important last. docs/machine.md says how it is measured.";
  }

  void describe(CLI::App& app) override {
    app.add_flag("--again", again_, "Measure anew, whatever is remembered");
    app.add_flag("--json", json_, "One JSON object instead");
  }

  int run(const CLI::App& /*app*/) override {
    const limits of = forkful::detail::read_limits();
    if (!json_) {
      print(fmt::format("This machine: {} of {} CPU{}, {} of memory, Linux {}\n\n",
                        std::min(of.affinity_cpus, of.online_cpus), of.online_cpus, of.online_cpus == 1 ? "" : "s",
                        bytes_text(of.memory), harmless(of.kernel)));
    }
    const std::optional<machine> measured = look();
    const std::vector<finding> found = forkful::detail::findings(of, measured ? &*measured : nullptr);
    const std::string next = forkful::detail::next_step(found);
    if (json_) {
      print_json(of, measured, found, next);
    } else {
      if (measured) {
        print_machine(*measured);
        print_source(*measured);
      }
      print_limits(of);
      print_findings(found);
      print("\n" + wrapped("next: " + next, 6));
    }
    return measured ? all_well : input_failed;
  }

 private:
  // Empty, and the reason said on stderr, if this machine cannot be measured.
  std::optional<machine> look() {
    try {
      began_ = std::chrono::system_clock::now();
      const auto began = std::chrono::steady_clock::now();
      const machine found = again_ ? forkful::detail::measure_again() : forkful::detail::this_machine();
      took_ = std::chrono::steady_clock::now() - began;
      return found;
    } catch (const forkful::error& refused) {
      complain(fmt::format("{}: {} (see forkful explain {})", refused.code(), refused.what(), refused.code()));
      return std::nullopt;
    }
  }

  void print_source(const machine& found) const {
    using forkful::detail::date_of;
    const std::vector<machine> all = forkful::detail::known_history().measured;
    const double began = std::chrono::duration<double>(began_.time_since_epoch()).count();
    const bool now = all.empty() || all.back().taken >= began;
    std::string text = now ? fmt::format("Measured now, in {}; repeated measurements differed by {:.0f} %.",
                                         time_text(took_), 100 * (all.empty() ? found : all.back()).spread)
                           : "";
    if (all.size() > 1) {
      text += fmt::format("{}The best of {} measurements, from {} to {}.", now ? " " : "", all.size(),
                          date_of(all.front().taken), date_of(all.back().taken));
    } else if (!now) {
      text = fmt::format("Remembered since it was measured on {}.", date_of(all.back().taken));
    }
    if (!now) text += " --again measures anew.";
    print("\n" + wrapped(text));
  }

  static void print_json(const limits& of, const std::optional<machine>& measured, const std::vector<finding>& found,
                         const std::string& next) {
    using nlohmann::ordered_json;
    ordered_json all;
    all["machine"] = measured ? ordered_json::parse(forkful::detail::as_text(*measured)) : nullptr;
    all["limits"] = limits_json(of);
    all["findings"] = ordered_json::array();
    for (const finding& each : found) {
      const char* const how_much = each.how_much == weight::note    ? "note"
                                   : each.how_much == weight::costs ? "costs"
                                                                    : "blocks";
      all["findings"].push_back(
          {{"weight", how_much}, {"what", each.what}, {"means", each.means}, {"todo", each.todo}});
    }
    all["next"] = next;
    print(all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  }

  std::chrono::system_clock::time_point began_{};  // to look
  std::chrono::nanoseconds took_{0};
  bool again_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<verb> doctor_verb() { return std::make_unique<doctor>(); }

}  // namespace cli
