// Every verb over std::filesystem::path and std::any.
#include "ranges/greedy_elements.hpp"

namespace {

using namespace forkful_tests;

TEST(greedy_elements, may_be_paths) { everything_about<path>(); }
TEST(greedy_elements, may_be_any) { everything_about<std::any>(); }

}  // namespace
