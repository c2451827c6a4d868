// What only pools of threads do: everything is shared, any callable will do, and as many slices run at once as there
// are workers, whatever the number of CPUs.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <list>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backends/every_pool.hpp"
#include "backends/here/thread_share.hpp"

namespace {

using namespace forkful;

// CTest leaves these out where the pool here has one worker, the caller.
template <class Pool>
using on_threads = forkful_tests::on_every_pool<Pool>;
using pools_of_threads = testing::Types<forkful_tests::pool_here>;
TYPED_TEST_SUITE(on_threads, pools_of_threads, forkful_tests::pool_names);

TYPED_TEST(on_threads, take_any_callable_and_copy_nothing) {
  std::vector<std::string> cake(200, "slice");
  std::atomic<int> bites{0};
  this->pool.for_each(cake, [&](std::string& slice) {
    slice += "_eaten";
    ++bites;
  });
  EXPECT_EQ(bites, 200);
  for (const std::string& slice : cake) ASSERT_EQ(slice, "slice_eaten");
  const report r = this->pool.report();
  EXPECT_EQ(r.bytes_in, 0U);
  EXPECT_EQ(r.bytes_out, 0U);
  EXPECT_EQ(r.bytes_shared, 0U);
}

// Each waits for all others: fewer at once would wait for ever. (An auto_pool's caller is stuck then, and helpers
// join.)
TYPED_TEST(on_threads, run_as_many_slices_at_once_as_there_are_workers) {
  TypeParam eight(8U);
  std::barrier all(8);
  const auto workers = eight.with({.chunk = 1}).map(indices(8), [&](std::size_t) {
    all.arrive_and_wait();
    return worker_index();
  });
  EXPECT_EQ(std::set<unsigned>(workers.begin(), workers.end()).size(), 8U);
}

// The same where each is a call of its own: helpers that are on their way for some of them must not stand in for all.
TYPED_TEST(on_threads, run_as_many_submitted_calls_at_once_as_there_are_workers) {
  constexpr int together = 8;
  TypeParam wide(together);
  std::barrier all_here(together);
  for (int round = 0; round < 5; ++round) {
    std::vector<future<int>> meals;
    for (int i = 0; i < together; ++i) {
      meals.push_back(wide.submit([&all_here, i] {
        all_here.arrive_and_wait();
        return i;
      }));
    }
    for (int i = 0; i < together; ++i) EXPECT_EQ(meals[static_cast<std::size_t>(i)].get(), i);
  }
}

TYPED_TEST(on_threads, help_a_caller_that_is_stuck_in_its_first_slice) {
  std::mutex mutex;
  std::condition_variable changed;
  bool others_ate = false;
  const auto finished = this->pool.map(indices(2), [&](std::size_t i) {
    std::unique_lock held(mutex);
    if (i == 1) others_ate = true;
    changed.notify_all();
    if (i == 0) changed.wait(held, [&] { return others_ate; });
    return std::this_thread::get_id();
  });
  EXPECT_NE(finished[0], finished[1]);
}

TYPED_TEST(on_threads, lets_slices_use_the_pool_they_run_in) {
  const auto sums = this->pool.with({.chunk = 1}).map(indices(12), [&](std::size_t i) {
    const unsigned here = worker_index();
    const auto parts = this->pool.map(indices(i), [](std::size_t k) { return k; });
    EXPECT_EQ(worker_index(), here);
    return parts.size();
  });
  for (std::size_t i = 0; i != 12; ++i) EXPECT_EQ(sums[i], i);
}

TYPED_TEST(on_threads, never_change_two_bits_of_a_word_at_once) {
  for (int round = 0; round != 20; ++round) {
    std::vector<bool> bits(10'000);
    this->pool.with({.chunk = 7}).for_each(bits, [](std::vector<bool>::reference bit) { bit = !bit; });
    ASSERT_EQ(std::count(bits.begin(), bits.end(), true), 10'000);
    this->pool.with({.chunk = 7}).update(bits, [](bool& bit) { bit = !bit; });
    ASSERT_EQ(std::count(bits.begin(), bits.end(), true), 0);
  }
}

// A range that may be read by one thread only, and says which one read it.
struct numbers_of_one_thread {
  struct iterator {
    using value_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    const numbers_of_one_thread* from = nullptr;
    std::size_t at = 0;
    std::size_t operator*() const {
      EXPECT_EQ(std::this_thread::get_id(), from->reader);
      return at;
    }
    iterator& operator++() {
      EXPECT_EQ(std::this_thread::get_id(), from->reader);
      ++at;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& one, std::default_sentinel_t /*end*/) { return one.at == 2000; }
  };
  [[nodiscard]] iterator begin() const { return {this}; }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }
  std::thread::id reader = std::this_thread::get_id();
};

TYPED_TEST(on_threads, read_lazy_input_on_the_callers_thread_alone) {
  std::size_t next = 0;
  for (const std::string& one :
       this->pool.imap(numbers_of_one_thread{}, [](std::size_t i) { return std::to_string(i); }))
    ASSERT_EQ(one, std::to_string(next++));
  EXPECT_EQ(next, 2000U);
}

std::atomic<int> started{0};
std::atomic<int> left{0};

TYPED_TEST(on_threads, run_their_hooks_once_for_each_worker_that_ran) {
  started = left = 0;
  {
    TypeParam two(pool_options{.workers = 2, .on_worker_start = [] { ++started; }, .on_worker_exit = [] { ++left; }});
    std::barrier both(2);
    for (int i = 0; i != 3; ++i)
      two.with({.chunk = 1}).for_each(indices(2), [&](std::size_t) { both.arrive_and_wait(); });
    EXPECT_EQ(started, 2);
    EXPECT_EQ(left, 0);
  }
  EXPECT_EQ(started, 2);
  EXPECT_EQ(left, 2);
}

TYPED_TEST(on_threads, say_when_a_worker_cannot_start) {
  TypeParam two(pool_options{.workers = 2, .on_worker_start = [] { throw std::runtime_error("no oven"); }});
  try {
    (void)two.map(indices(3), [](std::size_t i) { return i; });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const start_failed& error) {
    EXPECT_NE(std::string(error.what()).find("on_worker_start threw std::runtime_error: no oven"), std::string::npos)
        << error.what();
  }
}

// The slice goes on, since no thread can end another; slices that were not begun are lost.
TYPED_TEST(on_threads, end_with_what_runs_when_they_are_terminated) {
  std::mutex mutex;
  std::condition_variable changed;
  bool begun = false;
  bool terminated = false;
  std::thread other([&] {
    std::unique_lock held(mutex);
    changed.wait(held, [&] { return begun; });
    held.unlock();
    this->pool.terminate();
    held.lock();
    terminated = true;
    changed.notify_all();
  });
  std::atomic<int> finished{0};
  EXPECT_THROW(this->pool.with({.chunk = 1})
                   .for_each(indices(1000),
                             [&](std::size_t) {
                               std::unique_lock held(mutex);
                               begun = true;
                               changed.notify_all();
                               changed.wait(held, [&] { return terminated; });
                               ++finished;
                             }),
               cancelled);
  other.join();
  EXPECT_GE(finished, 1);
  EXPECT_LT(finished, 1000);
  this->pool.restart();
  EXPECT_EQ(this->pool.map(indices(3), [](std::size_t i) { return i; }).size(), 3U);
}

TYPED_TEST(on_threads, call_no_exit_hook_beside_a_slice_that_goes_on_after_terminate) {
  left = 0;
  TypeParam two(pool_options{.workers = 2, .on_worker_exit = [] { ++left; }});
  std::promise<void> begun;
  std::promise<void> terminated;
  std::once_flag first;
  std::atomic<int> left_beside_a_slice{-1};
  std::thread other([&] {
    begun.get_future().wait();
    two.terminate();
    left_beside_a_slice = left.load();
    terminated.set_value();
  });
  const std::shared_future<void> until = terminated.get_future().share();
  EXPECT_THROW(two.with({.chunk = 1})
                   .for_each(indices(1000),
                             [&](std::size_t) {
                               std::call_once(first, [&] { begun.set_value(); });
                               until.wait();
                             }),
               cancelled);
  other.join();
  EXPECT_EQ(left_beside_a_slice, 0) << "every worker that had begun was in a slice";
}

TYPED_TEST(on_threads, cannot_kill_what_has_begun) {
  std::mutex mutex;
  std::condition_variable changed;
  bool begun = false;
  bool go_on = false;
  auto running = this->pool.submit([&] {
    std::unique_lock held(mutex);
    begun = true;
    changed.notify_all();
    changed.wait(held, [&] { return go_on; });
    return 7;
  });
  {
    std::unique_lock held(mutex);
    changed.wait(held, [&] { return begun; });
  }
  EXPECT_FALSE(running.cancel(forkful::kill));
  {
    const std::lock_guard held(mutex);
    go_on = true;
  }
  changed.notify_all();
  EXPECT_EQ(running.get(), 7);
}

TEST(thread_share, gives_no_slice_to_two_threads) {
  detail::thread_share share;
  EXPECT_EQ(share.unbegun(), 0U);
  share.open(10);
  EXPECT_EQ(share.begin(2), 2U);
  EXPECT_EQ(share.take(3), 5U);
  EXPECT_EQ(share.begin(9), 5U);
  EXPECT_EQ(share.unbegun(), 0U);
  EXPECT_EQ(share.take(0), 5U) << "nothing is left";
  detail::thread_share untouched;
  untouched.open(3);
  EXPECT_EQ(untouched.take(0), 0U) << "all of it, before its thread came to begin any";
  EXPECT_EQ(untouched.begin(1), 0U);
}

// The first slice waits for all others, some of which its own thread holds.
TEST(thread_relief, gives_an_idle_thread_what_another_has_not_begun) {
  constexpr std::size_t slices = 2560;
  for (const unsigned workers : {2U, 5U}) {
    thread_pool pool{workers};
    std::vector<std::atomic<unsigned>> begun(slices);
    const auto results = pool.map(indices(slices), [&begun](std::size_t i) {
      begun[i].fetch_add(1);
      for (std::size_t other = 1; i == 0 && other != slices; ++other) {
        while (begun[other].load() == 0) std::this_thread::yield();
      }
      return 3 * i;
    });
    for (std::size_t i = 0; i != slices; ++i) {
      ASSERT_EQ(results[i], 3 * i);
      ASSERT_EQ(begun[i].load(), 1U) << i;
    }
  }
}

TEST(thread_relief, runs_each_slice_once_and_fails_with_the_lowest_wherever_the_long_ones_lie) {
  thread_pool pool{3};
  for (std::size_t call = 0; call != 30; ++call) {
    constexpr std::size_t slices = 3000;
    std::vector<std::atomic<unsigned>> begun(slices);
    const auto run = [&begun, call](std::size_t i, std::size_t fails) {
      begun[i].fetch_add(1);
      if ((i + call * 97) % 211 < 3) std::this_thread::sleep_for(std::chrono::microseconds(100 * (i % 23)));
      if (i >= fails) throw std::out_of_range(std::to_string(i));
      return 3 * i;
    };
    const auto results = pool.map(indices(slices), run, slices);
    for (std::size_t i = 0; i != slices; ++i) {
      ASSERT_EQ(results[i], 3 * i);
      ASSERT_EQ(begun[i].load(), 1U) << i;
    }
    const std::size_t lowest = call * 100 + 7;
    try {
      static_cast<void>(pool.map(indices(slices), run, lowest));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::out_of_range& thrown) {
      ASSERT_EQ(thrown.what(), std::to_string(lowest));
    }
    for (std::size_t i = 0; i != lowest; ++i) ASSERT_EQ(begun[i].load(), 2U) << i;
  }
}

}  // namespace
