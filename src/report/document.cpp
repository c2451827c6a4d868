#include "report/document.hpp"

#include <algorithm>
#include <forkful/detail/job.hpp>
#include <iterator>
#include <map>
#include <vector>

#include "measure/totals.hpp"
#include "report/as_json.hpp"
#include "report/remarks.hpp"

namespace forkful::detail {

std::vector<report> totals_of(std::span<const report> calls, unsigned cpus) {
  std::map<std::uint64_t, totals> pools;
  for (const report& call : calls) pools[call.pool].add(call);
  std::vector<report> all;
  for (const auto& [number, sums] : pools) {
    all.push_back(sums.so_far());
    advise_on(all.back(), cpus);
  }
  return all;
}

std::string document(std::span<const report> totals, std::span<const report> calls, document_format format) {
  // A total of one call shows nothing that the call does not show.
  std::vector<report> several;
  std::copy_if(totals.begin(), totals.end(), std::back_inserter(several),
               [](const report& one) { return one.calls > 1; });
  switch (format) {
    case document_format::trace:
      return trace_of(several, calls);
    case document_format::html:
      // The page draws all pools on one timeline, those with one call too.
      return page_of(calls.size() > 1 ? totals : std::span<const report>(), calls);
    case document_format::json: {
      std::vector<std::string> sums;
      std::vector<std::string> list;
      for (const report& total : totals) sums.push_back(total.json());
      for (const report& call : calls) list.push_back(call.json());
      return calls_as_json(sums, list) + "\n";
    }
    default: {
      std::string text;
      for (const report& total : several) text += (text.empty() ? "" : "\n") + total.text();
      for (const report& call : calls) text += (text.empty() ? "" : "\n") + call.text();
      return text;
    }
  }
}

std::string document(std::span<const report> calls, document_format format) {
  return document(totals_of(calls, cpus_to_use()), calls, format);
}

}  // namespace forkful::detail
