// Callers in unusual places: threads with little stack, threads that are cancelled, destructors that run when a program or a thread ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <memory>
#include <string>
#include <thread>
#include <tuple>

#include "support/in_child.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using namespace forkful_tests;
using testing::HasSubstr;

int twice(int slice) { return 2 * slice; }

[[gnu::noinline]] void burn() { std::abort(); }

// Reading debug information takes more stack than such a thread has.
TEST(caller, with_a_small_stack_hears_where_a_slice_crashed) {
  const seen_by_all<std::array<char, 512>> heard;
  static char* to = nullptr;
  to = heard->data();
  const auto end = in_child([] {
    pthread_attr_t how;
    pthread_attr_init(&how);
    pthread_attr_setstacksize(&how, std::size_t{128} << 10);
    pthread_t thread{};
    pthread_create(
        &thread, &how,
        [](void*) -> void* {
          process_pool pool{1};
          const auto outcome = pool.try_map({1}, [](int slice) {
            burn();
            return slice;
          });
          outcome[0].failure().what.copy(to, 511);
          return nullptr;
        },
        nullptr);
    pthread_join(thread, nullptr);
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0));
  EXPECT_THAT(std::string(heard->data()), HasSubstr("burn"));
}

std::atomic<bool>* goes_on = nullptr;

int waits(int slice) {
  while (!*goes_on) usleep(100);
  return slice;
}

template <class Pool>
class cancelled_caller : public testing::Test {};
using pools = testing::Types<process_pool, forkful::snapshot_pool, forkful::thread_pool>;
TYPED_TEST_SUITE(cancelled_caller, pools);

// The cancellation waits until the call is over; the program goes on, and so does the pool.
TYPED_TEST(cancelled_caller, ends_behind_its_call) {
  const seen_by_all<std::atomic<bool>> shared;
  goes_on = &*shared;
  for (const bool submits : {false, true}) {
    *goes_on = false;
    EXPECT_TRUE(in_child([submits] {
                  static std::unique_ptr<TypeParam> pool;
                  pool = std::make_unique<TypeParam>(2);
                  static int sum = 0;
                  pthread_t thread{};
                  pthread_create(
                      &thread, nullptr,
                      submits ? +[](void*) -> void* {
                        sum = pool->submit(waits, 6).get();
                        pthread_testcancel();
                        return nullptr;
                      }
                              : +[](void*) -> void* {
                        for (const int result : pool->map({1, 2, 3}, waits)) sum += result;
                        pthread_testcancel();
                        return nullptr;
                      },
                      nullptr);
                  pthread_cancel(thread);
                  *goes_on = true;
                  void* how = nullptr;
                  pthread_join(thread, &how);
                  if (how != PTHREAD_CANCELED || (sum != 6 && sum != 0)) return 1;
                  if (pool->map({1, 2, 3}, twice)[2] != 6) return 2;
                  pool.reset();
                  return 0;
                }).exited_with(0));
  }
}

// As late as that there is still a pool, and its report.
struct user_of_a_pool {
  process_pool* pool = nullptr;
  int* sees = nullptr;
  user_of_a_pool() = default;
  user_of_a_pool(const user_of_a_pool&) = delete;
  user_of_a_pool& operator=(const user_of_a_pool&) = delete;
  ~user_of_a_pool() {
    if (pool == nullptr) return;
    *sees = pool->map({1, 2, 3}, twice)[2] + static_cast<int>(pool->report().slices);
  }
};

TEST(caller, in_the_destructor_of_an_older_thread_local_object_gets_results) {
  EXPECT_TRUE(
      in_child([] {
        int sees = 0;
        process_pool pool{2};
        std::thread([&] {
          thread_local user_of_a_pool late;  // made before the thread's first call, destroyed after what that made
          late.pool = &pool;
          late.sees = &sees;
          std::ignore = pool.map({1, 2, 3}, twice);
        }).join();
        return sees == 9 ? 0 : 1;
      }).exited_with(0));
}

TEST(caller, in_a_static_destructor_gets_results) {
  EXPECT_TRUE(in_child([] {
                static process_pool* const pool = new process_pool{2};
                std::ignore = pool->map({1, 2, 3}, twice);
                std::atexit([] { _exit(pool->map({1, 2, 3}, twice)[2] + static_cast<int>(pool->report().slices)); });
                // Runs the thread's own destructors first, then those and what atexit() was given.
                std::exit(1);
                return 1;
              }).exited_with(9));
}

}  // namespace
