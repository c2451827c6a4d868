#include "backends/elsewhere/call_port.hpp"

#include <algorithm>

namespace forkful::detail {

call* call_port::take_news() noexcept {
  if (ready_.empty()) return nullptr;
  call* const one = ready_.front();
  waiting_.splice(waiting_.end(), ready_, ready_.begin());
  one->left.ready = false;
  return one;
}

void call_port::ring() noexcept {
  rung_ = true;
  news.notify_one();
}

void call_ports::add(call_port& one) {
  claimed_.reserve(ring_size);  // look() takes no memory
  ports_.push_back(&one);
}

void call_ports::remove(call_port& one) noexcept {
  for (std::list<call*>* calls : {&one.waiting_, &one.ready_}) {
    for (call* left : *calls) left->left = {};
  }
  std::erase(ports_, &one);
}

bool call_ports::idle() const noexcept {
  return std::all_of(ports_.begin(), ports_.end(), [](const call_port* one) { return one->idle(); });
}

void call_ports::leave(call& one, call_port& to, const ongoing& known_as, parent_board& table) {
  forget(one);
  to.waiting_.push_back(&one);
  one.left = {&to, &known_as, std::prev(to.waiting_.end()), false};
  // Those that were looked at before it was left.
  one.for_each_on_board([&](std::uint64_t sequence) {
    if (sequence < looked_to_ && claimed_.size() < ring_size) claimed_.push_back(sequence);
  });
  look(table);
}

void call_ports::look(parent_board& table) noexcept {
  if (ports_.empty()) return;
  looked_to_ = std::max(looked_to_, table.tail());
  for (; looked_to_ != table.head() && table.word(looked_to_).state() != chunk_state::ready; ++looked_to_) {
    const parent_board::record& mine = table.at(looked_to_);
    if (mine.owner != nullptr && mine.of->left.port != nullptr) claimed_.push_back(looked_to_);
  }
  std::erase_if(claimed_, [&](std::uint64_t sequence) {
    const parent_board::record& mine = table.at(sequence);
    if (sequence < table.tail() || mine.owner == nullptr) return true;  // what took it back has notified the port
    if (!table.done(sequence)) return false;
    if (mine.of->something_back()) notify(*mine.of);
    return true;
  });
  // These are done before those in front of them are claimed.
  for (const std::uint64_t sequence : table.urgent) {
    if (sequence < std::max(looked_to_, table.tail())) continue;
    const parent_board::record& mine = table.at(sequence);
    if (mine.owner != nullptr && table.done(sequence) && mine.of->something_back()) notify(*mine.of);
  }
  if (!room_wanted_ || table.full()) return;
  room_wanted_ = false;
  for (call_port* port : ports_) {
    for (auto next = port->waiting_.begin(); next != port->waiting_.end();) {
      call& one = **next++;  // it may go to another list
      if (one.wants_room()) notify(one);
    }
  }
}

void call_ports::notify_all() noexcept {
  for (call_port* port : ports_) {
    while (!port->waiting_.empty()) notify(*port->waiting_.front());
    port->news.notify_one();
  }
}

void call_ports::notify_one() noexcept {
  for (call_port* port : ports_) {
    if (!port->idle()) {
      port->news.notify_one();
      return;
    }
  }
}

void call_ports::notify(call& one) noexcept {
  call_port* const port = one.left.port;
  if (port == nullptr || one.left.ready) return;
  one.left.ready = true;
  port->ready_.splice(port->ready_.end(), port->waiting_, one.left.where);
  port->news.notify_one();
}

bool call_ports::advanced(call& one) noexcept {
  if (one.left.port == nullptr) return false;
  room_wanted_ = room_wanted_ || one.wants_room();
  if (one.ended() || one.something_back() || one.can_publish()) notify(one);
  return one.left.ready;
}

void call_ports::forget(call& one) noexcept {
  if (one.left.port == nullptr) return;
  (one.left.ready ? one.left.port->ready_ : one.left.port->waiting_).erase(one.left.where);
  one.left = {};
}

}  // namespace forkful::detail
