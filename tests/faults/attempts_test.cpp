// How often a slice is begun: as often as it has attempts, and its neighbours once (docs/protocol.md, 7).
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct unreadable_two {
  std::size_t number = 0;
};

}  // namespace

template <>
struct forkful::codec<unreadable_two> {
  static void write(sink& out, const unreadable_two& value) { out.write(value.number); }
  static unreadable_two read(source& in) {
    const unreadable_two value{in.read<std::size_t>()};
    if (value.number == 2) throw std::runtime_error("it is two");
    return value;
  }
};

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;

constexpr std::size_t slices = 40;

void begin(std::size_t slice, std::span<int> begun) {
  std::atomic_ref(begun[slice]).fetch_add(1);
  if (slice % 10 == 3) raise(SIGKILL);
}

// Results of a fixed size, and results that are encoded piece by piece.
std::size_t number(std::size_t slice, std::span<int> begun) {
  begin(slice, begun);
  return slice * slice;
}
std::string text(std::size_t slice, std::span<int> begun) {
  begin(slice, begun);
  return std::string(slice % 7 * 20, 'x') + std::to_string(slice);
}
std::string text_of_text(const std::string& slice, std::span<int> begun) { return text(std::stoul(slice), begun); }

template <class Pool>
class attempts_on : public testing::Test {
 protected:
  Pool pool{2};
  forkful::shared_vector<int> begun = forkful::shared_vector<int>(slices, 0);

  // Every slice that crashes fails, no other does, and the crashing ones were begun so often.
  template <class Outcomes, class Right>
  void check(const Outcomes& outcomes, int attempts, Right right) {
    ASSERT_EQ(outcomes.size(), slices);
    for (std::size_t i = 0; i != slices; ++i) {
      const bool crashes = i % 10 == 3;
      EXPECT_EQ(outcomes[i].has_value(), !crashes) << i;
      if (outcomes[i]) {
        EXPECT_EQ(*outcomes[i], right(i)) << i;
      } else {
        EXPECT_EQ(outcomes[i].failure().slice, i);
        EXPECT_EQ(outcomes[i].failure().attempt, static_cast<unsigned>(attempts));
      }
      EXPECT_EQ(begun[i], crashes ? attempts : 1) << i;
    }
    const forkful::report happened = pool.report();
    EXPECT_EQ(happened.deaths, static_cast<std::size_t>(4 * attempts));
    EXPECT_EQ(happened.retries, static_cast<std::size_t>(4 * (attempts - 1)));
  }
};

using pools = testing::Types<process_pool, snapshot_pool>;
TYPED_TEST_SUITE(attempts_on, pools);

std::size_t square(std::size_t i) { return i * i; }
std::string right_text(std::size_t i) { return std::string(i % 7 * 20, 'x') + std::to_string(i); }

TYPED_TEST(attempts_on, numbers_begin_each_slice_as_often_as_it_may_be) {
  for (const unsigned attempts : {1U, 3U}) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{5}, std::size_t{40}}) {
      std::fill(this->begun.begin(), this->begun.end(), 0);
      this->check(this->pool.with({.chunk = chunk, .attempts = attempts})
                      .try_map(indices(slices), number, std::span(this->begun)),
                  static_cast<int>(attempts), square);
    }
  }
}

TYPED_TEST(attempts_on, texts_begin_each_slice_as_often_as_it_may_be) {
  std::vector<std::string> names(slices);
  for (std::size_t i = 0; i != slices; ++i) names[i] = std::to_string(i);
  for (const unsigned attempts : {1U, 3U}) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{5}, std::size_t{40}}) {
      std::fill(this->begun.begin(), this->begun.end(), 0);
      this->check(
          this->pool.with({.chunk = chunk, .attempts = attempts}).try_map(names, text_of_text, std::span(this->begun)),
          static_cast<int>(attempts), right_text);
    }
  }
}

TYPED_TEST(attempts_on, update_begins_each_slice_once) {
  std::vector<std::size_t> input(slices);
  std::iota(input.begin(), input.end(), std::size_t{0});
  const auto outcomes = this->pool.with({.chunk = 5})
                            .try_update(
                                input,
                                [](std::size_t& slice, std::span<int> counts) {
                                  begin(slice, counts);
                                  slice += 100;
                                },
                                std::span(this->begun));
  for (std::size_t i = 0; i != slices; ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i % 10 != 3);
    EXPECT_EQ(input[i], i % 10 != 3 ? i + 100 : i);
    EXPECT_EQ(this->begun[i], 1) << i;
  }
}

TYPED_TEST(attempts_on, for_each_in_place_names_the_one_slice) {
  forkful::shared_vector<std::size_t> table(slices);
  std::iota(table.begin(), table.end(), std::size_t{0});
  const auto outcomes = this->pool.with({.chunk = 5})
                            .try_for_each(
                                table,
                                [](std::size_t& slice, std::span<int> counts) {
                                  begin(slice, counts);
                                  slice += 100;
                                },
                                std::span(this->begun));
  for (std::size_t i = 0; i != slices; ++i) {
    EXPECT_EQ(outcomes[i].has_value(), i % 10 != 3) << i;
    EXPECT_EQ(table[i], i % 10 != 3 ? i + 100 : i);
    EXPECT_EQ(this->begun[i], 1) << i;
  }
}

TYPED_TEST(attempts_on, imap_gives_what_came_before_the_crash) {
  std::vector<std::size_t> got;
  try {
    for (const std::size_t result :
         this->pool.with({.chunk = 8}).imap(indices(slices), number, std::span(this->begun))) {
      got.push_back(result);
    }
    FAIL() << "slice 3 crashes";
  } catch (const forkful::worker_crashed& crashed) {
    EXPECT_EQ(crashed.slice(), 3U);
  }
  EXPECT_EQ(got, (std::vector<std::size_t>{0, 1, 4}));
}

// A slice that threw before the crash, in the same chunk, has failed as it would have without.
TYPED_TEST(attempts_on, exceptions_before_a_crash_are_kept) {
  const auto outcomes = this->pool.with({.chunk = 10})
                            .try_map(
                                indices(slices),
                                [](std::size_t slice, std::span<int> counts) {
                                  begin(slice, counts);
                                  if (slice % 10 == 1) throw std::out_of_range("one");
                                  return slice;
                                },
                                std::span(this->begun));
  for (std::size_t i = 0; i != slices; ++i) {
    EXPECT_EQ(this->begun[i], 1) << i;
    EXPECT_EQ(outcomes[i].has_value(), i % 10 != 3 && i % 10 != 1) << i;
    if (i % 10 == 1) {
      EXPECT_EQ(outcomes[i].failure().type, "std::out_of_range");
    }
  }
}

// The result of slice 2 cannot be taken, so what follows it runs once more, but for slice 8, which had crashed. This time slice 5
// crashes too.
TYPED_TEST(attempts_on, a_slice_that_used_them_up_is_not_begun_again_when_others_crash_before_it) {
  const auto outcomes = this->pool.with({.chunk = 12})
                            .try_map(
                                indices(12),
                                [](std::size_t slice, std::span<int> counts) {
                                  const int times = std::atomic_ref(counts[slice]).fetch_add(1) + 1;
                                  if (slice == 8 || (slice == 5 && times == 2)) raise(SIGKILL);
                                  return unreadable_two{slice};
                                },
                                std::span(this->begun));
  for (std::size_t i = 0; i != 12; ++i) {
    const bool fails = i == 2 || i == 5 || i == 8;
    ASSERT_EQ(outcomes[i].has_value(), !fails) << i;
    if (!fails) {
      EXPECT_EQ(outcomes[i]->number, i);
    } else {
      EXPECT_EQ(outcomes[i].failure().slice, i);
      EXPECT_EQ(outcomes[i].failure().signal, i == 2 ? 0 : SIGKILL);
    }
    EXPECT_EQ(this->begun[i], i < 3 || i >= 8 ? 1 : 2) << i;
  }
}

// In a long loop over numbers the worker may know only the block. Running that block once more shows which slice it
// was; and from then on the pool names each.
TYPED_TEST(attempts_on, a_crash_in_a_long_loop_over_numbers_is_named) {
  constexpr std::size_t many = 200'000;
  const auto crash = [](std::size_t slice) -> double {
    if (slice == 150'000) raise(SIGKILL);
    return static_cast<double>(slice) * 0.5;
  };
  for (int call = 0; call != 2; ++call) {
    const auto outcomes = this->pool.with({.chunk = many / 2}).try_map(indices(many), crash);
    for (std::size_t i = 0; i != many; ++i) {
      ASSERT_EQ(outcomes[i].has_value(), i != 150'000) << i;
      if (outcomes[i]) {
        ASSERT_EQ(*outcomes[i], static_cast<double>(i) * 0.5);
      }
    }
    EXPECT_LE(this->pool.report().deaths, call == 0 ? 2U : 1U);
  }
}

}  // namespace
