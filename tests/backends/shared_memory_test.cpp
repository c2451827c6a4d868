// What verbs take of shared memory they give back: a small arena serves any number of calls and pools.
#include <sys/resource.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful;
using forkful_tests::in_child;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;

template <class Pool>
class shared_memory : public testing::Test {};
TYPED_TEST_SUITE(shared_memory, pools_of_processes, pool_names);

// In a process whose arena is at most 128 MiB.
template <class Body>
auto in_a_small_arena(Body body) {
  return in_child([&] {
    const rlimit small{std::size_t{128} << 20, std::size_t{128} << 20};
    setrlimit(RLIMIT_FSIZE, &small);
    return body();
  });
}

TYPED_TEST(shared_memory, comes_back_after_calls_that_succeed) {
  const auto end = in_a_small_arena([] {
    TypeParam pool(3U);
    std::vector<std::string> slices(5, std::string(1 << 20, 'x'));
    for (int round = 0; round < 40; ++round) {
      const auto got = pool.map(slices, [](const std::string& slice) { return slice + "y"; });
      if (got.size() != 5 || got[4].size() != slices[4].size() + 1) return 1;
      pool.update(slices, [](std::string& slice) { slice += "z"; });
      if (pool.map(indices(4),
                   [](std::size_t i) { return shared_vector<double>(100'000, static_cast<double>(i)); })[3][0] != 3)
        return 2;
      if (pool.map(indices(3), [](std::size_t i, const std::string& all) { return all[i]; }, slices[0])[0] != 'x')
        return 3;
    }
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

TYPED_TEST(shared_memory, comes_back_after_calls_that_fail) {
  const auto end = in_a_small_arena([] {
    TypeParam pool(3U);
    const std::vector<std::string> slices(5, std::string(1 << 20, 'x'));
    for (int round = 0; round < 40; ++round) {
      const auto fail = [](const std::string& slice) -> std::string { throw std::runtime_error(slice); };
      const auto fail_late = [](std::size_t i) {
        if (i == 3) throw std::runtime_error("after three results");
        return std::string(1 << 20, 'x');
      };
      try {
        (void)pool.map(slices, fail);
        return 1;
      } catch (const std::runtime_error&) {
      }
      if (pool.try_map(slices, fail)[4]) return 2;
      try {
        (void)pool.map(indices(5), fail_late);
        return 3;
      } catch (const std::runtime_error&) {
      }
    }
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

TYPED_TEST(shared_memory, that_workers_allocate_in_place_comes_back) {
  const auto end = in_a_small_arena([] {
    TypeParam pool(3U);
    for (int round = 0; round < 40; ++round) {
      shared_vector<shared_string> texts(20);
      pool.for_each(texts, [](shared_string& text) { text.assign(500'000, 'x'); });
      pool.for_each(texts, [](shared_string& text) { shared_string(5, 'y').swap(text); });
      pool.for_each(texts, [](shared_string& text) { text.assign(500'000, 'z'); });
      if (texts[19].back() != 'z') return 1;
    }
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

TYPED_TEST(shared_memory, of_pools_that_ended_comes_back) {
  const auto end = in_a_small_arena([] {
    // More workers altogether than the arena has places for.
    for (int i = 0; i < 150; ++i) {
      TypeParam pool(7U);
      if (pool.map(indices(7), [](std::size_t k) { return std::string(1 << 16, 'x') + std::to_string(k); })[6].back() !=
          '6')
        return 1;
    }
    return 0;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

TYPED_TEST(shared_memory, that_is_used_up_is_an_error_and_the_pool_goes_on) {
  const auto end = in_a_small_arena([] {
    TypeParam pool(2U);
    const auto large = [](std::size_t megabytes) { return std::string(megabytes << 20, 'x'); };
    try {
      (void)pool.map(std::vector<std::size_t>{1, 200}, large);
      return 1;
    } catch (const arena_exhausted& exhausted) {
      if (dynamic_cast<const slice_info&>(exhausted).slice() != 1) return 2;
    }
    const auto some = pool.try_map(std::vector<std::size_t>{1, 200, 2}, large);
    if (!some[0] || some[1] || !some[2] || some[1].failure().kind != failure_kind::memory) return 3;
    try {
      (void)shared_vector<char>(std::size_t{200} << 20);
      return 4;
    } catch (const arena_exhausted&) {
    }
    return pool.map(std::vector<std::size_t>{1, 2}, large)[1].size() == (2U << 20) ? 0 : 5;
  });
  EXPECT_TRUE(end.exited_with(0)) << end.status;
}

}  // namespace
