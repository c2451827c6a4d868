#include "report/reporter.hpp"

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <forkful/detail/job.hpp>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "errors/refused.hpp"
#include "format/fmt.hpp"
#include "measure/listener.hpp"
#include "measure/totals.hpp"
#include "os/aside.hpp"
#include "os/child.hpp"
#include "os/identity.hpp"
#include "os/memory.hpp"
#include "os/message.hpp"
#include "os/process.hpp"
#include "os/small_file.hpp"
#include "os/unshared.hpp"
#include "report/document.hpp"
#include "report/journal.hpp"
#include "report/remarks.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr int timeout_ms = 5'000;  // for the file to be written, at the program's exit
constexpr char written = 2;        // what the reporter answers then
constexpr char not_written = 3;

struct destination {
  std::string path;
  document_format format;
};

struct state {
  journal* shared = nullptr;
  unshared_fd line;
  std::uint64_t owner = 0;
  std::mutex mutex;  // of the journal's writers
};
state* reporter = nullptr;  // never destroyed

// A place in the journal, given back at the end.
struct copy_in_journal final : timeline_copy {
  ~copy_in_journal() override {
    // In a forked child it is the parent's.
    if (where == nullptr || reporter->owner != this_process()) return;
    where->taken.store(0, std::memory_order_release);
  }
  void put(std::size_t index, const timeline_chunk& one, std::size_t count) noexcept override {
    where->put(index, one, count);
  }
  void replace(const std::vector<timeline_chunk>& all) noexcept override { where->replace(all); }
  void count_death() noexcept override { where->deaths.fetch_add(1, std::memory_order_relaxed); }

  live_call* where = nullptr;
};

void say(const std::string& sentence) noexcept { std::fputs(("forkful: " + sentence + "\n").c_str(), stderr); }

std::optional<document_format> format_of(std::string_view path) {
  if (path == "-") return document_format::text;
  if (path.ends_with(".json")) return document_format::json;
  if (path.ends_with(".trace")) return document_format::trace;
  if (path.ends_with(".html")) return document_format::html;
  return std::nullopt;
}

std::string part_of(const std::string& path, std::uint64_t mark) { return fmt::format("{}.{:x}.part", path, mark); }

bool can_be_written(const std::string& path) {
  if (path == "-") return true;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return false;
  const std::string part = part_of(path, this_process());
  if (!std::ofstream(part)) return false;
  std::filesystem::remove(part, ignored);
  return true;
}

// False: it could not be written.
bool write(const destination& to, const journal& what, std::uint64_t mark) {
  std::vector<report> calls = what.all();
  std::vector<report> totals = totals_of(calls, cpus_to_use());
  if (const std::uint64_t dropped = what.dropped.load(std::memory_order_relaxed); dropped != 0) {
    for (report& total : totals) {
      total.warnings.push_back(fmt::format(
          "{} further calls of the program are not in this report, which was full: this total lacks those of this pool",
          dropped));
    }
  }
  for (report& call : calls) advise_on(call, cpus_to_use());
  const std::string text = document(totals, calls, to.format);
  if (to.path == "-") {
    return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  }
  return replace_file(to.path, part_of(to.path, mark), text);
}

// The reporter's whole life. Nothing unwinds into the frames of the program, which this process inherited.
[[noreturn]] void wait_and_write(const destination& to, const journal& what, int line, std::uint64_t mark) noexcept {
  try {
    detach(line, to.path == "-");
    char end = 0;
    receive_message(line, &end, sizeof end, nullptr, -1);
    end = write(to, what, mark) ? written : not_written;
    send_message(line, &end, sizeof end, {});
  } catch (...) {
    // No memory, or a journal that was written over: then there is no report.
  }
  leave(0);
}

// The program's normal exit: a reader is to find the file afterwards.
void finish() noexcept {
  if (reporter == nullptr || reporter->owner != this_process()) return;
  const std::uint64_t dropped = reporter->shared->dropped.load(std::memory_order_relaxed);
  if (dropped != 0) say(fmt::format("{} further calls are not in the report: it is full", dropped));
  std::fflush(stdout);
  if (!reporter->line.intact()) {
    say("the report ends where the program closed descriptors that are forkful's (a loop over all numbers, closefrom, "
        "close_range): close only what you have opened");
    return;
  }
  char end = 0;
  if (!send_message(reporter->line.number(), &end, sizeof end, {})) {
    say("there is no report: the process that was to write it has ended");
    return;
  }
  const received answer = receive_message(reporter->line.number(), &end, sizeof end, nullptr, timeout_ms);
  if (answer == received::nothing) {
    say("the report takes long to be written; the program ends, and it may come later");
  } else if (answer == received::closed || end != written) {
    say("the report could not be written: is the disk full, or the folder gone? (FORKFUL_REPORT names the file)");
  }
}

void start(const destination& to) {
  auto made = std::make_unique<state>();
  made->owner = this_process();
  const shared_mapping memory = map_shared(sizeof(journal), 4096);
  if (memory.base == nullptr) {
    say(fmt::format("there is no memory for a report ({}); the program goes on without", memory.refused));
    return;
  }
  made->shared = reinterpret_cast<journal*>(memory.base);  // zero is its beginning
  socket_ends ends = or_start_failed([] { return socket_ends::make(SOCK_SEQPACKET); });
  const std::uint64_t mark = this_process();
  // Twice: the reporter is not to be a child of the program, whose wait() would find it.
  const pid_t between = fork_flushed();
  if (between == 0) {
    if (fork_flushed() == 0) wait_and_write(to, *made->shared, ends.theirs.number(), mark);
    leave(0);
  }
  if (between < 0) {
    unmap_shared(memory.base, memory.size);
    say("a process to write the report could not be started (fork); the program goes on without");
    return;
  }
  reap_unwatched(between);
  made->line = std::move(ends.ours);
  reporter = made.release();
  std::atexit(finish);
}

void begin() noexcept {
  const char* const asked = std::getenv("FORKFUL_REPORT");
  if (asked == nullptr || *asked == '\0' || in_worker_process()) return;
  try {
    const std::optional<document_format> format = format_of(asked);
    if (!format) {
      say(fmt::format(
          "FORKFUL_REPORT={}: a report is written to a file that ends in .html, .json or .trace, or to - as text; the "
          "program goes on without",
          asked));
    } else if (!can_be_written(asked)) {
      say(fmt::format("FORKFUL_REPORT={}: this file cannot be written; the program goes on without a report", asked));
    } else {
      start({asked, *format});
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "forkful: no report will be written: %s\n", error.what());
  }
}

}  // namespace

bool reporting() noexcept {
  static const bool begun = [] {
    begin();
    return true;
  }();
  return begun && reporter != nullptr && reporter->owner == this_process();
}

std::unique_ptr<timeline_copy> report_begin(const report& begun) {
  if (!reporting()) return nullptr;
  auto made = std::make_unique<copy_in_journal>();
  made->where = reporter->shared->begin(begun);
  return made->where != nullptr ? std::move(made) : nullptr;
}

void report_finished(const report& what) noexcept {
  if (!reporting()) return;
  const std::lock_guard lock(reporter->mutex);
  reporter->shared->add(what);
}

}  // namespace forkful::detail
