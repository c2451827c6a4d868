// Callers in unusual places: threads with little stack, threads that are cancelled, destructors that run when a program or a thread ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>

#include "support/hang.hpp"
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

// All functions that a program may call, but for the verbs above: a cancellation that is pending when it does so waits
// until that is done.
process_pool* pool_there = nullptr;
std::optional<forkful::shared_vector<char>> large;
std::optional<forkful::progress_bar> bar;
std::unique_ptr<process_pool> pool_of_thread;
std::optional<forkful::future<int>> promised;
std::stop_source stopper;

struct public_function {
  const char* name;
  void (*prepare)();
  void (*call)();
};
void PrintTo(const public_function& one, std::ostream* out) { *out << one.name; }

void nothing() {}
void make_large() { large.emplace(std::size_t{32} << 20, 'x'); }
void give_large_back() { large.reset(); }

const public_function public_functions[] = {
    {"report", nothing, [] { std::ignore = pool_there->report(); }},
    {"totals", nothing, [] { std::ignore = pool_there->totals(); }},
    {"reset_totals", nothing, [] { pool_there->reset_totals(); }},
    {"size", nothing, [] { std::ignore = pool_there->size(); }},
    {"terminate", nothing, [] { pool_there->terminate(); }},
    {"restart", nothing, [] { pool_there->restart(); }},
    {"advise", nothing, [] { std::ignore = forkful::advise(indices(100), [](std::size_t i) { return i; }); }},
    {"pool", nothing, [] { pool_of_thread = std::make_unique<process_pool>(1U); }},
    {"end_of_pool", [] { pool_of_thread = std::make_unique<process_pool>(1U); }, [] { pool_of_thread.reset(); }},
    {"submit", nothing, [] { promised = pool_there->submit(twice, 3); }},
    {"end_of_future", [] { promised = pool_there->submit(twice, 3); }, [] { promised.reset(); }},
    {"request_stop", [] { promised = pool_there->with({.stop = stopper.get_token()}).submit(twice, 3); },
     [] { stopper.request_stop(); }},
    {"shared_vector", nothing, make_large},
    {"end_of_shared_vector", make_large, give_large_back},
    {"trim", [] { make_large(), give_large_back(); }, [] { forkful::trim(); }},
    {"progress_bar", [] { bar.emplace("running", forkful::progress_bar_options{.fd = 2, .always = true}); },
     [] { (*bar)({.done = 1, .total = 2}); }},
    {"init", nothing, [] { EXPECT_THROW(forkful::init(0, nullptr), forkful::start_failed); }},  // beside other threads
};

class cancelled_in : public testing::TestWithParam<public_function> {};

TEST_P(cancelled_in, a_function_ends_behind_it) {
  static const public_function* function = nullptr;
  function = &GetParam();
  EXPECT_TRUE(in_child([] {
                alarm(hang_seconds);
                static process_pool pool{1};
                pool_there = &pool;
                static std::atomic<bool> asked{false};
                static bool came_back = false;
                pthread_t thread{};
                pthread_create(
                    &thread, nullptr,
                    [](void*) -> void* {
                      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
                      std::ignore = pool.map({1, 2, 3}, twice);
                      function->prepare();
                      asked.wait(false);
                      pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
                      function->call();
                      came_back = true;
                      pthread_testcancel();
                      return nullptr;
                    },
                    nullptr);
                pthread_cancel(thread);
                asked = true;
                asked.notify_one();
                void* how = nullptr;
                pthread_join(thread, &how);
                if (how != PTHREAD_CANCELED) return 1;
                return came_back ? 0 : 2;
              }).exited_with(0));
}

INSTANTIATE_TEST_SUITE_P(faults, cancelled_in, testing::ValuesIn(public_functions),
                         [](const auto& which) { return std::string(which.param.name); });

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
          thread_local user_of_a_pool late;  // made before the thread's first call, destroyed after what it made
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
