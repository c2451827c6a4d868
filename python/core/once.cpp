#include "once.hpp"

#include <unistd.h>

#include <atomic>
#include <forkful/shared.hpp>
#include <utility>

#include "frame_reader.hpp"
#include "frame_writer.hpp"

namespace forkful::python {

namespace {

constexpr std::size_t most = 10'000;  // that are remembered in a call

std::atomic<std::uint64_t> values{0};

std::unordered_map<std::uint64_t, PyObject*>& decoded() {
  static auto& mine =
      *new std::unordered_map<std::uint64_t, PyObject*>;  // never destroyed: that would be after the interpreter
  return mine;
}

// Of a tuple whose other members are atoms; null: there is none.
PyObject* lone_member(PyObject* item) noexcept {
  if (!PyTuple_CheckExact(item)) return nullptr;
  PyObject* found = nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(item); ++i) {
    PyObject* const member = PyTuple_GET_ITEM(item, i);
    if (is_atom(member)) continue;
    if (found != nullptr) return nullptr;
    found = member;
  }
  return found;
}

}  // namespace

sent_once::sent_once(PyObject* shipper) noexcept : shipper_(shipper), made_by_(detail::this_process()) {}

sent_once::~sent_once() {
  if (detail::this_process() != made_by_) return;
  for (const auto& each : met_) {
    if (each.second.sent.address != 0) detail::shared_deallocate(reinterpret_cast<void*>(each.second.sent.address));
  }
}

void sent_once::look_over(PyObject* items) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); ++i) {
    PyObject* const member = lone_member(PyList_GET_ITEM(items, i));
    if (member == nullptr || Py_REFCNT(member) == 1) continue;  // else no other item has it
    if (const auto known = met_.find(member); known != met_.end()) {
      found_ = known->second.again = true;
    } else if (met_.size() < most) {
      met_[member].value = owned::share(member);
    }
  }
}

bool sent_once::may_have(PyObject* item) const noexcept { return found_ && lone_member(item) != nullptr; }

const sent_value* sent_once::met(PyObject* value) {
  const auto known = met_.find(value);
  if (known == met_.end() || !known->second.again) return nullptr;
  one& found = known->second;
  if (found.sent.address == 0 && (found.unsendable || !send(found))) return nullptr;
  return &found.sent;
}

bool sent_once::send(one& what) {
  frame_writer writer(false);
  writer.use(shipper_);
  writer.begin(1);
  what.unsendable = !writer.put(what.value.get(), false) || !writer.finish();
  if (what.unsendable) {
    PyErr_Clear();  // it fails as part of its item
    return false;
  }
  auto* const room = static_cast<char*>(detail::shared_allocate(writer.size(), frame_alignment));
  writer.write(room);
  what.sent = {++values, reinterpret_cast<std::uint64_t>(room), writer.size()};
  return true;
}

PyObject* value_sent_once(const sent_value& where) {
  auto& known = decoded();
  if (const auto found = known.find(where.number); found != known.end()) return found->second;
  frame_reader reader(true);
  if (!reader.open(reinterpret_cast<const char*>(where.address), where.bytes)) return nullptr;
  PyObject* const value = reader.get(0);
  if (value != nullptr) known[where.number] = value;
  return value;
}

void forget_values_sent_once() {
  for (const auto& each : decoded()) Py_DECREF(each.second);
  decoded().clear();
}

}  // namespace forkful::python
