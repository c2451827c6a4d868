// How much room the next frame is expected to take.
#include "codec/expected_bytes.hpp"

#include <gtest/gtest.h>

namespace forkful::detail {
namespace {

TEST(expected_bytes, nothing_of_the_first_chunk) { EXPECT_EQ(expected_bytes{}.of(1000), 0U); }

TEST(expected_bytes, what_the_last_chunk_took_and_an_eighth_more) {
  expected_bytes frames;
  frames.saw(10, 800);
  EXPECT_EQ(frames.of(100), 9000U);
  frames.saw(4, 32);
  EXPECT_EQ(frames.of(100), 900U);
}

TEST(expected_bytes, of_large_frames_a_first_part) {
  expected_bytes frames;
  frames.saw(1, 1'000'000'000);
  EXPECT_EQ(frames.of(1'000'000'000), 16U << 10);
}

}  // namespace
}  // namespace forkful::detail
