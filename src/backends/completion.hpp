// How a call ends, whatever runs it: which failure it throws, what counts as cancelled, when progress is reported. The
// one place for docs/protocol.md, 6, as far as the caller sees it.
//
// Owns what will be thrown. Belongs to one call. Not thread-safe, but that one thread may say what failed while another, behind the
// call's mutex, stops it.
// What the call throws is, in this order: the reason why it was stopped, if there is one; the failure of the lowest slice that
// failed, unless each slice has an outcome of its own; that it was stopped, if a slice was not run because of that; and what the
// input threw. (So what an input throws comes behind the slices that it gave before.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <forkful/detail/job.hpp>
#include <forkful/errors.hpp>
#include <functional>

namespace forkful::detail {

class completion {
 public:
  // Both must live as long.
  completion(const job& work, const call_options& options) noexcept
      : job_(work), options_(options), progress_reported_(work.began_ns) {}
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;

  // ---- What happened ----

  // The slice failed. `in_full`: makes the failure where that takes long, asked when it is thrown, on the caller's thread; if there
  // is no memory for it, `failure` is thrown.
  void fail(std::size_t slice, const slice_failure& failure, std::function<slice_failure()> in_full = {});
  // Taking the slice's result threw (a `reduce`): a failure of that slice, also where each slice has an outcome: it has none.
  void fail_to_collect(std::size_t slice, const slice_failure& failure);
  [[nodiscard]] bool failed() const noexcept { return lowest_slice_ != none; }
  // SIZE_MAX: none.
  [[nodiscard]] std::size_t lowest_slice() const noexcept { return lowest_slice_; }

  // The call is to end early. With a reason, that is thrown, and nothing more is collected; without, what ran counts,
  // and what did not was cancelled. The first reason stays.
  void stop(std::exception_ptr reason) noexcept;
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }
  [[nodiscard]] bool has_reason() const noexcept { return reason_ != nullptr; }
  // This slice was not run, for whatever reason: if the call was stopped, that cancelled it.
  void missing(std::size_t slice) noexcept;
  // The input threw: there is no more of it.
  void input_failed(std::exception_ptr thrown) noexcept { input_failed_ = std::move(thrown); }

  // ---- On the caller's thread, with no mutex held ----

  // Where each slice has an outcome: hands these to the verb as cancelled.
  void collect_cancelled(std::size_t first, std::size_t last) const;
  // Whether the caller asked for progress and it is time to report it, or the `last` time.
  [[nodiscard]] bool progress_is_due(std::uint64_t now, bool last) const noexcept;
  // Reports it. `so_far.elapsed` is filled in. Throws what the caller's function throws.
  void report_progress(std::uint64_t now, progress so_far);
  // Throws what the call has to throw.
  void conclude() const;

 private:
  static constexpr std::size_t none = SIZE_MAX;

  [[nodiscard]] slice_failure lowest_in_full() const;

  const job& job_;
  const call_options& options_;
  slice_failure lowest_;
  std::function<slice_failure()> lowest_in_full_;
  std::size_t lowest_slice_ = none;
  std::size_t missing_ = none;
  bool stopped_ = false;
  std::exception_ptr reason_;
  std::exception_ptr input_failed_;
  std::uint64_t progress_reported_;
};

}  // namespace forkful::detail
