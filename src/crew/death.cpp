#include "crew/death.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "errors/exceptions.hpp"
#include "names/symbols.hpp"

namespace forkful::detail {

namespace {

constexpr std::size_t shown_frames = 16;

// Names what lies between the crash and forkful's own frames around the slice.
crash_site site_of(const death& end) {
  crash_site site;
  site.touched = end.touched;
  std::vector<code_name> names;
  try {
    names = name_code(end.where);
  } catch (const std::bad_alloc&) {
    // What matters is that the slice crashed.
  }
  const auto users = [](const code_name& name) { return !name.ours && !name.system; };
  // What called the user's function is not the user's: ours, and std::apply between.
  const auto outermost = std::find_if(names.rbegin(), names.rend(), users);
  if (outermost != names.rend()) {
    names.erase(outermost.base(), names.end());
  } else {
    const auto has_callable = [](const code_name& name) { return !name.callable.empty(); };
    const auto swallowed = std::find_if(names.begin(), names.end(), has_callable);
    if (swallowed != names.end()) {
      names.erase(swallowed + 1, names.end());
      names.back() = {.text = names.back().callable};
    }
    while (names.size() > 1 && names.back().ours) names.pop_back();
  }
  if (names.size() > shown_frames) names.resize(shown_frames);
  // In a library there is little to mend: the function that called it is named too, with the line.
  bool needs_caller = false;
  for (const code_name& name : names) {
    if (users(name) && site.top.empty()) {
      site.top = name.text;
      site.place = name.place;
      needs_caller = name.place.empty() || name.installed;
    } else if (users(name) && needs_caller && !name.place.empty() && !name.installed) {
      site.caller = name.text;
      site.caller_location = name.place;
      needs_caller = false;
    }
    site.frames.push_back(name.place.empty() ? name.text : name.text + " at " + name.place);
  }
  return site;
}

}  // namespace

void death::read(const worker_record& noted) {
  left = signal == 0 && noted.stage.load(std::memory_order_acquire) == worker_stage::leaving;
  said.assign(noted.trouble.begin(), std::find(noted.trouble.begin(), noted.trouble.end(), '\0'));
  const int caught = noted.signal.load(std::memory_order_relaxed);
  if (caught == 0 || (signal == 0 && exit_status >= 0)) return;  // a lost status is known again
  // The caught one, also if the handler did not get to the end and was killed.
  signal = caught;
  touched = noted.touched.load(std::memory_order_relaxed);
  const std::size_t count = std::min<std::size_t>(noted.frames.load(std::memory_order_relaxed), noted.where.size());
  where.assign(noted.where.begin(), noted.where.begin() + static_cast<std::ptrdiff_t>(count));
}

crash_site death::site() const { return late ? crash_site{} : site_of(*this); }

std::string death::trouble(const std::string& starting) const {
  if (!said.empty()) return said;
  if (signal == 0 && exit_status < 0) return starting + " ended it, with a status that is not known";
  if (signal == 0) return starting + " left with exit status " + std::to_string(exit_status);
  return starting + " crashed (" + signal_text(signal) + ")" + in_function(site_of(*this));
}

std::string death::brief_failure() const {
  if (late) return "too late";
  if (signal != 0) return signal_text(signal);
  return exit_status < 0 ? "exit status not known" : "exit status " + std::to_string(exit_status);
}

slice_failure death::failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                             std::chrono::nanoseconds timeout, const failing_call& of,
                             const crash_site& where_it_was) const {
  if (late) return timeout_failure(first, last, worker, attempt, attempts, timeout, of);
  return crash_failure(first, last, worker, attempt, attempts, signal, exit_status, of, where_it_was);
}

}  // namespace forkful::detail
