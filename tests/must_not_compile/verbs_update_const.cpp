// expect: forkful: update cannot put changed slices back into this range, whose elements are const or made on the fly
// What cannot be assigned cannot be updated.
#include <forkful/process_pool.hpp>
#include <map>

#ifdef CONTROL
using prices = std::vector<std::pair<std::string, int>>;
#else
using prices = std::map<std::string, int>;
#endif

void raise(forkful::process_pool& pool, prices& all) {
  pool.update(all, [](auto& each) { each.second += 1; });
}
