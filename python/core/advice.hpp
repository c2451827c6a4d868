// advise(): a Python function and a list of items as a question to the engine (forkful/advise.hpp).
//
// Owns nothing that lasts. Everything runs in the caller's thread, also what a worker would do with frames; for some milliseconds also in
// forked copies of the process, which end there. Where another thread holds the GIL at such a fork the copy waits for it until it is
// killed: no thread waits for it then, and the measurement says less.
#pragma once

#include <pybind11/pybind11.h>
#include "python.hpp"

#include <forkful/advise.hpp>
#include <string>

namespace forkful::python {

namespace py = pybind11;

// `items`: a list. `shipper`: of shipping.py, pickles what the codec does not know. `function_bytes`: what `func` is to be sent as; negative:
// it cannot be sent, `no_process` says why. `no_thread`: why threads cannot do it; empty: they can. `workers`: at most; 0: as many as CPUs to
// use. Raises what `func` raises; items and results that cannot be sent are part of the answer.
advice advise(py::object func, py::object items, py::object shipper, long function_bytes, unsigned workers,
              const std::string& no_thread, std::string no_process);

}  // namespace forkful::python
