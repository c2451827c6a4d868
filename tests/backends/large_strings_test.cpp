// A string of a gigabyte, there and back: lengths are 64-bit everywhere, and no copy too many is made.
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "backends/every_pool.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace forkful;

// Runs where there is room for the slice, its frame, its result's frame and the result.
bool has_memory(std::size_t gigabytes) {
  const auto pages = static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES));
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) > gigabytes << 30;
}

constexpr std::size_t largest = std::size_t{forkful_tests::sanitized ? 100 : 1024} << 20;

TEST(large_strings, of_a_gigabyte_travel_both_ways) {
  if (!has_memory(8)) GTEST_SKIP() << "needs 8 GiB of free memory";
  process_pool pool(2U);
  std::vector<std::string> slices(2);
  slices[1].assign(largest, 'x');
  slices[1].back() = 'y';
  const auto sizes = pool.map(
      slices, [](std::string_view text) { return text.empty() ? 0 : text.size() + (text.back() == 'y' ? 1 : 0); });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, largest + 1}));
  EXPECT_GE(pool.report().bytes_in, largest);
  slices.clear();
  slices.shrink_to_fit();
  const auto back = pool.map(std::vector<std::size_t>{largest, 0}, [](std::size_t size) {
    std::string text(size, 'x');
    if (size != 0) text[size - 1] = 'z';
    return text;
  });
  ASSERT_EQ(back.size(), 2U);
  ASSERT_EQ(back[0].size(), largest);
  EXPECT_EQ(back[0][largest - 1], 'z');
  EXPECT_EQ(back[0][0], 'x');
  EXPECT_EQ(back[1], "");
}

}  // namespace
