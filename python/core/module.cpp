// The extension module forkful._core: what python/forkful is built on. Private; its names may change.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <unistd.h>

#include <forkful/forkful.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "advice.hpp"
#include "block.hpp"
#include "call.hpp"
#include "clock.hpp"
#include "engine.hpp"
#include "gil.hpp"
#include "python_side.hpp"
#include "template_host.hpp"
#include "view.hpp"
#include "worker.hpp"

namespace forkful::python {

namespace {

// A port with the calls that were left to it, each kept alive until it is dropped from there.
class driver_port : public std::enable_shared_from_this<driver_port> {
 public:
  explicit driver_port(std::shared_ptr<engine> where) : engine_(std::move(where)), port_(engine_->open_port()) {}
  driver_port(const driver_port&) = delete;
  driver_port& operator=(const driver_port&) = delete;
  ~driver_port() {
    const in_engine away;
    port_.reset();
  }

  // `known_as`: what next() is to return.
  void take(call& one, const py::object& known_as) {
    objects_[key_of(*one.going())] = known_as;
    one.on_another([here = weak_from_this(), &one](detail::ongoing& other) {
      const std::shared_ptr<driver_port> mine = here.lock();
      if (mine == nullptr) return;
      mine->port_->take(other);
      const with_gil held;
      mine->rename(one, other);
    });
    names_[&one] = one.going();
    const in_engine away;
    port_->take(*one.going());
  }
  void drop(call& one) {
    one.on_another({});
    const auto known = names_.find(&one);
    if (known == names_.end()) return;
    objects_.attr("pop")(key_of(*known->second), py::none());
    names_.erase(known);
  }
  // None: rung, or the seconds are over, or the call was dropped meanwhile.
  py::object next(double seconds) {
    const detail::ongoing* found = nullptr;
    {
      const in_engine away;
      found = port_->next(in_seconds(seconds));
    }
    if (found == nullptr) return py::none();
    return objects_.attr("get")(key_of(*found));
  }
  void ring() {
    const in_engine away;
    port_->ring();
  }

 private:
  static py::int_ key_of(const detail::ongoing& one) { return {reinterpret_cast<std::uintptr_t>(&one)}; }
  void rename(call& one, const detail::ongoing& other) {
    const auto known = names_.find(&one);
    if (known == names_.end()) return;
    objects_[key_of(other)] = objects_.attr("pop")(key_of(*known->second), py::none());
    known->second = &other;
  }

  std::shared_ptr<engine> engine_;
  std::unique_ptr<detail::port> port_;
  py::dict objects_;  // by the address of what the port calls them
  std::unordered_map<const call*, const detail::ongoing*> names_;
};

// Raises what failures.py makes of it.
void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(std::move(thrown));
  } catch (const error& told) {
    run_python([&] {
      const owned made(
          PyObject_CallFunction(shipping.call_failed, "ss", std::string(told.code()).c_str(), told.what()));
      if (made) raise(made.get());
    });
  }
}

// Descriptors that are closed with the object, without Python code, in which Ctrl-C would be told and lost.
class descriptors {
 public:
  explicit descriptors(std::vector<int> numbers) : numbers_(std::move(numbers)) {}
  descriptors(const descriptors&) = delete;
  descriptors& operator=(const descriptors&) = delete;
  ~descriptors() {
    for (const int number : numbers_) close(number);
  }

 private:
  std::vector<int> numbers_;
};

}  // namespace

PYBIND11_MODULE(_core, m) {
  py::register_exception_translator(translate);
  m.attr("__version__") = FORKFUL_VERSION;

  m.def("setup", [](py::object loads, py::object load_call, py::object enter, py::object find_class,
                    py::object add_note, py::object item_failed, py::object call_failed) {
    shipping = {loads.release().ptr(),      load_call.release().ptr(), enter.release().ptr(),
                find_class.release().ptr(), add_note.release().ptr(),  item_failed.release().ptr(),
                call_failed.release().ptr()};
  });
  m.def("set_attach", [](py::object attach) { arrays.attach = attach.release().ptr(); });
  m.def("expect_arrays", [](const py::object& type, py::object handle) {
    arrays.type = reinterpret_cast<PyTypeObject*>(type.inc_ref().ptr());
    arrays.handle = handle.release().ptr();
  });
  m.def("set_worker_shipper", [](const py::object& shipper) { set_worker_shipper(shipper.ptr()); });
  m.def("set_place", [](const py::object& buffer, std::size_t offset) { set_place(buffer.ptr(), offset); });
  m.def("set_flush",
        [](const py::object& flush, const py::bytearray& printed) { set_flush(flush.ptr(), printed.ptr()); });
  m.def("init", [](const py::object& side) {
    make_template(side.ptr());
    if (raise_deferred()) throw py::error_already_set();
  });
  m.def("template_is_due", &detail::template_is_due);
  m.def("has_template", &detail::has_template);
  // Of a Block, or of what another process says is one: for what is no argument and no result, and so no worker's to pin.
  m.def("shared_memory", [](std::uintptr_t address, std::size_t bytes) {
    auto* const data = reinterpret_cast<char*>(address);
    if (!detail::in_shared_memory(data, bytes)) throw py::value_error("no shared memory is there");
    return py::memoryview::from_memory(data, static_cast<py::ssize_t>(bytes));
  });
  m.def("limit_views", [](std::size_t most) { return std::exchange(most_views, most); });  // for tests
  m.def("cpu_count", [] { return detail::cpus_to_use(); });
  m.def("in_worker", [] { return in_worker(); });
  m.def("worker_index", [] { return in_worker() ? static_cast<int>(worker_index()) : -1; });

  py::class_<advice>(m, "Advice").def("text", &advice::text).def("json", &advice::json);
  m.def("advise", &advise);

  py::enum_<running>(m, "Running")
      .value("SHIPPED", running::shipped)
      .value("SNAPSHOT", running::snapshot)
      .value("HERE", running::here);
  py::enum_<calling>(m, "Calling")
      .value("ONE", calling::one)
      .value("STAR", calling::star)
      .value("APPLY", calling::apply);

  py::class_<block, std::shared_ptr<block>>(m, "Block", py::buffer_protocol())
      .def(py::init<std::size_t>())
      .def_static("of_another",
                  [](std::uintptr_t address, std::size_t bytes) {
                    auto* const data = reinterpret_cast<char*>(address);
                    if (!detail::in_shared_memory(data, bytes)) throw py::value_error("no shared memory is there");
                    return std::make_shared<block>(data, bytes);
                  })
      .def_property_readonly("address", [](const block& one) { return reinterpret_cast<std::uintptr_t>(one.data()); })
      .def_property_readonly("bytes", &block::bytes)
      .def_property_readonly("owned", &block::owned)
      .def("mark", [](std::shared_ptr<block> one) { block::mark(std::move(one)); })
      .def_property_readonly("made_here", &block::made_here)
      .def("adopt",
           [](block& one) {
             if (!one.adopt()) throw std::runtime_error("forkful: an array came with no result, and was not believed");
           })
      .def_buffer([](const block& one) {
        return py::buffer_info(one.data(), 1, py::format_descriptor<unsigned char>::format(),
                               static_cast<py::ssize_t>(one.bytes()));
      });

  py::class_<payload, std::shared_ptr<payload>>(m, "Payload")
      .def(py::init([](const py::bytes& bytes, std::string name) {
        return std::make_shared<payload>(std::string_view(bytes), std::move(name));
      }));

  py::class_<view, std::shared_ptr<view>>(m, "View", py::buffer_protocol()).def_buffer([](const view& one) {
    return py::buffer_info(one.data(), 1, py::format_descriptor<unsigned char>::format(),
                           static_cast<py::ssize_t>(one.bytes()), one.read_only());
  });

  arrays.show = [](const std::shared_ptr<view>& one) -> PyObject* {
    try {
      return py::cast(one).release().ptr();
    } catch (py::error_already_set& error) {
      error.restore();
      return nullptr;
    }
  };

  py::class_<descriptors>(m, "Descriptors").def(py::init<std::vector<int>>());

  py::class_<report>(m, "Report")
      .def("text", &report::text)
      .def("json", [](const report& one) { return one.json(); })
      .def("trace", [](const report& one) { return one.trace(); })
      .def("html", [](const report& one) { return one.html(); });

  py::class_<engine, std::shared_ptr<engine>>(m, "Engine")
      .def(py::init([](running where, py::object side, unsigned workers, std::size_t chunks, std::size_t memory,
                       unsigned inner_threads, bool pin, bool timeline, int late_signal,
                       const std::optional<std::string>& shipped) {
             pool_options options;
             options.workers = workers;
             if (where == running::shipped) options.start = start_method::zygote;
             options.max_chunks_per_worker = chunks;
             options.worker_memory_limit = memory;
             options.inner_threads = inner_threads;
             options.pin = pin;
             options.record_timeline = timeline;
             auto made = std::make_shared<engine>(where, std::move(side), shipped, late_signal, options);
             if (raise_deferred()) throw py::error_already_set();
             return made;
           }),
           py::kw_only(), py::arg("where"), py::arg("side"), py::arg("workers"), py::arg("chunks_per_worker") = 0,
           py::arg("memory_limit") = 0, py::arg("inner_threads") = 1, py::arg("pin") = false,
           py::arg("timeline") = false, py::arg("late_signal") = 0, py::arg("shipped") = py::none())
      .def_property_readonly("size", &engine::size)
      .def("terminate", &engine::terminate)
      .def("started", &engine::started)
      .def("finish", &engine::finish)
      .def("last_report", &engine::last_report);

  py::class_<call_settings, std::shared_ptr<call_settings>>(m, "CallSettings")
      .def(py::init([](std::string verb, calling how, py::object shipper, py::object load_exception,
                       py::object stack_of, std::size_t chunk, double timeout, unsigned attempts, std::size_t window,
                       bool lazy, bool stream, bool unordered, bool fail_fast, py::object progress) {
             auto made = std::make_shared<call_settings>();
             made->verb = std::move(verb);
             made->how = how;
             made->shipper = std::move(shipper);
             made->load_exception = std::move(load_exception);
             made->stack_of = std::move(stack_of);
             made->chunk = chunk;
             made->timeout = timeout;
             made->attempts = attempts;
             made->window = window;
             made->lazy = lazy;
             made->stream = stream;
             made->unordered = unordered;
             made->fail_fast = fail_fast;
             made->progress = std::move(progress);
             return made;
           }),
           py::kw_only(), py::arg("verb"), py::arg("how"), py::arg("shipper") = py::none(),
           py::arg("load_exception") = py::none(), py::arg("stack_of") = py::none(), py::arg("chunk") = 0,
           py::arg("timeout") = 0, py::arg("attempts") = 1, py::arg("window") = 0, py::arg("lazy") = false,
           py::arg("stream") = false, py::arg("unordered") = false, py::arg("fail_fast") = false,
           py::arg("progress") = py::none());

  py::class_<call, std::shared_ptr<call>>(m, "Call")
      .def(py::init<std::shared_ptr<engine>, py::object, py::object, std::shared_ptr<call_settings>>())
      .def("advance", &call::advance, py::arg("seconds") = -1.0, py::arg("enough") = 0)
      .def("look", &call::look)
      .def("cancel", &call::cancel, py::arg("kill") = false)
      .def("begun", &call::begun)
      .def("stop", &call::stop)
      .def("conclude", &call::conclude)
      .def_property_readonly("ended", &call::ended)
      .def("take", &call::take)
      .def("take_next", &call::take_next);

  py::class_<driver_port, std::shared_ptr<driver_port>>(m, "Port")
      .def(py::init<std::shared_ptr<engine>>())
      .def("take", &driver_port::take)
      .def("drop", &driver_port::drop)
      .def("next", &driver_port::next, py::arg("seconds") = -1.0)
      .def("ring", &driver_port::ring);
}

}  // namespace forkful::python
