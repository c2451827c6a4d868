#include "call.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <forkful/progress.hpp>
#include <stdexcept>
#include <utility>

#include "block.hpp"
#include "clock.hpp"
#include "gil.hpp"
#include "python_side.hpp"

namespace forkful::python {

namespace {

std::atomic<std::uint64_t> calls{0};

constexpr std::uint64_t between_signals_ns = 50'000'000;

// Handlers of signals run on the main thread alone.
bool on_main_thread() noexcept {
  thread_local std::uint64_t asked_in = 0;
  thread_local bool answer = false;
  if (const std::uint64_t process = detail::this_process(); asked_in != process) {
    answer = gettid() == getpid();
    asked_in = process;
  }
  return answer;
}

py::object list_of_none(Py_ssize_t size) {
  py::object made = py::reinterpret_steal<py::object>(PyList_New(size));
  if (!made) throw py::error_already_set();
  for (Py_ssize_t i = 0; i != size; ++i) PyList_SET_ITEM(made.ptr(), i, Py_NewRef(Py_None));
  return made;
}

}  // namespace

call_settings::~call_settings() {
  for (py::object* one : {&shipper, &load_exception, &stack_of, &progress}) let_go(one->release().ptr());
}

call_in_flight::~call_in_flight() {
  if (in_shared_memory != nullptr && detail::this_process() == made_by) detail::shared_deallocate(in_shared_memory);
}

std::shared_ptr<call_in_flight> call_in_flight::make() {
  std::shared_ptr<call_in_flight> made(new call_in_flight, [](call_in_flight* gone) {
    if (suspended == nullptr) {
      delete gone;
    } else {
      const with_gil held;
      delete gone;
    }
  });
  made->made_by = detail::this_process();
  made->in_shared_memory = ::new (detail::shared_allocate(sizeof(plan), alignof(plan))) plan{};
  return made;
}

call::call(std::shared_ptr<engine> where, py::object what, py::object values,
           std::shared_ptr<const call_settings> settings)
    : engine_(std::move(where)),
      what_(std::move(what)),
      values_(std::move(values)),
      settings_(std::move(settings)),
      made_by_(detail::this_process()) {
  const Py_ssize_t known = settings_->lazy ? 0 : PyList_GET_SIZE(values_.ptr());
  if (!settings_->stream) results_ = list_of_none(known);
  begin(static_cast<std::size_t>(known), settings_->chunk);
}

call::~call() {
  {
    const in_engine away;
    going_.reset();
  }
  for (PyObject* one : pulled_) let_go(one);
  for (py::object* one : {&what_, &values_, &results_, &failures_}) let_go(one->release().ptr());
}

void call::begin(std::size_t slices, std::size_t chunk) {
  const running where = engine_->where();
  flight_ = call_in_flight::make();
  flight_->settings = settings_;
  plan& told = *flight_->in_shared_memory;
  told.how = settings_->how;
  told.call = ++calls;
  detail::job& work = flight_->job;
  work.slices = slices;
  work.verb = settings_->verb.c_str();
  work.caller = this;
  work.keep_going = true;  // what the callable raises travels as a result
  work.unordered = settings_->unordered;
  work.plan = &told;
  if (where == running::shipped) {
    flight_->what = what_.cast<std::shared_ptr<payload>>();
    told.number = work.callable = flight_->what->number();
    told.data = flight_->what->bytes().data();
    told.bytes = flight_->what->bytes().size();
    // In a stream values come and go, and may be others when they are met again.
    if (!settings_->stream && slices > 1) {
      flight_->once = std::make_unique<sent_once>(settings_->shipper.ptr());
      flight_->once->look_over(values_.ptr());
      // Each chunk decodes it anew: no more of them than multiprocessing makes.
      if (flight_->once->found() && chunk == 0) {
        const std::size_t chunks = 4 * std::size_t{engine_->size()};
        chunk = (slices + chunks - 1) / chunks;
      }
    }
    writer_.use(settings_->shipper.ptr(), flight_->once.get());
    work.bytes_broadcast = told.bytes;
    work.encode = [](void* self, std::size_t first, std::size_t last, sink& to) {
      return static_cast<call*>(self)->encode(first, last, to);
    };
  } else {
    told.callable = what_.ptr();
    told.caller = this;
    told.value = [](const void* self, std::size_t slice) { return static_cast<const call*>(self)->value(slice); };
  }
  if (settings_->lazy) {
    work.pull = [](void* self, std::size_t wanted) { return static_cast<call*>(self)->pull(wanted); };
    work.forget = [](void* self, std::size_t end) {
      const with_gil held;
      static_cast<call*>(self)->let_go_below(end);
    };
  }
  work.collect = [](void* self, const detail::finished_slices& ready) { static_cast<call*>(self)->collect(ready); };
  if (where == running::here) {
    work.run = run_here;
    work.make_results = [](std::size_t) -> void* { return new results_here; };
    work.drop_results = [](void* mine) {
      const with_gil held;
      delete static_cast<results_here*>(mine);
    };
  } else {
    work.run = run_in_worker;
    work.leave = leave_chunk;
    work.results = true;
    work.passes = true;
  }
  call_options options;
  options.chunk = chunk;
  options.timeout = std::chrono::nanoseconds(std::llround(settings_->timeout * 1e9));
  options.attempts = settings_->attempts;
  options.window = settings_->window;
  options.stop = stop_.get_token();
  if (settings_->progress.ptr() == Py_True) {
    options.progress = progress_bar(settings_->verb);
  } else if (!settings_->progress.is_none() && settings_->progress.ptr() != Py_False) {
    options.progress = [this](const progress& so_far) { report_progress(so_far); };
  }
  std::shared_ptr<detail::ongoing> begun;
  {
    const in_engine away;
    begun = detail::begin_job(**engine_, work, options, flight_);
  }
  ended_ = work.slices == 0 && work.pull == nullptr;
  going_.swap(begun);
  const in_engine away;
  begun.reset();  // the first of two
}

// ---- Called by the engine, without the GIL, on the thread that carries the call on --------------------------------------

std::size_t call::encode(std::size_t first, std::size_t last, sink& to) {
  {
    const with_gil held;
    writer_.begin(last - first);
    for (std::size_t slice = first; slice != last; ++slice) {
      // In a stream a value that has to be sent again would come behind those that follow it.
      if (writer_.put(value(slice), last - first > 1 && !settings_->stream)) continue;
      unsent_[index_of(slice)] = take_error();
      throw std::runtime_error("forkful: a value cannot be sent");
    }
    if (!writer_.finish()) {
      // The engine asks again, for one after another.
      owned error = take_error();
      if (last - first == 1) {
        unsent_[index_of(first)] = std::move(error);
      } else if (PyErr_GivenExceptionMatches(error.get(), PyExc_KeyboardInterrupt) != 0) {
        defer(std::move(error));
      }
      throw std::runtime_error("forkful: values cannot be sent together");
    }
  }
  writer_.write(to.extend(writer_.size(), frame_alignment));
  return writer_.size();
}

std::size_t call::pull(std::size_t wanted) {
  const with_gil held;
  std::size_t got = 0;
  for (; got != wanted; ++got) {
    PyObject* const next = PyIter_Next(values_.ptr());
    if (next == nullptr) break;
    pulled_.push_back(next);
  }
  if (PyErr_Occurred() == nullptr) return got;
  // What came before it in this chunk is not begun, as in multiprocessing.
  error_ = take_error();
  for (; got != 0; --got) {
    Py_DECREF(pulled_.back());
    pulled_.pop_back();
  }
  return 0;
}

void call::report_progress(const progress& so_far) {
  const with_gil held;
  if (error_) return;  // it is told of the end, too, of a call that it ended
  const owned done(PyObject_CallFunction(settings_->progress.ptr(), "nndI", static_cast<Py_ssize_t>(so_far.done),
                                         static_cast<Py_ssize_t>(so_far.total),
                                         std::chrono::duration<double>(so_far.elapsed).count(), so_far.busy));
  if (done) return;
  error_ = take_error();
  throw std::runtime_error("forkful: the progress function raised");
}

void call::collect(const detail::finished_slices& what) {
  bool failed = false;
  {
    const with_gil held;
    const block::collecting here_and_now(what);
    collected_pieces pieces(what);
    reader_.take_pieces_of(&pieces);
    auto failure = what.failures->begin();
    reader_.close();
    std::size_t in_frame = 0;  // values read of it
    std::size_t here = 0;      // results taken
    for (std::size_t slice = what.first; slice != what.last; ++slice, ++*what.taken) {
      const std::size_t index = index_of(slice);
      if (failure != what.failures->end() && failure->slice == slice) {
        if (was_loading(failure->failure)) {
          not_loaded_.push_back(index);
        } else {
          settle(index, false, interrupted_ ? owned::share(error_.get()) : failure_of(failure->failure));
          failed = true;
        }
        ++failure;
        continue;
      }
      if (what.results != nullptr) {
        results_here::one& mine = static_cast<results_here*>(what.results)->all[here++];
        failed = failed || mine.raised;
        // Ctrl-C, while the caller ran it itself: it ends the call, as it ends a loop.
        if (mine.raised && !error_ && PyErr_GivenExceptionMatches(mine.value.get(), PyExc_KeyboardInterrupt) != 0) {
          error_ = owned::share(mine.value.get());
          interrupted_ = true;
        }
        settle(index, !mine.raised, std::move(mine.value));
        continue;
      }
      while (in_frame == reader_.values()) {
        in_frame = 0;
        const char* const head = what.in->view(sizeof(frame_head), frame_alignment);
        if (!reader_.open(head, SIZE_MAX)) throw std::runtime_error(text_of(take_error().get()));
        what.in->view(reader_.bytes() - sizeof(frame_head));
        if (reader_.head().pins != 0 || block::pins_are_known()) {
          block::pinned_by(reader_.head().process, reader_.head().id, reader_.pins());
        }
      }
      origin came = origin::returned;
      owned value(reader_.get(in_frame++, settings_->load_exception.ptr(), &came));
      if (came == origin::not_loaded) {
        not_loaded_.push_back(index);
        continue;
      }
      const bool succeeded = value && came == origin::returned;
      if (value && came == origin::raised) note(value.get(), index, reader_.head().worker);
      failed = failed || !succeeded;
      settle(index, succeeded, value ? std::move(value) : take_error());
    }
    reader_.close();
    reader_.take_pieces_of(nullptr);
  }
  if ((failed && settings_->fail_fast) || interrupted_) stop_.request_stop();
}

// Says in the exception which item it is of. worker -1: it was raised here, as the value was sent.
void call::note(PyObject* error, std::size_t index, int worker) {
  const py::object where = worker < 0 ? py::object(py::none()) : py::object(py::int_(worker));
  const py::object name =
      flight_->what ? py::str(flight_->what->name()) : py::str(py::getattr(what_, "__name__", py::str()));
  const owned done(PyObject_CallFunction(shipping.add_note, "OsnOO", error, settings_->verb.c_str(),
                                         static_cast<Py_ssize_t>(index), where.ptr(), name.ptr()));
  if (!done) PyErr_Clear();  // it is only a note
}

// The worker died while it loaded this value together with others: it is not known which of them it was.
bool call::was_loading(const slice_failure& failed) {
  if (failed.kind != failure_kind::crash || settings_->stack_of.is_none()) return false;
  const owned told(PyObject_CallFunction(settings_->stack_of.ptr(), "IKn", failed.worker,
                                         flight_->in_shared_memory->call, static_cast<Py_ssize_t>(failed.slice)));
  if (!told) PyErr_Clear();
  return told && PyTuple_GET_ITEM(told.get(), 1) == Py_True;
}

owned call::failure_of(const slice_failure& failed) {
  const std::size_t index = index_of(failed.slice);
  if (const auto known = unsent_.find(index); known != unsent_.end()) {
    owned error = std::move(known->second);
    unsent_.erase(known);
    note(error.get(), index, -1);
    return error;
  }
  py::list frames;
  for (const std::string& one : failed.frames) frames.append(one);
  py::object stack = py::str("");
  const bool ended = failed.kind == failure_kind::crash || failed.kind == failure_kind::timeout;
  if (ended && !settings_->stack_of.is_none()) {
    owned told(PyObject_CallFunction(settings_->stack_of.ptr(), "IKn", failed.worker, flight_->in_shared_memory->call,
                                     static_cast<Py_ssize_t>(failed.slice)));
    if (!told) return take_error();
    stack = py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(told.get(), 0));
  }
  owned error(PyObject_CallFunction(
      shipping.item_failed, "siskIIIiiOdO", settings_->verb.c_str(), static_cast<int>(failed.kind), failed.what.c_str(),
      static_cast<unsigned long>(index), failed.worker, failed.attempt, settings_->attempts, failed.signal,
      failed.exit_status, frames.ptr(), settings_->timeout, stack.ptr()));
  return error ? std::move(error) : take_error();
}

void call::let_go_below(std::size_t end) {
  for (; pulled_from_ < end; ++pulled_from_) {
    const owned gone(pulled_.front());
    pulled_.pop_front();
  }
}

void call::settle(std::size_t slice, bool succeeded, owned value) {
  ++arrived_;
  if (!settings_->stream) {
    if (succeeded) {
      PyList_SetItem(results_.ptr(), static_cast<Py_ssize_t>(slice), value.release());
    } else {
      if (failures_.is_none()) failures_ = py::dict();
      failures_[py::int_(slice)] = py::reinterpret_borrow<py::object>(value.get());
    }
    return;
  }
  if (settings_->lazy && slice >= pulled_from_) {
    Py_CLEAR(pulled_[slice - pulled_from_]);
    std::size_t done = pulled_from_;
    while (done - pulled_from_ != pulled_.size() && pulled_[done - pulled_from_] == nullptr) ++done;
    let_go_below(done);
  }
  next_.emplace_back(succeeded, std::move(value));
}

// ---- Called by Python's side, with the GIL --------------------------------------------------------------------------------

bool call::carry_on(const detail::wait_policy& how_long, bool wait_for_others) {
  const in_engine away;
  // In a child that inherited it, a thread of the parent's may hold the mutex for ever: this throws wrong_process.
  if (detail::this_process() != made_by_) return going_->advance(how_long);
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!wait_for_others) {
    if (!lock.try_lock()) {
      missed_ = true;
      if (!lock.try_lock()) return false;  // the thread that has it sees, when it lets go, that something was missed
    }
  } else if (how_long.until == detail::for_ever) {
    lock.lock();
  } else if (const std::uint64_t now = detail::now_ns();
             !lock.try_lock_for(std::chrono::nanoseconds(how_long.until - std::min(now, how_long.until)))) {
    return false;
  }
  bool over = advance_locked(how_long);
  lock.unlock();
  // A port says once that something can be done: the thread that heard it meanwhile has gone away.
  while (!over && missed_.exchange(false)) {
    if (!lock.try_lock()) {
      missed_ = true;
      if (!lock.try_lock()) break;
    }
    over = advance_locked(at_once());
    lock.unlock();
  }
  return over;
}

bool call::advance_locked(const detail::wait_policy& how_long) {
  if (ended_) return true;
  try {
    if (!going_->advance(how_long)) return false;
  } catch (...) {
    if (!error_) throw;  // else conclude() raises what the progress function raised
  }
  if (!not_loaded_.empty() && begin_those_not_loaded()) return false;
  ended_ = true;
  return true;
}

// The second call of the engine's, if there can be one. Without the GIL, like what carries a call on.
bool call::begin_those_not_loaded() {
  try {
    detail::conclude_job((*engine_)->number(), *going_);
  } catch (...) {
    thrown_ = std::current_exception();
  }
  {
    const with_gil held;
    std::sort(not_loaded_.begin(), not_loaded_.end());
    again_ = std::exchange(not_loaded_, {});
    try {
      if (thrown_) std::rethrow_exception(thrown_);
      if (stop_.stop_requested()) throw cancelled("the call was stopped before all of it was done");
      begin(again_.size(), 1);
    } catch (const std::exception&) {
      thrown_ = std::current_exception();
      slice_failure failed;
      failed.kind = failure_kind::cancelled;
      for (failed.slice = 0; failed.slice != again_.size(); ++failed.slice) {
        settle(index_of(failed.slice), false, failure_of(failed));
      }
      return false;
    }
  }
  if (another_) another_(*going_);
  return true;
}

bool call::advance(double seconds, std::size_t enough) {
  struct asked {
    const call* of;
    std::size_t until;
    [[nodiscard]] bool met() const noexcept { return of->arrived_ >= until; }
  } ask{this, enough == 0 ? SIZE_MAX : arrived_ + enough};
  const std::uint64_t until = in_seconds(seconds);
  const bool signals = on_main_thread();
  for (;;) {
    detail::wait_policy how_long{
        .until = until, .enough = [](void* a) { return static_cast<asked*>(a)->met(); }, .asker = &ask};
    if (enough == 0) how_long.enough = nullptr;
    if (signals) how_long.until = std::min(until, detail::now_ns() + between_signals_ns);
    const bool all = ended_ || carry_on(how_long, true);
    if (signals && raise_deferred()) throw py::error_already_set();
    if (all) return true;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (ask.met() || detail::now_ns() >= until) return ended_;
  }
}

// Of a stream no more than one chunk: input without end would be read for as long as the workers keep up.
detail::wait_policy call::at_once() const {
  return {.until = 0, .enough = settings_->stream ? +[](void*) { return true; } : nullptr};
}

bool call::look() { return ended_ || carry_on(at_once(), false); }

bool call::cancel(bool kill) {
  const std::shared_ptr<detail::ongoing> now = going_;
  const in_engine away;
  return now->cancel(kill);
}

bool call::begun() {
  const std::shared_ptr<detail::ongoing> now = going_;
  const in_engine away;
  return now->begun();
}

void call::stop() {
  const in_engine away;
  stop_.request_stop();
}

py::tuple call::conclude() {
  {
    const in_engine away;
    try {
      if (thrown_) std::rethrow_exception(thrown_);
      detail::conclude_job((*engine_)->number(), *going_);
    } catch (...) {
      if (!error_) throw;
    }
  }
  if (!error_) return take();
  raise(owned(std::move(error_)).get());
  throw py::error_already_set();
}

py::tuple call::take() {
  return py::make_tuple(std::exchange(results_, py::none()), std::exchange(failures_, py::none()));
}

py::object call::take_next(py::object nothing) {
  if (next_.empty()) return nothing;
  auto [succeeded, value] = std::move(next_.front());
  next_.pop_front();
  if (succeeded) return py::reinterpret_steal<py::object>(value.release());
  raise(value.get());
  throw py::error_already_set();
}

}  // namespace forkful::python
