// Every verb over elements of a class with a constructor template.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(GreedyElements, MayBeMadeOfAnything) { everything_about<greedy::object>(); }

}  // namespace
