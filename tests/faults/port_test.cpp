// What a program around forkful drives itself: ports, and the end of a pool step by step (forkful/detail/job.hpp).
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <list>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "faults/killing.hpp"

namespace {

using namespace forkful_tests;
using forkful::call_options;
using forkful::pool_options;
using forkful::detail::for_ever;
using forkful::detail::ongoing;
using forkful::detail::wait_policy;

constexpr std::size_t gates = 16;

// What slices do: wait for the gate of their number, then count themselves.
struct plan {
  std::array<std::atomic<int>, gates> open{};
  std::atomic<unsigned> begun{0};
  std::atomic<unsigned> left{0};
  std::atomic<int> crashing{-1};
};
seen_by_all<plan>* shared = nullptr;

void wait_until(const auto& holds) {
  while (!holds()) std::this_thread::yield();
}

const forkful::detail::host counting{.worker_leaves = [](void*) { ++(*shared)->left; }};

// A call without input or results. `gate` < 0: its slices wait for nothing.
class made_by_hand {
 public:
  made_by_hand(forkful::detail::lasting_engine& pool, int gate, std::size_t slices = 1,
               const call_options& options = {.chunk = 1})
      : kept_(std::make_shared<kept>(gate)) {
    forkful::detail::job& work = kept_->work;
    work.slices = slices;
    work.plan = kept_->gate;
    work.run = [](const void* mine, forkful::detail::chunk_io&, std::size_t, std::size_t last) {
      plan& all = **shared;
      ++all.begun;
      const int at = *static_cast<const int*>(mine);
      if (at >= 0) wait_until([&] { return all.open[static_cast<std::size_t>(at)].load() != 0; });
      if (at >= 0 && all.crashing == at) std::raise(SIGKILL);
      return last;
    };
    going = forkful::detail::begin_job(pool, work, options, kept_);
    going->advance({.only_publish = true});
  }

  std::unique_ptr<ongoing> going;

 private:
  // What the engine holds as long as something of the call is on the board.
  struct kept {
    explicit kept(int number) : gate(static_cast<int*>(forkful::detail::shared_allocate(sizeof(int), alignof(int)))) {
      *gate = number;
    }
    kept(const kept&) = delete;
    kept& operator=(const kept&) = delete;
    ~kept() { forkful::detail::shared_deallocate(gate); }
    int* gate;
    forkful::detail::job work;
  };
  std::shared_ptr<kept> kept_;
};

class ports : public testing::Test {
 protected:
  ports() { shared = &shared_; }

  std::unique_ptr<forkful::detail::lasting_engine> pool(unsigned workers) {
    return forkful::detail::start_processes(pool_options{.workers = workers}, &counting);
  }
  void open(std::size_t gate) { shared_->open[gate] = 1; }

  const watchdog bites_;
  seen_by_all<plan> shared_;
};

TEST_F(ports, return_calls_in_the_order_in_which_they_end) {
  const auto crew = pool(4);
  const auto port = crew->open_port();
  std::array<std::unique_ptr<made_by_hand>, 4> calls;
  for (std::size_t i = 0; i != calls.size(); ++i) {
    calls[i] = std::make_unique<made_by_hand>(*crew, static_cast<int>(i));
    port->take(*calls[i]->going);
  }
  EXPECT_EQ(port->next(0), nullptr);
  for (const std::size_t i : {2U, 0U, 3U, 1U}) {
    open(i);
    EXPECT_EQ(port->next(for_ever), calls[i]->going.get());
    EXPECT_TRUE(calls[i]->going->advance({.until = 0}));
    EXPECT_NO_THROW(calls[i]->going->conclude());
    EXPECT_EQ(port->next(0), nullptr);
  }
}

TEST_F(ports, return_a_call_that_had_ended_before_it_was_left_to_them) {
  const auto crew = pool(1);
  const auto port = crew->open_port();
  made_by_hand first(*crew, -1);
  made_by_hand second(*crew, -1);
  // One worker, in their order: the first has ended, whether or not it was looked at.
  second.going->advance({});
  port->take(*first.going);
  EXPECT_EQ(port->next(for_ever), first.going.get());
  EXPECT_TRUE(first.going->advance({.until = 0}));
}

TEST_F(ports, carry_ten_thousand_calls_to_their_ends) {
  const auto crew = pool(3);
  const auto port = crew->open_port();
  constexpr std::size_t all = 10'000;
  std::list<made_by_hand> calls;  // more than there is room for on the board
  for (std::size_t i = 0; i != all; ++i) {
    calls.emplace_back(*crew, -1);
    port->take(*calls.back().going);
  }
  std::set<const ongoing*> left;
  for (const made_by_hand& one : calls) left.insert(one.going.get());
  while (!left.empty()) {
    const auto told = left.find(port->next(for_ever));
    ASSERT_NE(told, left.end());
    if (!const_cast<ongoing*>(*told)->advance({.until = 0})) continue;
    left.erase(told);
  }
  EXPECT_EQ(shared_->begun, all);
}

TEST_F(ports, publish_what_did_not_fit_at_first) {
  const auto crew = pool(2);
  const auto port = crew->open_port();
  constexpr std::size_t all = 5000;
  made_by_hand many(*crew, -1, all);
  port->take(*many.going);
  while (!many.going->advance({.until = 0})) EXPECT_EQ(port->next(for_ever), many.going.get());
  EXPECT_EQ(shared_->begun, all);
}

// Worker 0 holds slices 0 and 1, and what was taken from it is run before chunks that were published earlier: slices 2 to 9, of which the
// last one waits. All other slices wait as soon as that has begun.
std::size_t run_slice(std::size_t slice) {
  static constexpr std::size_t first_chunk = 10;
  plan& all = **shared;
  const auto wait_for = [&](std::size_t gate) {
    ++all.begun;
    wait_until([&] { return all.open[gate].load() != 0; });
  };
  if (slice == 0 || slice == first_chunk - 1) wait_for(slice == 0 ? 1 : 2);
  if (slice >= first_chunk) {
    if (all.begun < 2) {
      usleep(1000);
    } else {
      wait_until([&] { return all.open[3].load() != 0; });
    }
  }
  return slice + 1;
}

TEST_F(ports, return_a_call_when_what_was_taken_from_a_long_chunk_is_done) {
  const auto crew = pool(2);
  const auto port = crew->open_port();
  forkful::detail::job work;
  std::size_t collected = 0;
  work.slices = 2560;
  work.unordered = work.one_at_a_time = true;
  work.caller = &collected;
  work.run = [](const void*, forkful::detail::chunk_io&, std::size_t first, std::size_t) { return run_slice(first); };
  work.collect = [](void* count, const forkful::detail::finished_slices& done) {
    *static_cast<std::size_t*>(count) += done.last - done.first;
    *done.taken = done.last - done.first;
  };
  const auto call = forkful::detail::begin_job(*crew, work, {}, nullptr);
  call->advance({.only_publish = true});
  port->take(*call);
  while (shared_->begun < 2) {
    if (port->next(forkful::detail::now_ns() + 1'000'000) != nullptr) call->advance({.until = 0});
  }
  do call->advance({.until = 0});
  while (port->next(0) != nullptr);
  const std::size_t before = collected;
  open(2);
  EXPECT_EQ(port->next(for_ever), call.get());
  call->advance({.until = 0});
  EXPECT_EQ(collected, before + 8);
  open(1);
  open(3);
  while (!call->advance({.until = 0})) port->next(for_ever);
  EXPECT_EQ(collected, work.slices);
}

TEST_F(ports, are_told_of_crashes) {
  const auto crew = pool(2);
  const auto port = crew->open_port();
  shared_->crashing = 0;
  made_by_hand bad(*crew, 0);
  port->take(*bad.going);
  open(0);
  while (!bad.going->advance({.until = 0})) EXPECT_EQ(port->next(for_ever), bad.going.get());
  EXPECT_THROW(bad.going->conclude(), forkful::worker_crashed);
}

TEST_F(ports, are_told_when_the_pool_is_terminated) {
  const auto crew = pool(1);
  const auto port = crew->open_port();
  made_by_hand running(*crew, 0);
  made_by_hand waiting(*crew, 0);
  for (const auto* one : {&running, &waiting}) port->take(*one->going);
  std::thread other([&] { crew->terminate(); });
  for (int i = 0; i != 2; ++i) {
    auto* const told = const_cast<ongoing*>(port->next(for_ever));
    ASSERT_TRUE(told == running.going.get() || told == waiting.going.get());
    EXPECT_TRUE(told->advance({.until = 0}));
    EXPECT_THROW(told->conclude(), forkful::cancelled);
  }
  other.join();
}

TEST_F(ports, are_told_of_calls_that_another_thread_cancels_or_stops) {
  const auto crew = pool(1);
  const auto port = crew->open_port();
  made_by_hand running(*crew, 0);
  wait_until([&] { return shared_->begun == 1; });
  made_by_hand cancelled(*crew, 0);
  std::stop_source stop;
  made_by_hand stopped(*crew, 1, 2, {.chunk = 1, .stop = stop.get_token()});
  for (const auto* one : {&cancelled, &stopped}) port->take(*one->going);
  EXPECT_TRUE(cancelled.going->cancel(false));
  EXPECT_EQ(port->next(for_ever), cancelled.going.get());
  EXPECT_TRUE(cancelled.going->advance({.until = 0}));
  std::thread other([&] { stop.request_stop(); });
  EXPECT_EQ(port->next(for_ever), stopped.going.get());
  other.join();
  open(0);
  open(1);
  while (!stopped.going->advance({.until = 0})) port->next(for_ever);
  EXPECT_THROW(stopped.going->conclude(), forkful::cancelled);
}

// The thread that watches the workers is then another one, which waits for a call of its own.
TEST_F(ports, are_told_while_another_thread_waits) {
  const auto crew = pool(2);
  const auto port = crew->open_port();
  made_by_hand long_one(*crew, 0);
  std::thread other([&] { long_one.going->advance({}); });
  wait_until([&] { return shared_->begun == 1; });
  for (int i = 0; i != 100; ++i) {
    made_by_hand mine(*crew, -1);
    port->take(*mine.going);
    while (!mine.going->advance({.until = 0})) ASSERT_EQ(port->next(for_ever), mine.going.get());
  }
  open(0);
  other.join();
}

TEST_F(ports, forget_calls_that_are_destroyed) {
  const auto crew = pool(1);
  const auto port = crew->open_port();
  auto gone = std::make_unique<made_by_hand>(*crew, 0);
  port->take(*gone->going);
  gone.reset();
  open(0);
  made_by_hand next(*crew, -1);
  port->take(*next.going);
  EXPECT_EQ(port->next(for_ever), next.going.get());
}

TEST_F(ports, are_rung) {
  const auto crew = pool(1);
  const auto port = crew->open_port();
  port->ring();
  EXPECT_EQ(port->next(for_ever), nullptr);
  made_by_hand running(*crew, 0);
  port->take(*running.going);
  std::thread other([&] { port->ring(); });
  EXPECT_EQ(port->next(for_ever), nullptr);
  other.join();
  EXPECT_EQ(port->next(0), nullptr);
  open(0);
  EXPECT_EQ(port->next(for_ever), running.going.get());
}

TEST_F(ports, sleep_through_the_calls_of_others) {
  const auto crew = pool(2);
  const auto port = crew->open_port();
  std::atomic<long> switches{0};
  std::thread other([&] {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    const long before = used.ru_nvcsw;
    EXPECT_EQ(port->next(for_ever), nullptr);
    getrusage(RUSAGE_THREAD, &used);
    switches = used.ru_nvcsw - before;
  });
  for (int i = 0; i != 300; ++i) made_by_hand(*crew, -1).going->advance({});
  port->ring();
  other.join();
  // To sleep once, and for the mutex a few times.
  EXPECT_LE(switches, 20);
}

TEST_F(ports, outlive_a_fork) {
  const auto crew = pool(1);
  auto port = crew->open_port();
  made_by_hand running(*crew, 0);
  port->take(*running.going);
  const auto ended = in_child([&] {
    port->ring();
    try {
      port->next(0);
      return 1;
    } catch (const forkful::wrong_process&) {
    }
    port.reset();
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0));
  open(0);
  EXPECT_EQ(port->next(for_ever), running.going.get());
}

TEST_F(ports, know_whether_a_call_has_begun) {
  const auto crew = pool(1);
  made_by_hand running(*crew, 0);
  made_by_hand waiting(*crew, 1);
  wait_until([&] { return running.going->begun(); });
  EXPECT_EQ(shared_->open[0], 0);
  EXPECT_FALSE(waiting.going->begun());
  open(0);
  wait_until([&] { return waiting.going->begun(); });
  open(1);
  waiting.going->advance({});
  EXPECT_TRUE(waiting.going->begun());
}

TEST_F(ports, end_pools_step_by_step) {
  const auto crew = pool(2);
  made_by_hand running(*crew, 0);
  EXPECT_FALSE(crew->finish(0));
  EXPECT_FALSE(crew->finish(forkful::detail::now_ns() + 1'000'000));
  EXPECT_EQ(shared_->left, 0U);
  open(0);
  EXPECT_TRUE(crew->finish(for_ever));
  EXPECT_EQ(shared_->left, 2U);
  EXPECT_TRUE(running.going->advance({.until = 0}));
  EXPECT_NO_THROW(running.going->conclude());
  EXPECT_THROW(made_by_hand(*crew, -1), forkful::pool_closed);
  EXPECT_TRUE(crew->finish(for_ever));
  crew->restart(0);
  made_by_hand(*crew, -1).going->advance({});
  crew->terminate();
  EXPECT_TRUE(crew->finish(for_ever));
  EXPECT_EQ(shared_->left, 2U);
}

// Whoever waits for workers to leave does not keep another from ending them.
TEST_F(ports, end_pools_that_are_terminated_meanwhile) {
  static const forkful::detail::host staying{.worker_leaves = [](void*) {
    ++(*shared)->left;
    for (;;) pause();
  }};
  const auto crew = forkful::detail::start_processes(pool_options{.workers = 2}, &staying);
  std::thread other([&] { EXPECT_TRUE(crew->finish(for_ever)); });
  wait_until([&] { return shared_->left == 2U; });
  crew->terminate();
  other.join();
}

TEST_F(ports, end_pools_without_leaving_a_process) {
  for (const bool at_once : {false, true}) {
    const auto crew =
        forkful::detail::start_processes(pool_options{.workers = 2, .start = forkful::start_method::zygote}, &counting);
    made_by_hand(*crew, -1).going->advance({});
    EXPECT_EQ(children_of(getpid()).size(), 3U);
    if (at_once) {
      crew->terminate();
    } else {
      EXPECT_TRUE(crew->finish(for_ever));
    }
    EXPECT_EQ(children_of(getpid()).size(), 0U);
    crew->restart(0);
    made_by_hand(*crew, -1).going->advance({});
  }
}

}  // namespace
