// Programs that lock their memory (mlockall): what is resident is what pools use, not all that they have addresses for.
// docs/protocol.md, 10.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <forkful/forkful.hpp>
#include <fstream>
#include <string>

#include "faults/killing.hpp"
#include "faults/scarce.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace forkful_tests;

constexpr int cannot_lock = 77;
constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Bytes of shared memory that are resident in this process.
std::size_t resident_shared() {
  std::ifstream maps("/proc/self/smaps");
  std::size_t bytes = 0;
  bool shared = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" kB") == std::string::npos && line.find(':') != std::string::npos && line.find('-') < 17)
      shared = line.find("memfd:forkful") != std::string::npos;
    if (shared && line.starts_with("Rss:")) bytes += std::stoul(line.substr(4)) * 1024;
  }
  return bytes;
}

// In a child whose shared memory could not take the machine down with it, should all of it become resident.
template <class Body>
int with_little_to_lose(Body body) {
  return in_child([&] {
           alarm(hang_seconds);
           forget_inherited_arenas();
           const rlimit files{2048 * mebibyte, 2048 * mebibyte};
           if (setrlimit(RLIMIT_FSIZE, &files) != 0) return cannot_lock;
           return body();
         })
      .status;
}

bool little_is_resident() { return resident_shared() < 200 * mebibyte; }

TEST(locked_memory, before_the_first_pool) {
  for (const int flags : {MCL_CURRENT | MCL_FUTURE, MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT}) {
    const int status = with_little_to_lose([&] {
      if (mlockall(flags) != 0) return cannot_lock;
      return pools_work() && resident_shared() > 0 && little_is_resident() ? 7 : 1;
    });
    if (WEXITSTATUS(status) == cannot_lock) GTEST_SKIP() << "this user may not lock memory";
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << flags << ": " << status;
  }
}

TEST(locked_memory, after_a_pool_and_what_is_freed_goes_back_to_the_kernel) {
  const int status = with_little_to_lose([&] {
    process_pool pool{2};
    if (count_run(pool) != 100) return 1;
    if (mlockall(MCL_CURRENT) != 0) return cannot_lock;
    if (!little_is_resident()) return 2;
    {
      const shared_vector<char> large(400 * mebibyte, 'c');
      if (resident_shared() < 400 * mebibyte) return 3;
    }
    return little_is_resident() && count_run(pool) == 100 && pools_work() ? 7 : 4;
  });
  if (WEXITSTATUS(status) == cannot_lock) GTEST_SKIP() << "this user may not lock memory";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
}

TEST(locked_memory, that_is_limited_is_told_in_a_sentence) {
  if (sanitized) GTEST_SKIP() << "AddressSanitizer lets nothing be locked";
  const seen_by_all<sentence> said;
  const int status = with_little_to_lose([&] {
    const rlimit locked{8 * mebibyte, 8 * mebibyte};
    if (setrlimit(RLIMIT_MEMLOCK, &locked) != 0 || (geteuid() == 0 && setuid(65534) != 0)) return cannot_lock;
    if (mlockall(MCL_FUTURE) != 0) return cannot_lock;
    return told(pools_work, *said);
  });
  if (WEXITSTATUS(status) == cannot_lock) GTEST_SKIP() << "needs another user";
  EXPECT_EQ(WEXITSTATUS(status), start_refused);
  EXPECT_NE(std::string(said->data()).find("locks its memory"), std::string::npos) << said->data();
  EXPECT_NE(std::string(said->data()).find("ulimit -l"), std::string::npos) << said->data();
}

}  // namespace
