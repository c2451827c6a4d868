#include "advice/simulate_hosts.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "advice/call_costs.hpp"
#include "board/chunking.hpp"

namespace forkful::detail {

namespace {

// What rank 0 sends to a host at a time.
struct parcel {
  std::size_t first = 0;
  std::size_t last = 0;
};

struct host {
  double flows_until = 0;  // what it has received has run by then
  std::size_t holds = 0;   // slices sent that it has no workers for yet, as far as rank 0 knows
};

class hosts_simulation {
 public:
  hosts_simulation(const workload& work, const crew_plan& plan, const machine& on)
      : work_(work), plan_(plan), costs_(costs_of(work, plan, on)), hosts_(plan.hosts) {
    const double demand = std::clamp(work.cpu_share, 0.0, 1.0) * costs_.demand;
    const double most = demand > 0 ? plan.cores / demand : costs_.runners;
    at_once_ = std::min<double>(costs_.runners, most);
    fight_ = costs_.fighting_for_memory(at_once_ * demand);
  }

  prediction run() {
    const double ready = costs_.start * costs_.runners + costs_.once + costs_.broadcast + plan_.latency +
                         work_.broadcast_bytes / plan_.bandwidth;
    rank0_free_ = ready;
    for (host& each : hosts_) each.flows_until = ready;
    while (next_ != work_.slices || !back_.empty()) {
      // The host that has least to do is fed next, as long as a host has fewer slices than it takes to busy its
      // workers.
      const auto hungriest = std::min_element(hosts_.begin(), hosts_.end(), [](const host& a, const host& b) {
        return a.holds != b.holds ? a.holds < b.holds : a.flows_until < b.flows_until;
      });
      if (next_ != work_.slices && hungriest->holds < enough()) {
        send(*hungriest);
      } else {
        take_back();
      }
    }
    return parts();
  }

 private:
  // News that a host has begun, or ended, all of a parcel.
  struct arrival {
    double at = 0;
    std::size_t host = 0;
    std::size_t slices = 0;
    bool operator>(const arrival& other) const { return at != other.at ? at > other.at : host > other.host; }
  };

  // Two parcels, so that one is on its way while the other runs; and slices for every worker.
  [[nodiscard]] std::size_t enough() const {
    return std::max<std::size_t>(2 * std::size_t{costs_.runners}, 2 * next_size());
  }
  [[nodiscard]] std::size_t next_size() const {
    // As many slices as busy a host's workers; the same rule as for workers.
    return next_chunk(work_.slices, work_.slices - std::min(next_, work_.slices - 1), plan_.hosts, 0, 0, 0);
  }

  void send(host& to) {
    const parcel sent{next_, std::min(work_.slices, next_ + next_size())};
    next_ = sent.last;
    const auto slices = static_cast<double>(sent.last - sent.first);
    // Rank 0 encodes and its network carries one parcel after another.
    const double carrying = work_.in.bytes * slices / plan_.bandwidth;
    const double sending = costs_.encode * slices + costs_.publish + carrying;
    sending_ += sending;
    rank0_free_ += sending;
    const double arrives = rank0_free_ + plan_.latency;

    const std::size_t size = next_chunk(work_.slices / plan_.hosts, sent.last - sent.first, costs_.runners,
                                        work_.asked_chunk, static_cast<std::size_t>(costs_.slice_bytes), 0.0);
    const double chunks = std::ceil(slices / static_cast<double>(size));
    parts_.chunks += static_cast<std::size_t>(chunks);
    const double computing = work_.time.sum(sent.first, sent.last) * costs_.longer;
    const double handling = costs_.claim * chunks + costs_.pass * slices;
    const double caller = (costs_.publish + costs_.take_back) * chunks;
    const double flows = std::max((computing * fight_ + handling) / at_once_, caller);
    const double begins = std::max(to.flows_until, arrives);
    to.flows_until = begins + flows;
    // The last of its slices may be a long one.
    const double longest = work_.time.longest(sent.first, sent.last) * costs_.longer * fight_;
    last_done_ = std::max({last_done_, to.flows_until, begins + longest});
    to.holds += sent.last - sent.first;
    back_.push({to.flows_until + plan_.latency, static_cast<std::size_t>(&to - hosts_.data()), sent.last - sent.first});
    computing_ += computing / costs_.longer;
    fighting_ += computing * fight_;
    handling_ += handling;
  }

  void take_back() {
    const arrival one = back_.top();
    back_.pop();
    hosts_[one.host].holds -= one.slices;
    const auto slices = static_cast<double>(one.slices);
    const double taking = work_.out.bytes * slices / plan_.bandwidth + costs_.decode * slices + costs_.take_back;
    rank0_free_ = std::max(rank0_free_, one.at) + taking;
  }

  prediction parts() {
    const double workers = static_cast<double>(costs_.runners) * plan_.hosts;
    parts_.wall = std::max(rank0_free_, last_done_ + plan_.latency);
    double left = parts_.wall;
    // What goes on at the same time counts once: what the workers do hides what rank 0 does meanwhile.
    const auto take = [&left](double& part, double seconds) { left -= part = std::clamp(seconds, 0.0, left); };
    take(parts_.compute, computing_ / workers);
    take(parts_.start, costs_.start * costs_.runners);
    take(parts_.contention, fighting_ / (at_once_ * plan_.hosts) - parts_.compute);
    take(parts_.hand_out, handling_ / workers);
    take(parts_.pass, sending_);
    parts_.tail = left;
    return parts_;
  }

  const workload& work_;
  const crew_plan& plan_;
  call_costs costs_;
  std::vector<host> hosts_;
  double at_once_ = 1;  // workers of a host that can run
  double fight_ = 1;
  std::size_t next_ = 0;
  double rank0_free_ = 0;
  double last_done_ = 0;
  double sending_ = 0;
  double computing_ = 0;
  double fighting_ = 0;
  double handling_ = 0;
  std::priority_queue<arrival, std::vector<arrival>, std::greater<>> back_;
  prediction parts_{};
};

}  // namespace

prediction simulate_hosts(const workload& work, const crew_plan& plan, const machine& on) {
  return hosts_simulation(work, plan, on).run();
}

}  // namespace forkful::detail
