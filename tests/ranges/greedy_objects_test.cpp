// Every verb over elements of a class with a constructor template.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(greedy_elements, may_be_made_of_anything) { everything_about<greedy::object>(); }

}  // namespace
