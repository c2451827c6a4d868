// expect: a pointer to a function or a member cannot travel as data
// Which member is meant is a choice among few: an enum travels.
#include <forkful/process_pool.hpp>

struct cake {
  double weight = 1;
};

#ifdef CONTROL
enum class which { weight };
double run_slice(const cake& slice, which /*member*/) { return slice.weight; }
#else
using which = double cake::*;
double run_slice(const cake& slice, which member) { return slice.*member; }
#endif

std::vector<double> all(forkful::process_pool& pool, const std::vector<cake>& cakes, which member) {
  return pool.map(cakes, run_slice, member);
}
