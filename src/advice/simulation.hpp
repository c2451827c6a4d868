// One call on the workers of one pool, simulated event by event by the engine's own rules. What simulate() is made of.
//
// Invariants:
//  1. Chunks are cut by next_chunk (board/chunking.hpp), as the engine's are. Where there would be too many to simulate
//     one by one, neighbours are simulated as one chunk that costs as much as all of them.
//  2. Every second of every worker is accounted for, so the parts of the prediction add up to its wall.
//  3. All that runs at the same time shares the cores evenly; slices that sleep need none meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "advice/call_costs.hpp"
#include "advice/crew_plan.hpp"
#include "advice/paced_queue.hpp"

namespace forkful::detail {

constexpr double in_seconds(std::uint64_t nanoseconds) noexcept { return 1e-9 * static_cast<double>(nanoseconds); }

class simulation {
 public:
  simulation(const workload&, const crew_plan&, const machine&);
  prediction run();

 private:
  struct chunk {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t count = 1;  // chunks that it stands for
    bool done = false;
    [[nodiscard]] std::size_t slices() const noexcept { return last - first; }
  };
  enum class state : std::uint8_t { absent, asleep, woken, looking, handling, computing };
  struct worker {
    state is = state::absent;
    bool has_broadcast = false;
    std::size_t holds = 0;   // chunk
    double burst_began = 0;  // as in worker/loop.cpp
    double idle_since = 0;
  };
  enum class step : std::uint8_t { starting, beginning, handing_out, taking_back, idle, waking, ended };

  void pass(double seconds);
  void account_waiting(double workers, double seconds);
  void find_pace();
  void happens_to(std::uint32_t who);
  void work_on(std::uint32_t who, double seconds);
  void later(std::uint32_t who, double seconds);

  [[nodiscard]] std::size_t unclaimed() const noexcept;
  // As a pool knows it that has had such a call; only pools of processes look.
  [[nodiscard]] double slice_ns() const { return caller_runs_ ? 0 : 1e9 * work_.time.mean() * costs_.longer; }
  chunk cut();
  void look(std::uint32_t who);
  void compute(std::uint32_t who);
  void finish(std::uint32_t who);
  void forget_sleepy();
  void wake_one();
  [[nodiscard]] std::size_t helpers_called() const noexcept;
  void wake_workers();

  void caller_goes_on();
  [[nodiscard]] bool front_done() const noexcept;
  [[nodiscard]] bool may_hand_out() const noexcept;
  void do_step(step next, double seconds, double passing);
  void hand_out();
  void take_back();
  void rest();
  void ring(bool out_of_work, std::size_t finished);
  [[nodiscard]] double sleeps_at() const noexcept;
  void set_alarm();
  void alarm();

  const workload& work_;
  crew_plan plan_;
  call_costs costs_;
  bool caller_runs_;
  double now_ = 0;
  prediction parts_{};  // summed over workers until the end

  std::uint32_t caller_;  // numbers of events behind those of the workers
  std::uint32_t alarm_;
  paced_queue running_;  // on a core, whatever it does: the caller, workers between slices
  paced_queue computing_;
  paced_queue waiting_;      // for a time to pass
  double pace_ = 1;          // of what runs
  double compute_pace_ = 1;  // of workers that run slices
  double alone_ = 1;         // the same without competition for memory

  std::vector<worker> workers_;
  std::vector<std::uint32_t> asleep_;
  std::deque<std::uint32_t> looking_;  // spinning, since longest first
  std::size_t absent_ = 0;
  std::size_t woken_ = 0;
  std::size_t handling_ = 0;
  double handling_is_passing_ = 0;  // share

  std::vector<chunk> chunks_;  // published; threads: claimed
  chunk encoded_{};            // about to be
  std::size_t grouping_ = 1;
  std::size_t next_slice_ = 0;
  std::size_t claimed_ = 0;    // chunks
  std::size_t collected_ = 0;  // chunks
  std::size_t on_board_ = 0;   // what the chunks not collected stand for
  std::size_t slices_out_ = 0;
  std::size_t finished_since_ = 0;  // threads: chunks done that the caller has not taken back
  std::size_t taking_ = 0;

  step doing_ = step::starting;
  bool handed_out_ = false;  // the last step published a chunk
  double doing_passing_ = 0;
  double idle_since_ = 0;
  double spun_ = 0;
  double last_wake_;
  std::size_t wanted_ = 0;
  bool alarm_set_ = false;
};

}  // namespace forkful::detail
