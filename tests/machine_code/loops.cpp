// Each of these is one loop over numbers that lie side by side. By hand, and as what a worker runs: behind a pointer to a function,
// of which the verb's template has made the same loop. check.sh compiles this for AVX2 and looks at the machine code.
#include <cstddef>
#include <forkful/forkful.hpp>
#include <span>
#include <vector>

template <class T>
T twice_and_one(T x) {
  return x * 2 + 1;
}

void by_hand(double* numbers, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) numbers[i] = twice_and_one(numbers[i]);
}

void in_place(forkful::process_pool& pool, forkful::shared_vector<double>& numbers) {
  pool.for_each(numbers, [](double& x) { x = twice_and_one(x); });
}
void in_place_by_spans(forkful::process_pool& pool, forkful::shared_vector<double>& numbers) {
  pool.for_each(forkful::slices(numbers, 100), [](std::span<double> some) {
    for (double& x : some) x = twice_and_one(x);
  });
}
void into(forkful::process_pool& pool, const std::vector<double>& numbers, forkful::shared_vector<double>& results) {
  pool.map_into(results, numbers, [](double x) { return twice_and_one(x); });
}
std::vector<double> by_copy(forkful::process_pool& pool, const std::vector<double>& numbers) {
  return pool.map(numbers, [](double x) { return twice_and_one(x); });
}
// Integers, which a compiler must suspect to be the words by which a worker knows which process it is.
std::vector<long> integers_by_copy(forkful::process_pool& pool, const std::vector<long>& numbers) {
  return pool.map(numbers, [](long x) { return twice_and_one(x); });
}
std::vector<double> in_threads(forkful::thread_pool& pool, const std::vector<double>& numbers) {
  return pool.map(numbers, [](double x) { return twice_and_one(x); });
}
