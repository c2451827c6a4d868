// When no worker can be had, and when resources are scarce: one clear sentence, nothing leaked, and the pool can be used
// again once the cause is gone. docs/protocol.md, 10, 16.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <forkful/forkful.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "faults/killing.hpp"
#include "faults/scarce.hpp"

namespace {

using namespace forkful_tests;
using testing::HasSubstr;

// ---- Workers that die before they begin a slice ----

template <class Pool>
void gives_up_and_recovers(point where) {
  SCOPED_TRACE(name_of(where));
  const watchdog bites;
  ASSERT_EQ(count_run(*std::make_unique<Pool>(2U)), 100U);  // what is made once is made now
  const auto descriptors = open_descriptors();
  {
    std::unique_ptr<Pool> pool;
    {
      const killer now(where, 1, ~0U);
      pool = std::make_unique<Pool>(2U);
      try {
        std::ignore = count_run(*pool);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const forkful::start_failed& error) {
        EXPECT_EQ(error.code(), "start_failed");
        EXPECT_THAT(error.what(), HasSubstr("gave up"));
        EXPECT_THAT(error.what(), HasSubstr("workers in a row ended before they began a slice"));
      }
      EXPECT_TRUE(children_of(getpid()).empty());
      EXPECT_GE(now.kills(), 9U);
      EXPECT_LE(now.kills(), 2 * 8 + 4U) << "it should have given up sooner";
      std::cout << name_of(where) << ": gave up after " << now.kills() << " deaths" << std::endl;
    }
    EXPECT_EQ(count_run(*pool), 100U) << "the cause is gone";
    EXPECT_EQ(pool->report().deaths, 0U);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_TRUE(children_of(getpid()).empty());
}

TEST(giving_up, is_told_when_workers_die_before_they_begin_a_slice) {
  for (const point where : {point::fork_child, point::lifeline_armed, point::claim_after}) {
    gives_up_and_recovers<process_pool>(where);
    gives_up_and_recovers<snapshot_pool>(where);
  }
}

// Half of them: lost slices are begun again, and the pool does not give up while slices get done.
TEST(giving_up, does_not_happen_while_work_gets_done) {
  const watchdog bites;
  static std::atomic<unsigned>* forks = nullptr;
  const seen_by_all<std::atomic<unsigned>> counter;
  forks = &*counter;
  unsigned kills = 0;
  forkful::detail::breakpoint_installed = [](point where) {
    if (where == point::lifeline_armed && forks->fetch_add(1) % 2 == 0) raise(SIGKILL);
    if (where == point::done_after) raise(SIGKILL);  // one chunk a worker
  };
  process_pool pool{2};
  for (int call = 0; call != static_cast<int>(times(5)); ++call) {
    ASSERT_EQ(count_run(pool), 100U);
    kills += static_cast<unsigned>(pool.report().deaths);
  }
  forkful::detail::breakpoint_installed = nullptr;
  EXPECT_GE(kills, times(100));
}

// ---- Scarce resources ----

template <class Body>
int with_limit(decltype(RLIMIT_AS) which, rlim_t most, Body body) {
  const seen_by_all<sentence> said;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    forget_inherited_arenas();
    rlimit limit{};
    getrlimit(which, &limit);
    limit.rlim_cur = most;
    if (setrlimit(which, &limit) != 0) return static_cast<int>(unclear);
    return told(body, *said);
  });
  if ((*said)[0] != '\0') std::cout << "  " << said->data() << std::endl;
  return WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -WTERMSIG(ended.status);
}

constexpr rlim_t megabyte = rlim_t{1} << 20;

TEST(scarce_resources, little_address_space_means_a_smaller_arena_or_a_sentence) {
  if (sanitized) GTEST_SKIP() << "AddressSanitizer takes terabytes of address space";
  EXPECT_EQ(with_limit(RLIMIT_AS, 4096 * megabyte, pools_work), worked);
  EXPECT_EQ(with_limit(RLIMIT_AS, 600 * megabyte, pools_work), worked);
  EXPECT_EQ(with_limit(RLIMIT_AS, 300 * megabyte, pools_work), worked);
  EXPECT_EQ(with_limit(RLIMIT_AS, 100 * megabyte, pools_work), start_refused);
}

TEST(scarce_resources, a_small_file_size_limit_means_a_smaller_arena_or_a_sentence) {
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, 1024 * megabyte, pools_work), worked);
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, 64 * megabyte, pools_work), worked);
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, 63 * megabyte, pools_work), start_refused);
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, 0, pools_work), start_refused);
}

TEST(scarce_resources, few_descriptors_mean_fewer_workers_or_a_sentence) {
  const auto with_descriptors = [](rlim_t most) { return with_limit(RLIMIT_NOFILE, most, pools_work); };
  EXPECT_EQ(with_descriptors(32), worked);
  EXPECT_EQ(with_descriptors(3), start_refused);
  unsigned refused = 0;
  for (rlim_t most = 4; most != 32; ++most) {
    const int how = with_descriptors(most);
    EXPECT_TRUE(how == worked || how == start_refused) << how << " with " << most;
    refused += how == start_refused ? 1 : 0;
  }
  EXPECT_GE(refused, 2U);
  // More workers than there are descriptors for.
  EXPECT_EQ(with_limit(RLIMIT_NOFILE, 32,
                       [] {
                         process_pool pool{50};
                         if (count_run(pool) != 100) return false;
                         rlimit plenty{};
                         getrlimit(RLIMIT_NOFILE, &plenty);
                         plenty.rlim_cur = plenty.rlim_max;
                         setrlimit(RLIMIT_NOFILE, &plenty);  // to be able to count descriptors
                         const auto workers = children_of(getpid()).size();
                         return workers >= 5 && workers < 50 && count_run(pool) == 100 &&
                                children_of(getpid()).size() == 50;
                       }),
            worked);
}

// The test may have inherited descriptors with gaps between them, which a limit on the number would leave free.
void fill_gaps_between_descriptors() {
  const int lowest_free = dup(STDIN_FILENO);
  for (int highest = 1000; highest > lowest_free; --highest) {
    if (fcntl(highest, F_GETFD) < 0) continue;
    while (dup(STDIN_FILENO) < highest) {
    }
    return;
  }
}

// A refusal leaks nothing, and afterwards all works that there is enough for.
TEST(scarce_resources, a_refused_pool_leaves_nothing_behind) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    {
      process_pool warm_up{1};
    }
    fill_gaps_between_descriptors();
    const auto before = open_descriptors();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t plenty = limit.rlim_cur;
    int refused = 0;
    for (int round = 0; round != 50; ++round) {
      for (rlim_t room = 0; room != 8; ++room) {
        limit.rlim_cur = before + room;
        setrlimit(RLIMIT_NOFILE, &limit);
        try {
          process_pool pool{1};
        } catch (const forkful::start_failed&) {
          ++refused;
        }
      }
    }
    limit.rlim_cur = plenty;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (refused < 50 * 2) return 1;
    if (open_descriptors() != before || !children_of(getpid()).empty()) return 2;
    return pools_work() ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(scarce_resources, dev_shm_is_not_needed) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    // Read-only and without room: as good as missing.
    if (mount("none", "/dev/shm", "tmpfs", MS_RDONLY, "size=4k") != 0) return 77;
    if (std::FILE* file = std::fopen("/dev/shm/forkful_probe", "w"); file != nullptr) return 2;
    return pools_work() ? static_cast<int>(worked) : static_cast<int>(wrong);
  });
  if (ended.exited_with(77)) GTEST_SKIP() << "needs a mount namespace of its own, which takes root";
  EXPECT_TRUE(ended.exited_with(worked)) << ended.status;
}

// ---- An arena that is used up ----

constexpr rlim_t small_arena = 64 * megabyte;

TEST(exhausted_arena, by_the_callers_own_data_is_told_and_passes) {
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, small_arena,
                       [] {
                         process_pool pool{2};
                         std::vector<shared_vector<double>> hoard;
                         int refusals = 0;
                         try {
                           for (;;) hoard.emplace_back(std::size_t{1} << 17);
                         } catch (const forkful::arena_exhausted& error) {
                           refusals += is_a_sentence(error.what()) ? 1 : 0;
                         }
                         if (refusals != 1 || hoard.size() < 40) return false;
                         hoard.clear();
                         return count_run(pool) == 100;
                       }),
            worked);
}

TEST(exhausted_arena, by_input_that_does_not_fit_is_told_and_passes) {
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, small_arena,
                       [] {
                         process_pool pool{2};
                         const std::vector<std::string> input{"small", std::string(100'000'000, 'x')};
                         bool refused = false;
                         try {
                           std::ignore = pool.map(input, [](const std::string& slice) { return slice.size(); });
                         } catch (const forkful::arena_exhausted& error) {
                           refused = is_a_sentence(error.what());
                         }
                         return refused && count_run(pool) == 100;
                       }),
            worked);
}

TEST(exhausted_arena, by_results_is_told_with_the_slice_and_passes) {
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, small_arena,
                       [] {
                         process_pool pool{2};
                         for (int round = 0; round != 20; ++round) {
                           bool refused = false;
                           try {
                             std::ignore = pool.map(indices(4), [](std::size_t i) {
                               return std::string(i == 2 ? 100'000'000 : 1000, 'x');
                             });
                           } catch (const forkful::arena_exhausted& error) {
                             const auto* where = dynamic_cast<const forkful::slice_info*>(&error);
                             refused = is_a_sentence(error.what()) && where != nullptr && where->slice() == 2;
                           }
                           if (!refused || pool.report().deaths != 0 || count_run(pool) != 100) return false;
                         }
                         return true;
                       }),
            worked);
}

// Not one large slice but all of them together; and slices that fill the arena to the last block.
TEST(exhausted_arena, to_the_last_block_is_told_and_passes) {
  EXPECT_EQ(with_limit(RLIMIT_FSIZE, small_arena,
                       [] {
                         process_pool pool{2};
                         for (int round = 0; round != 5; ++round) {
                           bool refused = false;
                           try {
                             pool.for_each(indices(4), [](std::size_t) {
                               std::vector<shared_vector<char>> hoard;
                               for (std::size_t bytes = 1 << 20; bytes >= 16;) {
                                 try {
                                   hoard.emplace_back(bytes);
                                 } catch (const forkful::arena_exhausted&) {
                                   if (bytes == 16) throw;
                                   bytes /= 2;
                                 }
                               }
                             });
                           } catch (const forkful::arena_exhausted& error) {
                             refused = is_a_sentence(error.what());
                           }
                           if (!refused || count_run(pool) != 100) return false;
                         }
                         return true;
                       }),
            worked);
}

}  // namespace
