// advise(): the probe's findings, judged on this machine.
#include <forkful/advise.hpp>

#include "advice/judge.hpp"
#include "advice/machine.hpp"
#include "advice/probe.hpp"
#include "os/cancellation.hpp"
#include "worker/inner_threads.hpp"

namespace forkful::detail {

advice answer(const question& asked) {
  const cancellation_deferred whole;
  const machine here = this_machine();
  const probe_figures found = probe(asked, here);
  situation where;
  where.private_memory = static_cast<double>(private_memory());
  where.spread = found.spread;
  where.workers = asked.workers;
  where.why_not = {"", asked.no_thread, asked.no_snapshot, asked.no_process};
  if (found.work.inner_threads > 1) where.parallel_by = inner_library();
  return judge(found.work, where, here);
}

}  // namespace forkful::detail
