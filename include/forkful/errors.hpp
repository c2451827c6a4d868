// What forkful throws, and what it knows about a slice that failed.
//
// Two families meet here. `error` and the classes derived from it are forkful's own sentences. `slice_info` says which
// slice failed, where and how often it was tried; everything thrown because of a slice derives from it, whatever else
// it is: an exception of a slice comes back as the nearest standard class it had (list in docs/errors.md) and
// slice_info.
//
// Invariants:
// - No class derives from std::exception twice: slice_info is not an exception, so that each object thrown here is
//   caught by `const std::exception&`, by its standard class and by `const slice_info&`.
// - Copying any of these never throws: what was learned about a failure is shared, not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <forkful/detail/standard_library.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

/// The cause of a slice's failure.
enum class failure_kind : std::uint8_t {
  exception,  ///< the callable threw
  crash,      ///< the worker ended by a signal or by exit()
  timeout,    ///< the slice ran longer than call_options::timeout
  memory,     ///< std::bad_alloc or arena_exhausted
  cancelled,  ///< stopped before it was done
  codec,      ///< an input or a result could not be encoded or decoded
};

/// Everything known about one slice that failed. A plain aggregate: it travels between processes by the codec.
struct slice_failure {
  failure_kind kind = failure_kind::exception;
  std::string what;        ///< the exact what() of the exception, or forkful's sentence
  std::string type;        ///< demangled type of the thrown object; "forkful::worker_crashed" and so on for the others
  std::size_t slice = 0;   ///< index in the input, from 0
  unsigned worker = 0;     ///< 0 ... size()-1
  unsigned attempt = 1;    ///< which attempt failed, from 1
  std::string host;        ///< name of the machine it ran on; may be empty
  int signal = 0;          ///< signal that ended the worker; 0: none
  int exit_status = 0;     ///< exit status of the worker, if no signal ended it
  std::uint32_t base = 0;  ///< which class to throw on the caller's side: an index into forkful's list of bases
  int error_value = 0;     ///< value of the error code of system_error, filesystem_error, future_error, regex_error
  std::uint32_t error_category = 0;  ///< 0 generic, 1 system, 2 iostream, 3 future
  std::string path1;                 ///< std::filesystem::filesystem_error::path1()
  std::string path2;                 ///< std::filesystem::filesystem_error::path2()
  std::vector<std::string> frames;   ///< innermost stack frames of a crash; may be empty
};

/// Which slice failed, and where. A mixin, not an exception: `catch (const slice_info& info)` catches every exception
/// that belongs to a slice, `catch (const std::exception& e)` catches the same object. Reading is thread-safe.
class slice_info {
 public:
  virtual ~slice_info();

  /// Index of the slice in the input, from 0. For a crash in place, the first slice of the block it names.
  [[nodiscard]] std::size_t slice() const noexcept { return failure_->slice; }
  /// The worker that held the slice, 0 ... size()-1.
  [[nodiscard]] unsigned worker() const noexcept { return failure_->worker; }
  /// The attempt that failed, from 1.
  [[nodiscard]] unsigned attempt() const noexcept { return failure_->attempt; }
  /// Type of the object that was thrown, as C++ writes it. It may be more derived than what was rebuilt here.
  [[nodiscard]] const std::string& type() const noexcept { return failure_->type; }
  /// Name of the machine on which the slice failed; may be empty.
  [[nodiscard]] const std::string& host() const noexcept { return failure_->host; }
  /// All of the above and more. Valid as long as this object or a copy of it.
  [[nodiscard]] const slice_failure& failure() const noexcept { return *failure_; }

 protected:
  /// `failure` must not be null.
  explicit slice_info(std::shared_ptr<const slice_failure> failure) noexcept : failure_{std::move(failure)} {}
  slice_info(const slice_info&) = default;
  slice_info& operator=(const slice_info&) = default;

 private:
  std::shared_ptr<const slice_failure> failure_;
};

/// Base of forkful's own errors. what() is a sentence: what happened, why, what to do now.
class error : public std::runtime_error {
 public:
  explicit error(const std::string& sentence) : std::runtime_error{sentence} {}
  error(const error&) = default;
  error& operator=(const error&) = default;
  ~error() override;

  /// A short stable name, the same as the class's: `forkful explain CODE` and docs/errors.md have an entry for each.
  [[nodiscard]] virtual std::string_view code() const noexcept;
};

/// A worker ended (signal, exit) while it held a slice, and the slice had no attempts left.
class worker_crashed : public error, public slice_info {
 public:
  explicit worker_crashed(const std::shared_ptr<const slice_failure>& failure);
  [[nodiscard]] std::string_view code() const noexcept override;

  /// The signal that ended the worker; 0 if it exited.
  [[nodiscard]] int signal() const noexcept { return failure().signal; }
  /// The status it exited with; meaningful only if signal() is 0. -1: unknown, because other code took the status
  /// (SIGCHLD is ignored, or a wait() for any child).
  [[nodiscard]] int exit_status() const noexcept { return failure().exit_status; }
  /// The innermost stack frames at the crash, innermost first, as "run(int) at work.cpp:12" if there is debug information;
  /// empty if none could be had (SIGKILL leaves none).
  [[nodiscard]] const std::vector<std::string>& frames() const noexcept { return failure().frames; }
};

/// A slice ran longer than call_options::timeout, on its last attempt.
class slice_timeout : public error, public slice_info {
 public:
  explicit slice_timeout(const std::shared_ptr<const slice_failure>& failure);
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// A slice threw something that is no std::exception; type() is its type. Not a forkful::error: the slice's code threw
/// it.
class slice_error : public std::runtime_error, public slice_info {
 public:
  explicit slice_error(const std::shared_ptr<const slice_failure>& failure);
  slice_error(const slice_error&) = default;
  slice_error& operator=(const slice_error&) = default;
  ~slice_error() override;
};

/// Shared memory is used up. Thrown by a slice, it is a slice_info too.
class arena_exhausted : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// A value could not be encoded, or what came back could not be decoded. Thrown for a slice, it is a slice_info too.
class codec_error : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// The arena or the workers could not be made, or keep dying before they take a slice.
class start_failed : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// The work was stopped by a stop_token, by cancel() or by terminate(). A cancelled slice is a slice_info too.
class cancelled : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// A verb was called on a pool after terminate().
class pool_closed : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// Slices that are to be changed in place lie outside shared memory: the workers would change copies.
class not_shared : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

/// A pool was used in a process that did not make it (it was inherited by fork).
class wrong_process : public error {
 public:
  using error::error;
  [[nodiscard]] std::string_view code() const noexcept override;
};

namespace detail {

/// Throws what `failure` describes: the standard class it was and slice_info, or the forkful class of its kind.
[[noreturn]] void rethrow(const slice_failure& failure);

}  // namespace detail

}  // namespace forkful
