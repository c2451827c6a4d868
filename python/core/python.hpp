// Python's C API, with lengths as Py_ssize_t. Before all other headers.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
