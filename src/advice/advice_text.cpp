// Advice as text and as JSON: the fields of docs/advice.md.

#include <forkful/advice.hpp>

#include "format/fmt.hpp"
#include "report/as_json.hpp"
#include "report/words.hpp"

namespace forkful {

namespace {

using detail::human_time;
using detail::wrapped;

std::string name_of(const expected_time& one) {
  return one.way == "serial" ? "loop" : fmt::format("{}_pool of {}", one.way, one.workers);
}

std::string line_of(const expected_time& one) {
  const std::string head = fmt::format("  {:<20} ", one.possible ? name_of(one) : one.way + "_pool");
  if (!one.possible) return wrapped(head, "not possible: " + one.why_not);
  return fmt::format("{}{:>9}   {:>9} to {:>9}   {:>8} copied\n", head, human_time(one.time), human_time(one.low),
                     human_time(one.high), detail::human_bytes(one.bytes_copied));
}

std::string break_even_of(const advice& given) {
  const std::string yours = fmt::format("yours take {}", human_time(given.slice));
  if (given.break_even.count() == 0) return fmt::format("no time a slice would make it pay; {}", yours);
  if (given.break_even.count() == 1) return fmt::format("pays however short slices are; {}", yours);
  return fmt::format("pays from {} a slice; {}", human_time(given.break_even), yours);
}

}  // namespace

std::string advice::text() const {
  std::string said = wrapped("", verdict);
  if (slices == 0) return said;
  for (const expected_time& one : ways) said += line_of(one);
  said += wrapped("break-even:   ", break_even_of(*this));
  said += wrapped("largest cost: ", dominating_cost);
  said += wrapped("what if:      ", flip);
  if (!doubt.empty()) said += wrapped("in doubt:     ", doubt);
  return said;
}

std::string advice::json() const {
  using detail::quoted;
  std::string said = fmt::format(R"({{"verdict":{},"way":{},"parallel":{},"too_close":{},"ways":[)", quoted(verdict),
                                 quoted(way), parallel, too_close);
  const char* between = "";
  for (const expected_time& one : ways) {
    said += fmt::format(
        R"({}{{"way":{},"workers":{},"possible":{},"why_not":{},"time_ns":{},"low_ns":{},"high_ns":{},"bytes_copied":{}}})",
        between, quoted(one.way), one.workers, one.possible, quoted(one.why_not), one.time.count(), one.low.count(),
        one.high.count(), one.bytes_copied);
    between = ",";
  }
  return said + fmt::format(R"(],"slices":{},"slice_ns":{},"break_even_ns":{},"dominating_cost":{},"flip":{},)"
                            R"("already_parallel":{},"parallel_by":{},"doubt":{}}})",
                            slices, slice.count(), break_even.count(), quoted(dominating_cost), quoted(flip),
                            already_parallel, quoted(parallel_by), quoted(doubt));
}

}  // namespace forkful
