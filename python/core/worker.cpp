#include "worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "block.hpp"
#include "frame_reader.hpp"
#include "frame_writer.hpp"
#include "gil.hpp"
#include "python_side.hpp"
#include "view.hpp"

namespace forkful::python {

namespace {

constexpr std::size_t most_kept = 64;

std::atomic<std::uint64_t> payloads{0};

// A callable, and what binds the globals that came with it: to be entered when it runs after another one, which may have brought
// others under the same names. Both owned; `late` may be None.
struct loaded_callable {
  PyObject* callable;
  PyObject* late;
  void let_go() const {
    Py_DECREF(callable);
    Py_DECREF(late);
  }
};

// A worker's own; never destroyed, because that would be after the interpreter.
struct state {
  std::unordered_map<std::uint64_t, loaded_callable> callables;
  std::uint64_t last_callable = 0;  // its number
  frame_reader in{true};
  frame_writer out{true};
  std::uint64_t of_call = 0;  // whose classes `out` knows
  PyObject* shipper = nullptr;
  PyObject* flush = nullptr;
  PyObject* printed = nullptr;
  volatile std::uint64_t* place = nullptr;
};
state& here() {
  static state& mine = *new state;
  return mine;
}

PyObject* load(const plan& call) {
  state& mine = here();
  if (mine.callables.size() >= most_kept) {
    for (const auto& one : mine.callables) one.second.let_go();
    mine.callables.clear();
  }
  const owned view(
      PyMemoryView_FromMemory(const_cast<char*>(call.data), static_cast<Py_ssize_t>(call.bytes), PyBUF_READ));
  const owned pair(view ? PyObject_CallOneArg(shipping.load_call, view.get()) : nullptr);
  if (!pair) return nullptr;
  const loaded_callable loaded{Py_NewRef(PyTuple_GET_ITEM(pair.get(), 0)), Py_NewRef(PyTuple_GET_ITEM(pair.get(), 1))};
  mine.callables[call.number] = loaded;
  mine.last_callable = call.number;
  return loaded.callable;
}

// Borrowed; null: it could not be loaded, and a Python error is set.
PyObject* callable_of(const plan& call) {
  if (call.callable != nullptr) return call.callable;
  state& mine = here();
  const auto known = mine.callables.find(call.number);
  if (known == mine.callables.end()) return load(call);
  if (std::exchange(mine.last_callable, call.number) != call.number && known->second.late != Py_None) {
    const owned entered(PyObject_CallOneArg(shipping.enter, known->second.late));
    if (!entered) return nullptr;
  }
  return known->second.callable;
}

PyObject* run_one(PyObject* callable, calling how, PyObject* value) {
  switch (how) {
    case calling::one:
      return PyObject_CallOneArg(callable, value);
    case calling::star: {
      const owned arguments(PySequence_Tuple(value));
      return arguments ? PyObject_Call(callable, arguments.get(), nullptr) : nullptr;
    }
    default: {
      PyObject* const names = PyTuple_GET_ITEM(value, 1);
      return PyObject_Call(callable, PyTuple_GET_ITEM(value, 0), PyDict_Size(names) == 0 ? nullptr : names);
    }
  }
}

constexpr std::uint64_t loading = std::uint64_t{1} << 63;  // stacks.py: beside the call's number

// What the value is that slice `slice` is of. New; null: a Python error is set; `not_loaded`: by what it was pickled together with.
owned value_of(const plan& call, const detail::chunk_io& io, std::size_t slice, bool& not_loaded) {
  if (call.value != nullptr) return owned::share(call.value(call.caller, slice));
  frame_reader& in = here().in;
  if (!in.reads(io.frame)) {
    // The engine knows how long the frame is, and the parent wrote it.
    frame_head head;
    std::memcpy(&head, io.frame, sizeof head);
    forget_values_sent_once();  // what items of a chunk share, they share; the next chunk's have one of their own
    if (!in.open(io.frame, head.bytes)) return {};
  }
  const bool together = in.loads_batch(slice - io.first);
  state& mine = here();
  // One that dies of this blames this slice: the parent is told that it may have been another's value.
  if (together && mine.place != nullptr) mine.place[0] = call.call | loading;
  owned value(in.get(slice - io.first));
  if (together && mine.place != nullptr) mine.place[0] = call.call;
  not_loaded = together && !value;
  return value;
}

// Takes the error in flight into the frame; it can always be told somehow.
void put_failure(frame_writer& out, PyObject* unsent) {
  const owned error = take_error();
  if (unsent != nullptr ? out.put_unsendable(error.get(), unsent) : out.put_raised(error.get())) return;
  // shipping.py describes what cannot be pickled by its text; what cannot even be asked for that is replaced.
  const owned why = take_error();
  PyErr_SetString(PyExc_RuntimeError, ("an exception that cannot be described: " + text_of(why.get())).c_str());
  const owned instead = take_error();
  if (!out.put_raised(instead.get())) PyErr_Print();
}

}  // namespace

payload::payload(std::string_view bytes, std::string name)
    : name_(std::move(name)),
      number_(++payloads),
      data_(static_cast<char*>(detail::shared_allocate(bytes.size() + 1, 16))),
      bytes_(bytes.size()),
      owner_(detail::this_process()) {
  std::memcpy(data_, bytes.data(), bytes.size());
}

payload::~payload() {
  if (detail::this_process() == owner_) detail::shared_deallocate(data_);
}

void forget_the_parents_callables() {
  state& mine = here();
  for (const auto& one : mine.callables) one.second.let_go();
  mine.callables.clear();
  mine.in.close();
  forget_values_sent_once();
  mine.of_call = 0;
}

void set_worker_shipper(PyObject* shipper) {
  Py_XDECREF(here().shipper);
  here().shipper = Py_NewRef(shipper);
}

void set_place(PyObject* buffer, std::size_t offset) {
  static Py_buffer view;
  if (here().place != nullptr) PyBuffer_Release(&view);
  here().place = nullptr;
  if (PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE) != 0) return;
  here().place = reinterpret_cast<std::uint64_t*>(static_cast<char*>(view.buf) + offset);
}

void set_flush(PyObject* flush, PyObject* printed) {
  Py_XDECREF(here().flush);
  Py_XDECREF(here().printed);
  here().flush = Py_NewRef(flush);
  here().printed = Py_NewRef(printed);
}

namespace {

// Runs one slice; what came of it is the next value of the frame.
void run_into(frame_writer& out, const plan& call, PyObject* callable, PyObject* unloaded, detail::chunk_io& io,
              std::size_t slice) {
  state& mine = here();
  const std::uint64_t began = io.timed != nullptr ? detail::now_ns() : 0;
  if (mine.place != nullptr) {
    mine.place[1] = slice;
    mine.place[0] = call.call;
  }
  owned value;
  bool not_loaded = false;
  if (callable != nullptr) {
    value = value_of(call, io, slice, not_loaded);
  } else {
    raise(unloaded);
  }
  if (io.timed != nullptr) io.timed->pass_in += detail::now_ns() - began;
  if (not_loaded) {
    PyErr_Clear();
    out.put_not_loaded();
    return;
  }
  const owned result(value ? run_one(callable, call.how, value.get()) : nullptr);
  // In a process that the callable forked, nothing is to be written: it is no worker.
  if (*io.mark != io.process) detail::leave_fork();
  const std::uint64_t ended = io.timed != nullptr ? detail::now_ns() : 0;
  if (!result) {
    put_failure(out, nullptr);
  } else if (!out.put(result.get(), false)) {
    put_failure(out, result.get());
  }
  if (io.timed != nullptr) io.timed->pass_out += detail::now_ns() - ended;
}

// Into the chunk's results, where they count whatever becomes of the next ones.
void publish(frame_writer& out, detail::chunk_io& io) {
  if (!out.finish(block::referred_to())) throw std::runtime_error(text_of(take_error().get()));
  // Large results are the only ones in their piece of memory: they are let go of one by one.
  const bool large = out.size() >= least_view;
  out.write(large ? io.out->extend_alone(out.size()) : io.out->extend(out.size(), frame_alignment));
  block::give_marked(io);
  io.out->publish();
  out.let_go_of_buffers();
}

}  // namespace

std::size_t run_in_worker(const void* self, detail::chunk_io& io, std::size_t first, std::size_t last) {
  const auto& call = *static_cast<const plan*>(self);
  const with_gil held;
  state& mine = here();
  if (mine.of_call != call.call) {
    mine.of_call = call.call;
    mine.out.use(mine.shipper);
    mine.in.forget_classes();
  }
  PyObject* const callable = callable_of(call);
  const owned unloaded = callable == nullptr ? take_error() : owned();
  // Where slices are named one by one, each has a frame of its own: one that ends the worker is the only one that is begun again.
  const std::size_t most = io.cursor != nullptr ? 1 : last - first;
  std::size_t next = first;
  for (std::size_t end = first; next != last; next = end) {
    end = std::min(next + most, last);
    // release: the results before it are written.
    if (io.cursor != nullptr) io.cursor->store(detail::name_of_slices(next - io.first, 1), std::memory_order_release);
    mine.out.begin(end - next);
    for (std::size_t slice = next; slice != end; ++slice) {
      run_into(mine.out, call, callable, unloaded.get(), io, slice);
    }
    try {
      publish(mine.out, io);
    } catch (...) {
      // They have run, and their results are lost.
      for (std::size_t slice = next; slice != end; ++slice) io.fail(io, slice, slice);
      next = end - 1;
      break;
    }
  }
  if (mine.printed != nullptr && *PyByteArray_AS_STRING(mine.printed) != 0) {
    const owned done(PyObject_CallNoArgs(mine.flush));
    if (!done) PyErr_WriteUnraisable(mine.flush);
  }
  return next;
}

void leave_chunk(const void* /*self*/, detail::chunk_io& /*io*/) {
  if (!view::any_lent()) return;
  const with_gil held;
  here().in.close();
  forget_values_sent_once();
  view::own_lent();
}

std::size_t run_here(const void* self, detail::chunk_io& io, std::size_t first, std::size_t last) {
  const auto& call = *static_cast<const plan*>(self);
  const with_gil held;
  auto& results = *static_cast<results_here*>(io.results);
  for (std::size_t slice = first; slice != last; ++slice) {
    bool not_loaded = false;
    const owned value = value_of(call, io, slice, not_loaded);
    owned result(run_one(call.callable, call.how, value.get()));
    const bool raised = !result;
    results.all.push_back({raised ? take_error() : std::move(result), raised});
  }
  return last;
}

}  // namespace forkful::python
