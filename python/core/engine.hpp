// A pool's engine, as Python's side holds it.
//
// Owns the engine and what it does at forks. Destroyed with the GIL held, which it gives up meanwhile.
#pragma once

#include <pybind11/pybind11.h>
#include "python.hpp"

#include <forkful/detail/job.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "host.hpp"
#include "template_host.hpp"

namespace forkful::python {

namespace py = pybind11;

// Where calls run: in workers that stay and are sent values, in workers forked at each call, in the caller.
enum class running { shipped, snapshot, here };

class engine {
 public:
  // `side`: see host.hpp; none is asked for where calls run here. `shipped`: what makes another of it in workers of the template of
  // init(), if they are to come from there. Throws what engines throw at their start.
  engine(running where, py::object side, std::optional<std::string_view> shipped, int late_signal,
         const pool_options& options);
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  ~engine();

  [[nodiscard]] running where() const noexcept { return where_; }
  [[nodiscard]] unsigned size();
  void terminate();
  // Waits for so many seconds that a worker gets through its start. False: none has. Throws start_failed.
  bool started(double seconds);
  // Waits for so many seconds that everything ends and workers leave. False: they have not.
  bool finish(double seconds);
  report last_report();
  std::unique_ptr<detail::port> open_port();

  detail::engine& operator*() noexcept { return *running_; }
  detail::engine* operator->() noexcept { return running_.get(); }

 private:
  running where_;
  py::object side_;
  std::optional<shipped_host> shipped_;
  pool_host host_;
  std::unique_ptr<detail::engine> running_;
  detail::lasting_engine* lasting_ = nullptr;  // the same, where workers stay
};

}  // namespace forkful::python
