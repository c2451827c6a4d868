// expect: forkful: this callable changes its slices, but they lie in ordinary memory
// What is changed must be shared, what is read need not be.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, forkful::shared_vector<double>& shared, std::vector<double>& ordinary) {
#ifdef CONTROL
  pool.for_each(forkful::zip(shared, ordinary), [](double& to, const double& from) { to = from; });
#else
  pool.for_each(forkful::zip(shared, ordinary), [](const double& from, double& to) { to = from; });
#endif
}
