// A call on a coordinator, in the hands of the caller; and what the pools whose workers are processes have in common.
//
// Owns its share of coordinator and call. Invariant (docs/protocol.md, 12): in a process that inherited it by fork it touches
// neither, because a thread may have held their locks at that moment.
#pragma once

#include <forkful/detail/job.hpp>
#include <memory>
#include <optional>
#include <stop_token>

#include "backends/elsewhere/coordinator.hpp"

namespace forkful::detail {

class process_call_handle final : public ongoing {
 public:
  // `one_time`: the coordinator's workers end with the call. Throws what coordinator::begin throws.
  process_call_handle(std::shared_ptr<coordinator> where, job& work, const call_options& options,
                      std::shared_ptr<void> owner, bool one_time);
  ~process_call_handle() override;
  bool advance(const wait_policy& how_long) override;
  bool cancel(bool kill) override;
  [[nodiscard]] bool begun() override;
  void conclude() override;
  // Leaves it to the port, one of its coordinator's.
  void leave_to(call_port& port);

 private:
  struct waker {
    std::shared_ptr<coordinator> where;
    void operator()() const noexcept { where->wake(); }
  };

  std::shared_ptr<coordinator> coordinator_;
  std::shared_ptr<call> call_;
  std::optional<std::stop_callback<waker>> waker_;
  bool one_time_;
  bool ended_ = false;
  std::uint64_t made_by_;
};

worker_settings settings_of(const pool_options& options, const host* around) noexcept;
// Throws std::invalid_argument for attempts in place that could not be undone.
void check_attempts(const job& work, const call_options& options);
// Lets what was submitted finish, but not while an exception unwinds: then no caller will look at it. Ends the workers.
void end(coordinator& one);

}  // namespace forkful::detail
