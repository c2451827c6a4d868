// The sentences for failures that no code threw: deaths, timeouts, cancelled slices. Each says what happened, why, and
// what to do now.
#include "errors/exceptions.hpp"

#include <array>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "errors/bases.hpp"
#include "os/host.hpp"

namespace forkful::detail {

namespace {

slice_failure failure_of(failure_kind kind, std::string_view base, std::size_t slice, unsigned worker,
                         unsigned attempt) {
  slice_failure failure;
  failure.kind = kind;
  failure.type = base;
  failure.base = base_named(base);
  failure.slice = slice;
  failure.worker = worker;
  failure.attempt = attempt;
  failure.host = host_name();
  return failure;
}

// "slice 7", or "one of slices 512 to 639".
std::string named(std::size_t first, std::size_t last) {
  if (last <= first + 1) return "slice " + std::to_string(first);
  return "one of slices " + std::to_string(first) + " to " + std::to_string(last - 1);
}

std::string tried(unsigned attempt, unsigned attempts) {
  return "attempt " + std::to_string(attempt) + " of " + std::to_string(attempts);
}

std::string_view reason(int signal, access touched) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
      if (touched == access::null) return "its code followed a null pointer";
      if (touched == access::wild) return "its code touched memory that it may not touch";
      if (touched == access::overflow) {
        return "its code overflowed its stack, by calling itself too deep or by local variables too large for it "
               "(ulimit -s)";
      }
      return "its code touched memory that it may not touch, or overflowed its stack";
    case SIGABRT:
      return "its code called abort(), which a failed assertion, std::terminate and a damaged heap also do";
    case SIGFPE:
      return "its code divided an integer by zero, or overflowed a division";
    case SIGILL:
    case SIGTRAP:
      return "it ran an instruction that ends a program: a built-in trap, or code built for another CPU";
    case SIGKILL:
      return "it was killed from outside, often by the kernel for want of memory (dmesg tells)";
    case SIGXCPU:
    case SIGXFSZ:
      return "it went past a resource limit of this process (ulimit -a lists them)";
    case SIGSYS:
      return "it made a system call that a filter of this process forbids";
    default:
      return "its code raised this signal, or another process sent it";
  }
}

// "slice 7", "one of slices 512 to 639", or "the submitted call".
std::string subject(std::size_t first, std::size_t last, const failing_call& of) {
  return of.verb == "submit" ? "the submitted call" : named(first, last);
}

// The verb that gives an outcome a slice where this one throws; empty: this is one, or its slices are not
// distinguished.
std::string_view forgiving(const failing_call& of) {
  if (of.slices < 2 || of.verb == "submit" || of.verb.starts_with("try_")) return {};
  if (of.verb == "update") return "try_update";
  return of.in_place || of.verb == "for_each" ? "try_for_each" : "try_map";
}

// The way out of a failure that killed a worker.
std::string way_out(std::string_view cure, const failing_call& of) {
  const std::string_view kind = forgiving(of);
  std::string said = of.in_place ? "What it was changing may be half done: restore it before you go on. " : "";
  said += cure;
  if (of.in_place) {
    if (!kind.empty()) said.append("; ").append(kind).append(" finishes the other slices");
    return said;
  }
  const std::string_view keeps = kind == "try_map" ? " keeps the other results" : " finishes the other slices";
  said += kind.empty() ? "; " : "; " + std::string{kind} + std::string{keeps} + ", and ";
  return said + "more call_options::attempts repeat a " + (of.verb == "submit" ? "call" : "slice") +
         " that fails by chance";
}

// 1500000000 ns is "1500 ms": the largest unit that shows it exactly.
std::string duration_text(std::chrono::nanoseconds duration) {
  constexpr std::array<std::pair<long long, std::string_view>, 3> units{
      {{1'000'000'000, " s"}, {1'000'000, " ms"}, {1'000, " µs"}}};
  const long long count = duration.count();
  for (const auto& [size, unit] : units) {
    if (count % size == 0) return std::to_string(count / size) + std::string{unit};
  }
  return std::to_string(count) + " ns";
}

std::string cancelled_sentence(std::size_t slice, std::string_view verb) {
  constexpr std::string_view how = " was not finished: a stop_token, cancel() or terminate() stopped ";
  const bool submitted = verb == "submit";
  std::string what = submitted ? std::string("the submitted call") : "slice " + std::to_string(slice);
  const std::string_view then =
      submitted ? "it. Submit it again if it is still wanted" : "the call. Call again for the slices that are missing";
  what.reserve(what.size() + how.size() + then.size());
  what += how;
  what += then;
  return what;
}

}  // namespace

// Not strsignal(): it depends on the locale and is not safe with threads.
std::string signal_text(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  const char* const meaning = ::sigdescr_np(signal);
  if (name == nullptr || meaning == nullptr) return "signal " + std::to_string(signal);
  std::string text{meaning};
  // "CPU time limit exceeded" and "I/O possible" keep their capitals.
  const auto is_lower = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  if (text.size() > 1 && is_lower(text[1])) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return "SIG" + std::string{name} + ", " + text;
}

std::string in_function(const crash_site& where) {
  constexpr std::size_t longest = 120;
  const auto shown = [](const std::string& name, const std::string& place) {
    return (name.size() <= longest ? name : name.substr(0, longest) + "...") + (place.empty() ? "" : " at " + place);
  };
  if (where.top.empty()) return {};
  std::string said = " in " + shown(where.top, where.place);
  if (!where.caller.empty()) said += ", called by " + shown(where.caller, where.caller_location) + ",";
  return said;
}

slice_failure crash_failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                            int signal, int exit_status, const failing_call& of, crash_site where) {
  slice_failure failure = failure_of(failure_kind::crash, "forkful::worker_crashed", first, worker, attempt);
  failure.signal = signal;
  failure.exit_status = exit_status;
  const std::string on = " worker " + std::to_string(worker) + " (";
  if (signal != 0) {
    const std::string in = in_function(where);
    failure.frames = std::move(where.frames);
    failure.what = subject(first, last, of) + " crashed" + on + signal_text(signal) + ")" + in + " on " +
                   tried(attempt, attempts) + ": " + std::string{reason(signal, where.touched)} + ". " +
                   way_out("Run it on a serial_pool in a debugger to see where", of);
  } else if (exit_status < 0) {
    failure.what = subject(first, last, of) + " ended" + on + "status unknown) on " + tried(attempt, attempts) +
                   ": its status was lost, because this process ignores SIGCHLD or waits for any child. " +
                   way_out("Wait for your own children by their pid and leave SIGCHLD at its default to see why", of);
  } else {
    failure.what = subject(first, last, of) + " ended" + on + "exit status " + std::to_string(exit_status) + ") on " +
                   tried(attempt, attempts) + ": its code called exit() or _exit(), which ends the worker. " +
                   way_out("Return or throw instead", of);
  }
  return failure;
}

slice_failure timeout_failure(std::size_t first, std::size_t last, unsigned worker, unsigned attempt, unsigned attempts,
                              std::chrono::nanoseconds timeout, const failing_call& of) {
  slice_failure failure = failure_of(failure_kind::timeout, "forkful::slice_timeout", first, worker, attempt);
  failure.what = subject(first, last, of) + " ran longer than its timeout of " + duration_text(timeout) +
                 " in worker " + std::to_string(worker) + " on " + tried(attempt, attempts) +
                 ": it hangs or needs more time, and the " + "worker was killed. " +
                 way_out("Raise call_options::timeout, or run it on a serial_pool in a debugger", of);
  return failure;
}

slice_failure cancelled_failure(std::size_t slice, unsigned worker, unsigned attempt, std::string_view verb) {
  slice_failure failure = failure_of(failure_kind::cancelled, "forkful::cancelled", slice, worker, attempt);
  failure.what = cancelled_sentence(slice, verb);
  return failure;
}

cancelled_slices::cancelled_slices(std::string_view verb)
    : verb_(verb), pattern_(failure_of(failure_kind::cancelled, "forkful::cancelled", 0, 0, 1)) {}

slice_failure cancelled_slices::failure(std::size_t slice) const {
  slice_failure failure = pattern_;
  failure.slice = slice;
  failure.what = cancelled_sentence(slice, verb_);
  return failure;
}

}  // namespace forkful::detail
