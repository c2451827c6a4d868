// Every verb over elements as JSON values are: of anything, into anything, and ranges of themselves.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(greedy_elements, may_be_trees) { everything_about<greedy::tree>(); }

}  // namespace
