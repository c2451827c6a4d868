// expect: forkful: update copies single slices out and back: zip and starmap give several at once
// update has one slice to put back.
#include <forkful/process_pool.hpp>

void run_slice(forkful::process_pool& pool, std::vector<int>& a, std::vector<int>& b) {
#ifdef CONTROL
  pool.update(a, [](int& x, const std::vector<int>& others) { x += others[0]; }, b);
#else
  pool.update(forkful::zip(a, b), [](int& x, int& y) { x += y; });
#endif
}
