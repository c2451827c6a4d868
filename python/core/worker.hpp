// What runs in a worker: the values of a chunk, one after another, through the call's callable.
//
// A call's callable is sent once and kept under its number (payload), which is never used again in the process that gave it. A worker may
// itself make pools: what it inherited under its parent's numbers is forgotten at its start.
#pragma once

#include "python.hpp"

#include <cstddef>
#include <cstdint>
#include <forkful/detail/job.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "owned.hpp"

namespace forkful::python {

// How a value becomes arguments: f(value), f(*value), f(*value[0], **value[1]).
enum class calling : unsigned char { one, star, apply };

// A callable as bytes in shared memory. `name`: for people.
class payload {
 public:
  payload(std::string_view bytes, std::string name);
  payload(const payload&) = delete;
  payload& operator=(const payload&) = delete;
  ~payload();

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] std::string_view bytes() const noexcept { return {data_, bytes_}; }

 private:
  std::string name_;
  std::uint64_t number_;
  char* data_;
  std::size_t bytes_;
  std::uint64_t owner_;  // in a process that inherited it, the memory is not its to free
};

// What `run` is told of its call; in shared memory.
struct plan {
  calling how = calling::one;
  std::uint64_t number = 0;  // of the payload
  std::uint64_t call = 0;    // another for each call of a process
  const char* data = nullptr;
  std::size_t bytes = 0;
  // Where workers are forked at the call, or none are: callable and values (borrowed), as they lie in the caller's memory.
  PyObject* callable = nullptr;
  const void* caller = nullptr;
  PyObject* (*value)(const void* caller, std::size_t slice) = nullptr;
};

// job::run of calls whose results travel back in frames, and of those whose results stay here.
std::size_t run_in_worker(const void* plan, detail::chunk_io& io, std::size_t first, std::size_t last);
// job::leave of the former: what is still referred to of the chunk's input is no part of it from now on.
void leave_chunk(const void* plan, detail::chunk_io& io);
std::size_t run_here(const void* plan, detail::chunk_io& io, std::size_t first, std::size_t last);

// The results of a chunk that ran here. Destroyed with the GIL held.
struct results_here {
  struct one {
    owned value;
    bool raised;
  };
  std::vector<one> all;
};

void forget_the_parents_callables();

// Where this worker writes the number of the call and the item that it begins (stacks.py): two words, from byte `offset` on. The buffer is
// held from now on.
void set_place(PyObject* buffer, std::size_t offset);

// A Shipper (shipping.py) for what this worker returns; owned from now on.
void set_worker_shipper(PyObject* shipper);
// `flush` is called at the end of a chunk if `printed`, a bytearray, is not 0 there. Both owned from now on.
void set_flush(PyObject* flush, PyObject* printed);

}  // namespace forkful::python
