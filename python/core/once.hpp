// Values that are met more than once in a call are sent once a call, and decoded once a worker: a table that goes along with each item.
//
// Owns their frames in shared memory, and references to the values, until the call ends: an address never means two objects. A value that
// nobody else refers to cannot come again, and is not looked at. With the GIL held, but for the destructor's freeing.
#pragma once

#include "python.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "owned.hpp"

namespace forkful::python {

// Where the frame of such a value lies.
struct sent_value {
  std::uint64_t number;  // another for each of a process
  std::uint64_t address;
  std::uint64_t bytes;
};

class sent_once {
 public:
  // `shipper` is borrowed.
  explicit sent_once(PyObject* shipper) noexcept;
  sent_once(const sent_once&) = delete;
  sent_once& operator=(const sent_once&) = delete;
  ~sent_once();

  // Where the value is, from the second time on that it is met. Null: it is to be sent as it comes (the first time; it is small, or
  // nobody else refers to it; it cannot be sent).
  const sent_value* met(PyObject* value);

 private:
  struct one {
    owned value;
    sent_value sent{};
    bool unsendable = false;
  };
  bool send(one& what);

  PyObject* shipper_;
  pid_t made_by_;
  std::unordered_map<PyObject*, one> met_;
};

// In a worker: what was decoded of the call that it runs. Borrowed; null: a Python error is set.
PyObject* value_sent_once(const sent_value& where);
void forget_values_sent_once();

}  // namespace forkful::python
