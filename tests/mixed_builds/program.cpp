// A program that takes structs with containers in them from the compiled library.
#include <forkful/forkful.hpp>

int main() {
  forkful::process_pool pool(1U);
  const auto squares = pool.map(std::vector<int>{1, 2, 3}, [](int x) { return x * x; });
  return squares.at(2) == 9 && pool.report().slices == 3 && pool.report().per_worker.size() == 1 ? 0 : 1;
}
