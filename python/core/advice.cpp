#include "advice.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "frame_reader.hpp"
#include "frame_writer.hpp"
#include "gil.hpp"

namespace forkful::python {

namespace {

// Thrown through the engine while a Python error is kept (python_work::error).
struct raised : std::exception {};
// What cannot be sent; the sentence says what, and why.
struct cannot_be_sent : std::runtime_error {
  using std::runtime_error::runtime_error;
  bool result = false;
};

cannot_be_sent unsent(const char* what, bool result) {
  const owned error = take_error();
  cannot_be_sent made(std::string(what) + " cannot be sent: " + text_of(error.get()));
  made.result = result;
  return made;
}

using results = std::vector<owned>;

// The work, as two jobs: run where it lies, and with items and results in frames.
class python_work {
 public:
  python_work(PyObject* func, PyObject* items, PyObject* shipper, std::size_t function_bytes)
      : func_(func), items_(items) {
    writer_.use(shipper);
    answers_.use(shipper);
    here_.slices = shipped_.slices = static_cast<std::size_t>(PyList_GET_SIZE(items));
    here_.plan = shipped_.plan = here_.caller = shipped_.caller = this;
    here_.run = [](const void* self, detail::chunk_io& io, std::size_t first, std::size_t last) {
      return mine(self).run_here(io, first, last);
    };
    here_.make_results = [](std::size_t) -> void* { return new results; };
    here_.drop_results = [](void* made) {
      const with_gil held;
      delete static_cast<results*>(made);
    };
    shipped_.bytes_broadcast = function_bytes;
    shipped_.results = shipped_.passes = true;
    shipped_.encode = [](void* self, std::size_t first, std::size_t last, sink& to) {
      return mine(self).encode(first, last, to);
    };
    shipped_.run = [](const void* self, detail::chunk_io& io, std::size_t first, std::size_t last) {
      return mine(self).run_shipped(io, first, last);
    };
    shipped_.collect = [](void* self, const detail::finished_slices& what) { mine(self).collect(what); };
  }
  python_work(const python_work&) = delete;
  python_work& operator=(const python_work&) = delete;
  ~python_work() = default;

  detail::job& here() noexcept { return here_; }
  detail::job& shipped() noexcept { return shipped_; }
  owned error;  // that an item raised

 private:
  static python_work& mine(const void* self) { return *static_cast<python_work*>(const_cast<void*>(self)); }

  // Borrowed.
  [[nodiscard]] PyObject* item(std::size_t slice) const {
    // func may have made the list shorter.
    if (slice < static_cast<std::size_t>(PyList_GET_SIZE(items_))) {
      return PyList_GET_ITEM(items_, static_cast<Py_ssize_t>(slice));
    }
    return Py_None;
  }

  owned call(PyObject* value) {
    const owned kept = owned::share(value);
    owned result(PyObject_CallOneArg(func_, value));
    if (result) return result;
    error = take_error();
    throw raised();
  }

  std::size_t run_here(detail::chunk_io& io, std::size_t first, std::size_t last) {
    const with_gil held;
    auto& made = *static_cast<results*>(io.results);
    for (std::size_t slice = first; slice != last; ++slice) made.push_back(call(item(slice)));
    return last;
  }

  std::size_t encode(std::size_t first, std::size_t last, sink& to) {
    {
      const with_gil held;
      writer_.begin(last - first);
      for (std::size_t slice = first; slice != last; ++slice) {
        if (!writer_.put(item(slice), last - first > 1)) throw unsent("its items", false);
      }
      if (!writer_.finish()) throw unsent("its items", false);
    }
    writer_.write(to.extend(writer_.size(), frame_alignment));
    return writer_.size();
  }

  std::size_t run_shipped(detail::chunk_io& io, std::size_t first, std::size_t last) {
    const with_gil held;
    frame_head head;
    std::memcpy(&head, io.frame, sizeof head);
    frame_reader sent;
    if (!sent.open(io.frame, head.bytes)) throw unsent("its items", false);
    answers_.begin(last - first);
    for (std::size_t slice = first; slice != last; ++slice) {
      const std::uint64_t began = detail::now_ns();
      const owned value(sent.get(slice - io.first));
      if (!value) throw unsent("its items", false);
      const std::uint64_t runs = detail::now_ns();
      const owned result = call(value.get());
      const std::uint64_t ended = detail::now_ns();
      if (!answers_.put(result.get(), false)) throw unsent("its results", true);
      if (io.timed == nullptr) continue;
      io.timed->pass_in += runs - began;
      io.timed->pass_out += detail::now_ns() - ended;
    }
    if (!answers_.finish()) throw unsent("its results", true);
    answers_.write(io.out->extend(answers_.size(), frame_alignment));
    return last;
  }

  void collect(const detail::finished_slices& what) {
    const with_gil held;
    frame_reader answers;
    const char* const head = what.in->view(sizeof(frame_head), frame_alignment);
    if (!answers.open(head, SIZE_MAX)) throw unsent("its results", true);
    what.in->view(answers.bytes() - sizeof(frame_head));
    for (std::size_t slice = what.first; slice != what.last; ++slice, ++*what.taken) {
      const owned value(answers.get(slice - what.first));
      if (!value) throw unsent("its results", true);
    }
  }

  PyObject* func_;
  PyObject* items_;
  frame_writer writer_{false};  // of items
  frame_writer answers_{true};  // of results
  detail::job here_;
  detail::job shipped_;
};

}  // namespace

advice advise(py::object func, py::object items, py::object shipper, long function_bytes, unsigned workers,
              const std::string& no_thread, std::string no_process) {
  python_work work(func.ptr(), items.ptr(), shipper.ptr(), static_cast<std::size_t>(std::max(0L, function_bytes)));
  detail::question asked;
  asked.slices = work.here().slices;
  asked.here = &work.here();
  asked.workers = workers;
  asked.no_thread = no_thread.c_str();
  std::string no_snapshot;
  for (bool sent = function_bytes >= 0;; sent = false) {
    asked.shipped = sent ? &work.shipped() : nullptr;
    asked.no_process = no_process.c_str();
    asked.no_snapshot = no_snapshot.c_str();
    try {
      const in_engine away;
      return detail::answer(asked);
    } catch (const cannot_be_sent& told) {
      no_process = told.what();
      if (told.result) no_snapshot = no_process;
    } catch (const raised&) {
      raise(owned(std::move(work.error)).get());
      throw py::error_already_set();
    }
  }
}

}  // namespace forkful::python
