// forkful::flushed_stream: a C++ stream of the program's (a log) that slices write to.
#pragma once

#include <iosfwd>

namespace [[gnu::visibility("default")]] forkful {

/// While it lives, `stream` is flushed before this process starts a worker, and in workers after each chunk and before they leave:
/// so what slices write arrives before the verb returns, and what the caller had written is not written once more by its workers.
///
///     std::ofstream log("run.log", std::ios::app);
///     forkful::flushed_stream flushed(log);
///     forkful::process_pool pool{4};
///
/// Not needed for std::cout, std::clog and C streams (`FILE*`), which forkful finds by itself. No library can list the C++ streams
/// of a program. Without this, a worker ends with what its copy of the stream still holds back, and a slice that
/// flushes also writes what the caller's stream held back when the worker was started. May be made in workers too
/// (`on_worker_start`), for streams that are opened there.
///
/// The stream must outlive it. Making and destroying is thread-safe; but the stream itself has no lock, so that no other thread may
/// write to it while this process starts workers (when a process_pool is made, in calls on a snapshot_pool, and where a worker is
/// replaced). That a stream throws when it cannot be flushed is ignored. Throws std::bad_alloc. Cost: 20 ns a chunk.
class [[nodiscard]] flushed_stream {
 public:
  explicit flushed_stream(std::ostream& stream);
  flushed_stream(const flushed_stream&) = delete;
  flushed_stream& operator=(const flushed_stream&) = delete;
  ~flushed_stream();

 private:
  std::ostream* stream_;
};

}  // namespace forkful
