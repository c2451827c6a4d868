// Every verb over elements as JSON values are: of anything, into anything, and ranges of themselves.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(GreedyElements, MayBeTrees) { everything_about<greedy::tree>(); }

}  // namespace
