// Every verb over std::filesystem::path and std::any.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(GreedyElements, MayBePaths) { everything_about<path>(); }
TEST(GreedyElements, MayBeAny) { everything_about<std::any>(); }

}  // namespace
