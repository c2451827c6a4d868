#include "template_host.hpp"

#include <unistd.h>

#include <cstring>
#include <forkful/detail/job.hpp>
#include <memory>
#include <new>
#include <utility>

#include "gil.hpp"
#include "host.hpp"
#include "owned.hpp"
#include "view.hpp"

namespace forkful::python {

namespace {

// Of the last init() of this process, or of the one that it was forked from. Never destroyed: the template is there until the end.
pool_host* of_init = nullptr;

}  // namespace

struct shipped_host::in_memory {
  detail::host callbacks;
  std::size_t bytes = 0;
  [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
};

void make_template(PyObject* side) {
  auto made = std::make_unique<pool_host>(side, 0);
  view::own_all();
  pool_host* const before = std::exchange(of_init, made.get());  // before the fork: the template has it
  try {
    const in_engine away;
    detail::make_template(made->callbacks());
  } catch (...) {
    of_init = before;
    throw;
  }
  Py_INCREF(side);
  of_init = made.release();
}

shipped_host::shipped_host(std::string_view data)
    : shared_(new(detail::shared_allocate(sizeof(in_memory) + data.size(), alignof(in_memory))) in_memory),
      owner_(detail::this_process()) {
  shared_->bytes = data.size();
  std::memcpy(shared_->data(), data.data(), data.size());
}

shipped_host::~shipped_host() {
  if (detail::this_process() == owner_) detail::shared_deallocate(shared_);
}

// Their bodies run in the template and in its workers only.
const detail::host* shipped_host::callbacks(int late_signal) noexcept {
  shared_->callbacks = {.self = shared_,
                        .before_fork = [](void*) noexcept { of_init->before_fork(); },
                        .after_fork = [](void*, bool child) noexcept { of_init->after_fork(child); },
                        .worker_starts =
                            [](void* self) {
                              auto& here = *static_cast<in_memory*>(self);
                              of_init->worker_starts(owned(PyMemoryView_FromMemory(
                                  here.data(), static_cast<Py_ssize_t>(here.bytes), PyBUF_READ)));
                            },
                        .late_signal = late_signal,
                        .worker_leaves = [](void*) { of_init->worker_leaves(); }};
  return &shared_->callbacks;
}

}  // namespace forkful::python
