// A user's program: nothing but forkful's public header. Succeeds only if two workers measured four strings.
#include <forkful/forkful.hpp>
#include <string>
#include <vector>

int main() {
  const std::vector<std::string> input{"sponge", "cream", "",
                                       "a cherry that no small string could hold, however hard it tried"};
  forkful::process_pool pool{2};
  const std::vector<std::size_t> lengths = pool.map(input, [](const std::string& slice) { return slice.size(); });
  return lengths == std::vector<std::size_t>{6, 5, 0, 63} ? 0 : 1;
}
