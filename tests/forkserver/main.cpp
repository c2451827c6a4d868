// The forkserver's tests run in a program whose main begins as a user's does.
#include <gtest/gtest.h>

#include <forkful/init.hpp>

int main(int argc, char** argv) {
  forkful::init(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
