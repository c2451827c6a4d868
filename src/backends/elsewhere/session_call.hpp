// A call on a session, in the hands of whoever made it; and what the pools whose workers are processes have in common.
//
// Owns its share of session and call. Invariant (docs/protocol.md, 12): in a process that inherited it by fork it touches
// neither, because somebody may have held their locks at that moment.
#pragma once

#include <forkful/detail/job.hpp>
#include <memory>
#include <optional>
#include <stop_token>

#include "backends/elsewhere/session.hpp"

namespace forkful::detail {

class session_call final : public ongoing {
 public:
  // `one_time`: the session's workers end with the call. Throws what session::begin throws.
  session_call(std::shared_ptr<session> where, job& work, const call_options& options, std::shared_ptr<void> owner,
               bool one_time);
  ~session_call() override;
  bool advance(const patience& how_long) override;
  bool cancel(bool kill) override;
  void conclude() override;

 private:
  struct waker {
    std::shared_ptr<session> where;
    void operator()() const noexcept { where->wake(); }
  };

  std::shared_ptr<session> session_;
  std::shared_ptr<call> call_;
  std::optional<std::stop_callback<waker>> waker_;
  bool one_time_;
  bool ended_ = false;
  std::uint64_t made_by_;
};

worker_settings settings_of(const pool_options& options) noexcept;
// Throws std::invalid_argument for attempts in place that could not be undone.
void check_attempts(const job& work, const call_options& options);
// Lets what was submitted finish, but not while an exception unwinds: then nobody will look at it. Ends the workers.
void end(session& one);

}  // namespace forkful::detail
