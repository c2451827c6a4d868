// How much freed shared memory pools hold, and forkful::trim (docs/protocol.md, 8).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <forkful/forkful.hpp>
#include <string>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace forkful_tests;
using forkful::process_pool;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Bytes of all shared memory of this process and its workers.
std::size_t shared_bytes() {
  std::size_t bytes = 0;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code closed;
    struct stat file{};
    if (std::filesystem::read_symlink(each, closed).string().find("memfd:forkful") != std::string::npos &&
        stat(each.path().c_str(), &file) == 0)
      bytes += static_cast<std::size_t>(file.st_blocks) * 512;
  }
  return bytes;
}

std::vector<char> large(int with) { return std::vector<char>(40 * mebibyte, static_cast<char>(with)); }

TEST(trim, leaves_next_to_nothing_of_what_large_calls_used_and_the_pool_goes_on) {
  const auto ended = in_child([] {  // so that other tests' memory does not count
    alarm(hang_seconds);
    process_pool pool{2};
    std::vector<int> numbers(8);
    if (pool.map(numbers, large).size() != 8) return 1;
    const std::size_t kept = shared_bytes();
    if (kept < 40 * mebibyte) return 2;  // else this tests nothing
    forkful::trim();
    if (shared_bytes() > 8 * mebibyte) return 3;
    const auto again = pool.with({.chunk = 1}).map({1, 2, 3}, large);
    for (int i = 0; i != 3; ++i) {
      if (again[static_cast<std::size_t>(i)] != large(i + 1)) return 4;
    }
    forkful::trim();
    forkful::trim();
    return shared_bytes() > 8 * mebibyte ? 5 : 7;
  });
  EXPECT_TRUE(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 7) << ended.status;
}

TEST(trim, in_a_worker_and_where_there_is_nothing_does_no_harm) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    forkful::trim();
    process_pool pool{2};
    const auto finished = pool.map({1, 2, 3, 4}, [](int i) {
      forkful::shared_vector<char> scratch(10 * mebibyte, static_cast<char>(i));
      forkful::trim();
      return static_cast<int>(scratch[5 * mebibyte]);
    });
    return finished == std::vector{1, 2, 3, 4} ? 7 : 1;
  });
  EXPECT_TRUE(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 7) << ended.status;
}

}  // namespace
