// Ports (forkful/detail/job.hpp): calls that no thread waits for and one thread carries on, and which of them it can carry on now.
//
// Owns only lists of calls, which take themselves off when they are dropped. All of it is behind the coordinator's mutex. Invariant: what
// is done on the board is seen without looking at all that is there. Chunks are claimed in about the order in which they were
// published, so those that are claimed and not done are at most as many as workers, but for stragglers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <vector>

#include "backends/elsewhere/call.hpp"
#include "backends/elsewhere/parent_board.hpp"

namespace forkful::detail {

class call_port {
 public:
  // Calls were left to it that have not been dropped.
  [[nodiscard]] bool idle() const noexcept { return waiting_.empty() && ready_.empty(); }
  // It was rung, or some call can be carried on.
  [[nodiscard]] bool has_news() const noexcept { return rung_ || !ready_.empty(); }
  [[nodiscard]] bool take_ring() noexcept { return std::exchange(rung_, false); }
  // The call that can be carried on for longest; null: none.
  [[nodiscard]] call* take_news() noexcept;
  void ring() noexcept;

  std::condition_variable news;  // for the port's thread, while another leads

 private:
  friend class call_ports;

  std::list<call*> waiting_;
  std::list<call*> ready_;
  bool rung_ = false;
};

// All ports of a coordinator.
class call_ports {
 public:
  void add(call_port& one);
  // Its calls have no port from now on.
  void remove(call_port& one) noexcept;
  [[nodiscard]] bool idle() const noexcept;
  void leave(call& one, call_port& to, const ongoing& known_as, parent_board& table);
  // Notifies the ports of what is done on the board since the last look.
  void look(parent_board& table) noexcept;
  void notify_all() noexcept;
  // Wakes a port's thread that waits, for it to lead.
  void notify_one() noexcept;

  // The call's port, if it has one, is to carry it on.
  static void notify(call& one) noexcept;
  // A thread has carried it on, or it was left just now. True: its port is to go on with it.
  bool advanced(call& one) noexcept;
  // The call is dropped.
  static void forget(call& one) noexcept;

 private:
  std::vector<call_port*> ports_;
  // On the board: claimed when they were looked at, and not done; chunks of calls with ports.
  std::vector<std::uint64_t> claimed_;
  std::uint64_t looked_to_ = 0;  // chunks below were claimed when they were looked at
  bool room_wanted_ = false;     // some call waits for room on the board
};

}  // namespace forkful::detail
