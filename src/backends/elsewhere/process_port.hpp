// A port of a pool of processes, as its thread sees it.
//
// Owns its lists and its share of the coordinator; in a process that inherited it by fork it touches neither (docs/protocol.md, 12).
#pragma once

#include <forkful/detail/job.hpp>
#include <memory>

#include "backends/elsewhere/process_call_handle.hpp"
#include "backends/inherited.hpp"
#include "os/cancellation.hpp"
#include "os/identity.hpp"

namespace forkful::detail {

class process_port final : public port {
 public:
  explicit process_port(std::shared_ptr<coordinator> where)
      : coordinator_(std::move(where)), calls_(std::make_shared<call_port>()), made_by_(this_process()) {
    coordinator_->open(*calls_);
  }
  ~process_port() override {
    const cancellation_deferred whole;
    if (this_process() == made_by_) {
      coordinator_->close(*calls_);
    } else {
      never_destroy(std::move(calls_));
      never_destroy(std::move(coordinator_));
    }
  }

  void take(ongoing& one) override { static_cast<process_call_handle&>(one).leave_to(*calls_); }
  const ongoing* next(std::uint64_t until) override {
    const cancellation_deferred whole;
    check_process(made_by_);
    return coordinator_->next(*calls_, until);
  }
  void ring() noexcept override {
    if (this_process() == made_by_) coordinator_->ring(*calls_);
  }

 private:
  std::shared_ptr<coordinator> coordinator_;
  std::shared_ptr<call_port> calls_;
  std::uint64_t made_by_;
};

}  // namespace forkful::detail
