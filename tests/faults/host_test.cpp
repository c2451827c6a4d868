// What the program around forkful does at each fork (forkful/detail/host.hpp), wherever workers come from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <forkful/forkful.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "faults/killing.hpp"

namespace {

using forkful::indices;
using forkful::pool_options;
using forkful::start_failed;
using forkful::start_method;
using namespace forkful_tests;
using testing::HasSubstr;

// What each process did, in its order: b before a fork, a after it, c in the new process, s before its first chunk, l when it leaves.
struct diary {
  struct entry {
    std::atomic<pid_t> process{0};
    std::atomic<char> what{0};
  };
  std::atomic<unsigned> count{0};
  entry entries[1000];
};
diary* written = nullptr;

void note(char what) noexcept {
  diary::entry& mine = written->entries[written->count.fetch_add(1)];
  mine.process = getpid();
  mine.what = what;
}

const forkful::detail::host around{
    .self = &written,
    .before_fork = [](void*) noexcept { note('b'); },
    .after_fork = [](void*, bool child) noexcept { note(child ? 'c' : 'a'); },
    .worker_starts = [](void* self) { note(self == &written ? 's' : '?'); },
    .worker_leaves = [](void*) { note('l'); },
};
const forkful::detail::host failing{.worker_starts = [](void*) { throw std::runtime_error("no oven"); }};
const forkful::detail::host crashing{.worker_starts = [](void*) { std::raise(SIGSEGV); }};

struct hosted_snapshots : forkful::detail::snapshot_way {
  static std::unique_ptr<forkful::detail::engine> start(const pool_options& options) {
    return forkful::detail::start_snapshot(options, &around);
  }
};
template <const forkful::detail::host* Host>
struct processes_of : forkful::detail::process_way {
  static std::unique_ptr<forkful::detail::engine> start(const pool_options& options) {
    return forkful::detail::start_processes(options, Host);
  }
};

template <const forkful::detail::host* Host>
std::string refusal(start_method start) {
  try {
    forkful::basic_pool<processes_of<Host>> pool(pool_options{.workers = 2, .start = start});
    (void)pool.map(indices(4), [](std::size_t i) { return i; });
  } catch (const start_failed& error) {
    return error.what();
  }
  return "nothing was thrown";
}

using hosted_processes = processes_of<&around>;

class host : public testing::Test {
 protected:
  host() { written = &*written_; }

  // By process; the caller's under 0.
  static std::map<pid_t, std::string> diaries() {
    std::map<pid_t, std::string> all;
    for (unsigned i = 0; i != written->count; ++i) {
      const pid_t process = written->entries[i].process;
      all[process == getpid() ? 0 : process] += written->entries[i].what.load();
    }
    return all;
  }
  static std::multiset<std::string> of_others() {
    std::multiset<std::string> all;
    for (const auto& [process, diary] : diaries()) {
      if (process != 0) all.insert(diary);
    }
    return all;
  }

  const watchdog bites_;
  seen_by_all<diary> written_;
};

std::size_t itself(std::size_t i) { return i; }

TEST_F(host, is_called_round_each_fork_of_a_worker) {
  {
    forkful::basic_pool<hosted_processes> pool(pool_options{.workers = 2, .start = start_method::fork});
    EXPECT_EQ(pool.map(indices(4), itself).size(), 4U);
  }
  EXPECT_EQ(diaries()[0], "baba");
  EXPECT_EQ(of_others(), (std::multiset<std::string>{"csl", "csl"}));
}

TEST_F(host, is_called_round_the_fork_of_a_zygote_and_in_it_round_each_clone) {
  {
    forkful::basic_pool<hosted_processes> pool(pool_options{.workers = 2, .start = start_method::zygote});
    EXPECT_EQ(pool.map(indices(4), itself).size(), 4U);
    EXPECT_THAT(pool.report().warnings, testing::Not(testing::Contains(HasSubstr("forked from the caller"))));
  }
  EXPECT_EQ(diaries()[0], "ba");
  EXPECT_EQ(of_others(), (std::multiset<std::string>{"cbaba", "csl", "csl"}));
}

TEST_F(host, is_called_for_the_replacement_of_a_worker_that_crashed) {
  for (const start_method start : {start_method::fork, start_method::zygote}) {
    written->count = 0;
    {
      forkful::basic_pool<hosted_processes> pool(pool_options{.workers = 1, .start = start});
      const auto outcomes = pool.try_map(indices(3), [](std::size_t i) {
        if (i == 1) std::raise(SIGKILL);
        return i;
      });
      EXPECT_TRUE(outcomes[0] && !outcomes[1] && outcomes[2]);
    }
    const bool forked = start == start_method::fork;
    EXPECT_EQ(diaries()[0], forked ? "baba" : "ba");
    std::multiset<std::string> expected{"cs", "csl"};
    if (!forked) expected.insert("cbaba");
    EXPECT_EQ(of_others(), expected);
  }
}

TEST_F(host, is_called_for_each_call_on_snapshots) {
  {
    forkful::basic_pool<hosted_snapshots> pool(pool_options{.workers = 2});
    for (int call = 0; call != 2; ++call) EXPECT_EQ(pool.map(indices(4), itself).size(), 4U);
  }
  EXPECT_EQ(diaries()[0], "babababa");
  EXPECT_EQ(of_others(), (std::multiset<std::string>{"csl", "csl", "csl", "csl"}));
}

TEST_F(host, says_why_a_worker_does_not_start) {
  for (const start_method start : {start_method::fork, start_method::zygote}) {
    EXPECT_THAT(refusal<&failing>(start), HasSubstr("because std::runtime_error: no oven"));
    EXPECT_THAT(refusal<&crashing>(start), HasSubstr("because its start crashed (SIGSEGV, segmentation fault)"));
  }
}

constexpr std::uint64_t an_hour_ns = 3'600'000'000'000;

const forkful::detail::host waiting{.worker_starts = [](void*) {
  note('s');
  while (written->count < 3) usleep(100);
}};

TEST_F(host, can_be_waited_for_until_a_worker_is_through_its_start) {
  for (const start_method start : {start_method::fork, start_method::zygote}) {
    written->count = 0;
    const pool_options options{.workers = 2, .start = start};
    const auto slow = forkful::detail::start_processes(options, &waiting);
    while (written->count != 2) EXPECT_FALSE(slow->started(forkful::detail::now_ns()));
    EXPECT_FALSE(slow->started(0));
    note('.');
    EXPECT_TRUE(slow->started(forkful::detail::now_ns() + an_hour_ns));
    EXPECT_TRUE(slow->started(0));
    slow->terminate();
    EXPECT_TRUE(slow->started(0)) << "there is none to wait for";
    const auto wrong = forkful::detail::start_processes(options, &failing);
    const auto wait = [&] { wrong->started(forkful::detail::now_ns() + an_hour_ns); };
    EXPECT_THAT(wait, testing::ThrowsMessage<start_failed>(HasSubstr("because std::runtime_error: no oven")));
    EXPECT_TRUE(children_of(getpid()).size() <= 1) << "but for the zygote they are gone";
  }
}

unsigned oven = 0;

// A zygote's workers are of one moment: the pool's beginning.
TEST_F(host, of_a_zygote_gives_replacements_the_program_as_it_was) {
  oven = 1;
  forkful::process_pool pool(pool_options{.workers = 1, .start = start_method::zygote});
  oven = 2;
  const auto in_a_replacement = pool.with({.attempts = 2}).map(indices(1), [](std::size_t) {
    if (written->count.fetch_add(1) == 0) std::raise(SIGKILL);
    return oven;
  });
  EXPECT_EQ(in_a_replacement[0], 1U);
  pool.restart();
  EXPECT_EQ(pool.map(indices(1), [](std::size_t) { return oven; })[0], 2U);
}

TEST_F(host, without_its_zygote_a_pool_forks_and_says_so) {
  forkful::process_pool pool(pool_options{.workers = 1, .start = start_method::zygote});
  // Workers are children of this process, too.
  const pid_t worker = pool.map(indices(1), [](std::size_t) { return getpid(); })[0];
  for (const pid_t child : children_of(getpid())) {
    if (child != worker) kill(child, SIGKILL);
  }
  const auto outcomes = pool.try_map(indices(2), [](std::size_t i) {
    if (i == 0) std::raise(SIGKILL);
    return i;
  });
  EXPECT_TRUE(!outcomes[0] && outcomes[1]);
  EXPECT_THAT(pool.report().warnings, testing::Contains(HasSubstr("the pool's template has ended (signal 9)")));
}

const forkful::detail::host warned{
    .worker_starts =
        [](void*) {
          note('s');
          std::signal(SIGUSR1, [](int) { note('w'); });
        },
    .late_signal = SIGUSR1,
};

TEST_F(host, tells_a_slice_that_is_late_before_it_is_killed) {
  forkful::basic_pool<processes_of<&warned>> pool(pool_options{.workers = 1, .start = start_method::fork});
  using namespace std::chrono_literals;
  const auto outcomes = pool.with({.timeout = 5ms}).try_map(indices(3), [](std::size_t i) {
    const unsigned before = written->count;
    while (i == 0) pause();
    // The signal ends the wait, and the slice is done before it is killed.
    while (i == 1 && written->count == before) sched_yield();
    return i;
  });
  ASSERT_FALSE(outcomes[0]);
  EXPECT_EQ(outcomes[0].failure().kind, forkful::failure_kind::timeout);
  EXPECT_TRUE(outcomes[1] && outcomes[2]);
  EXPECT_EQ(of_others(), (std::multiset<std::string>{"sw", "sw"}));
}

TEST(chunks, after_which_a_worker_is_replaced) {
  forkful::process_pool pool(pool_options{.workers = 1, .max_chunks_per_worker = 3});
  std::map<pid_t, unsigned> of;
  for (const pid_t process : pool.with({.chunk = 2}).map(indices(20), [](std::size_t) { return getpid(); }))
    ++of[process];
  std::vector<unsigned> slices;
  for (const auto& each : of) slices.push_back(each.second);
  std::sort(slices.begin(), slices.end());
  EXPECT_EQ(slices, (std::vector<unsigned>{2, 6, 6, 6}));
  EXPECT_EQ(pool.report().deaths, 0U);
}

}  // namespace
