// A call of a pool's verb: its values, its results, and its place in the engine.
//
// Carried on by any thread, one at a time: the one that has `mutex_`, which is taken without the GIL. Invariants: all members are touched
// with the GIL held, also by what the engine calls; a value is alive until it is settled, a result is let go of when it was handed over.
#pragma once

#include <pybind11/pybind11.h>
#include "python.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <forkful/detail/job.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "frame_reader.hpp"
#include "frame_writer.hpp"
#include "owned.hpp"
#include "worker.hpp"

namespace forkful::python {

namespace py = pybind11;

// What calls of a verb have in common: made once where no option is given. Destroyed with the GIL held.
struct call_settings {
  call_settings() = default;
  call_settings(const call_settings&) = delete;
  call_settings& operator=(const call_settings&) = delete;
  ~call_settings();

  std::string verb;
  calling how = calling::one;
  std::size_t chunk = 0;
  double timeout = 0;  // seconds; 0: none
  unsigned attempts = 1;
  std::size_t window = 0;  // values read ahead of results; 0: as many as the engine likes
  bool lazy = false;       // `values` is an iterator
  bool stream = false;     // results are taken one by one
  bool unordered = false;
  bool fail_fast = false;
  py::object shipper;         // of the pool; None where nothing is sent
  py::object load_exception;  // (bytes) -> the exception of a value that failed
  py::object stack_of;        // None, or (worker, call, item) -> Python's stack of the item that ended the worker
  py::object progress;        // None or False; True: a bar on stderr; else called with (done, total, seconds, busy)
};

// What engine and workers may read of a call that all threads have let go of: the engine holds it, too, until nothing of the call is on
// the board. Destroyed on any thread, with the GIL.
struct call_in_flight {
  call_in_flight() = default;
  call_in_flight(const call_in_flight&) = delete;
  call_in_flight& operator=(const call_in_flight&) = delete;
  ~call_in_flight();
  static std::shared_ptr<call_in_flight> make();

  std::shared_ptr<const call_settings> settings;
  std::shared_ptr<payload> what;
  std::unique_ptr<sent_once> once;
  plan* in_shared_memory = nullptr;
  detail::job job;
  std::uint64_t made_by = 0;
};

class call {
 public:
  // `values`: a list, or an iterator if lazy. `what`: a payload where values travel, else the callable.
  call(std::shared_ptr<engine> where, py::object what, py::object values,
       std::shared_ptr<const call_settings> settings);
  call(const call&) = delete;
  call& operator=(const call&) = delete;
  ~call();

  // Carries the call on for so many seconds (negative: to its end), or until `enough` more results have arrived (0: to its end), if no other
  // thread does. True: it has ended. Raises what a signal handler raises; then the call goes on.
  bool advance(double seconds, std::size_t enough);
  // The same without waiting, nor for another thread that carries it on: false then. Everything that fits is with the workers.
  bool look();
  bool cancel(bool kill);
  bool begun();
  // What was not begun is not.
  void stop();
  // Once it has ended: take(), or raises what the engine has to say of the whole call, or what its input or its progress function raised;
  // then, too, take() has what arrived. It may find further values that were cancelled.
  py::tuple conclude();
  // Results of a list of values in their order, None where there is none (of a stream None), and {index: exception} or None. Taken over.
  py::tuple take();

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  // Of an iterator: the next result that has arrived, or raises the next exception; `nothing`: none has.
  py::object take_next(py::object nothing);
  detail::ongoing* going() noexcept { return going_.get(); }
  // Called without the GIL when another `going` takes the place of the first; may be empty.
  void on_another(std::function<void(detail::ongoing&)> tell) { another_ = std::move(tell); }

 private:
  std::size_t encode(std::size_t first, std::size_t last, sink& to);
  std::size_t pull(std::size_t wanted);
  void collect(const detail::finished_slices& what);
  void settle(std::size_t slice, bool succeeded, owned value);
  void let_go_below(std::size_t end);
  void note(PyObject* error, std::size_t index, int worker);
  owned failure_of(const slice_failure& failed);
  bool was_loading(const slice_failure& failed);
  // Which of the values a slice is.
  [[nodiscard]] std::size_t index_of(std::size_t slice) const { return again_.empty() ? slice : again_[slice]; }
  [[nodiscard]] PyObject* value(std::size_t slice) const {
    slice = index_of(slice);
    return settings_->lazy ? pulled_[slice - pulled_from_]
                           : PyList_GET_ITEM(values_.ptr(), static_cast<Py_ssize_t>(slice));
  }
  void report_progress(const progress& so_far);
  bool begin_those_not_loaded();
  void begin(std::size_t slices, std::size_t chunk);
  [[nodiscard]] detail::wait_policy at_once() const;
  bool advance_locked(const detail::wait_policy& how_long);
  bool carry_on(const detail::wait_policy& how_long, bool wait_for_others);

  std::shared_ptr<engine> engine_;
  std::shared_ptr<call_in_flight> flight_;
  py::object what_;
  py::object values_;
  std::shared_ptr<const call_settings> settings_;
  std::uint64_t made_by_;

  py::object results_ = py::none();
  py::object failures_ = py::none();
  std::deque<std::pair<bool, owned>> next_;  // whether it succeeded
  std::deque<PyObject*> pulled_;             // owned; null: let go of
  std::size_t pulled_from_ = 0;
  std::unordered_map<std::size_t, owned> unsent_;  // what encoding a value raised
  // Values that were not loaded because of what they were pickled with: each by itself is run in a second call of the engine's.
  std::vector<std::size_t> not_loaded_;
  std::vector<std::size_t> again_;  // not empty: this is that call, of these
  std::exception_ptr thrown_;       // what concluding the first call of the two threw
  owned error_;                     // what the input or progress raised
  bool interrupted_ = false;        // by Ctrl-C, which is error_: the caller takes no results any more
  std::size_t arrived_ = 0;
  frame_writer writer_{false};
  frame_reader reader_;
  std::stop_source stop_;
  std::atomic<bool> ended_{false};
  std::atomic<bool> missed_{false};  // a thread looked while another had mutex_

  std::timed_mutex mutex_;
  std::shared_ptr<detail::ongoing> going_;  // replaced with the GIL held, by the thread that carries it on
  std::function<void(detail::ongoing&)> another_;
};

}  // namespace forkful::python
