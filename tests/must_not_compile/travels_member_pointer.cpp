// expect: a pointer to a function or a member cannot travel as data
// Which member is meant is a choice among few: an enum travels.
#include <forkful/process_pool.hpp>

struct item {
  double weight = 1;
};

#ifdef CONTROL
enum class which { weight };
double run_slice(const item& slice, which /*member*/) { return slice.weight; }
#else
using which = double item::*;
double run_slice(const item& slice, which member) { return slice.*member; }
#endif

std::vector<double> all(forkful::process_pool& pool, const std::vector<item>& items, which member) {
  return pool.map(items, run_slice, member);
}
