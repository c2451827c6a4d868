// Members of items that are met more than once in a call - a table that goes along with each item of starmap - are pickled once a call, and
// decoded once a chunk: items of a chunk share one, as they do where a chunk is pickled as a whole.
//
// Owns their frames in shared memory, and references to the values: an address never means two objects. Only for lists of items, which
// stay as they are for the length of a call. With the GIL held.
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

  // Finds what is in several of the items, each time as the only member that is no atom: what two members share, they are to share there, too.
  // Cost: a look at each member.
  void look_over(PyObject* items);
  [[nodiscard]] bool found() const noexcept { return found_; }
  // Something was found, and this item has one such member only.
  [[nodiscard]] bool may_have(PyObject* item) const noexcept;
  // Where the value is that was found. Null: it is to be sent as it comes (it was not, or it cannot be sent).
  const sent_value* met(PyObject* value);

 private:
  struct one {
    owned value;
    sent_value sent{};
    bool again = false;  // it is there more than once
    bool unsendable = false;
  };
  bool send(one& what);

  PyObject* shipper_;
  std::uint64_t made_by_;
  bool found_ = false;
  std::unordered_map<PyObject*, one> met_;
};

// In a worker: what was decoded of the chunk that it runs. Borrowed; null: a Python error is set.
PyObject* value_sent_once(const sent_value& where);
void forget_values_sent_once();

}  // namespace forkful::python
