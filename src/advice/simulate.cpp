#include "advice/simulate.hpp"

#include <algorithm>

#include "advice/simulate_hosts.hpp"
#include "advice/simulation.hpp"

namespace forkful::detail {

prediction simulate(const workload& work, const crew_plan& plan, const machine& on) {
  if (work.slices == 0) return {};
  if (plan.by == way::serial) {
    prediction loop;
    loop.wall = loop.compute = work.time.sum(0, work.slices);
    return loop;
  }
  return plan.hosts > 1 ? simulate_hosts(work, plan, on) : simulation(work, plan, on).run();
}

}  // namespace forkful::detail
