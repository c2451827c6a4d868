// Codecs of users that fail: on either side, by throwing, or by reading less or more than they wrote. Each costs the slices
// whose values they fail on, and no others.
#include <array>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include "backends/every_pool.hpp"

namespace {

using namespace forkful;
using forkful_tests::on_every_pool;
using forkful_tests::pool_names;
using forkful_tests::pools_of_processes;

// Cannot be written if it is 1, cannot be read if it is 2; 3 is read too short, 4 too far.
struct brittle {
  int number = 0;
};

}  // namespace

template <>
struct forkful::codec<brittle> {
  static void write(sink& out, const brittle& value) {
    if (value.number == 1) throw std::underflow_error("cannot write 1");
    out.write(value.number);
    out.write(std::string("crumbs"));
  }
  static brittle read(source& in) {
    const brittle value{in.read<int>()};
    if (value.number == 2) throw std::overflow_error("cannot read 2");
    if (value.number != 3) (void)in.read<std::string>();
    if (value.number == 4) (void)in.read<char>();
    return value;
  }
};

namespace {

template <class Pool>
using codec_failures = on_every_pool<Pool>;
TYPED_TEST_SUITE(codec_failures, pools_of_processes, pool_names);

// Slices i with i % 10 == 7 are bad, in one of the four ways.
int badness(std::size_t i) { return i % 10 == 7 ? static_cast<int>(i / 10 % 4) + 1 : 0; }

template <class Outcomes, class Number>
void exactly_the_bad_ones_fail(const Outcomes& outcomes, Number number_of) {
  ASSERT_EQ(outcomes.size(), 80U);
  std::size_t failed = 0;
  for (std::size_t i = 0; i != 80; ++i) {
    const int bad = badness(i);
    ASSERT_EQ(outcomes[i].has_value(), bad == 0) << i;
    if (bad == 0) {
      EXPECT_EQ(number_of(outcomes[i].value()), 0);
      continue;
    }
    ++failed;
    const slice_failure& why = outcomes[i].failure();
    EXPECT_EQ(why.slice, i);
    switch (bad) {
      case 1:
        EXPECT_EQ(why.what, "cannot write 1");
        break;
      case 2:
        EXPECT_EQ(why.what, "cannot read 2");
        break;
      case 3:
        EXPECT_EQ(why.kind, failure_kind::codec);
        EXPECT_NE(why.what.find("reads less than it writes"), std::string::npos) << why.what;
        break;
      default:  // reads into the next value, or past the end of all
        EXPECT_EQ(why.kind, failure_kind::codec);
    }
  }
  EXPECT_EQ(failed, 8U);
}

TYPED_TEST(codec_failures, of_results_cost_exactly_their_slices) {
  for (const std::size_t chunk : {0U, 1U, 13U, 100U}) {
    exactly_the_bad_ones_fail(
        this->pool.with({.chunk = chunk}).try_map(indices(80), [](std::size_t i) { return brittle{badness(i)}; }),
        [](const brittle& value) { return value.number; });
  }
}

TYPED_TEST(codec_failures, of_results_inside_containers_cost_exactly_their_slices) {
  exactly_the_bad_ones_fail(
      this->pool.with({.chunk = 20})
          .try_map(indices(80), [](std::size_t i) { return std::vector<brittle>{{0}, {badness(i)}, {0}}; }),
      [](const std::vector<brittle>& values) { return values[1].number; });
}

// Slices that run again after a result that could not be read: those that used up their attempts before are not run,
// and those that fail only the first time count as good.
TYPED_TEST(codec_failures, run_the_rest_again_and_nothing_twice_or_shifted) {
  const auto crashing = this->pool.with({.chunk = 8}).try_map(indices(8), [](std::size_t i) {
    if (i == 3) __builtin_trap();
    return std::pair(i, brittle{i == 5 ? 2 : 0});
  });
  ASSERT_EQ(crashing.size(), 8U);
  for (std::size_t i = 0; i != 8; ++i) {
    ASSERT_EQ(crashing[i].has_value(), i != 3 && i != 5) << i;
    if (crashing[i]) {
      EXPECT_EQ(crashing[i].value().first, i);
    }
  }

  shared_vector<int> begun(8);
  const auto throwing = this->pool.with({.chunk = 8})
                            .try_map(
                                indices(8),
                                [](std::size_t i, std::span<int> times) {
                                  if (i == 6 && times[i]++ == 0) throw std::runtime_error("only once");
                                  return std::pair(i, brittle{i == 2 ? 2 : 0});
                                },
                                std::span<int>(begun));
  ASSERT_EQ(throwing.size(), 8U);
  for (std::size_t i = 0; i != 8; ++i) {
    ASSERT_EQ(throwing[i].has_value(), i != 2) << i;
    if (throwing[i]) {
      EXPECT_EQ(throwing[i].value().first, i);
    }
  }
}

// Asks for a stop when it is read in the caller's process, or cannot be read, or both.
struct told_on_arrival {
  std::size_t number = 0;
};
std::size_t stops_at = 0;
std::size_t fails_at = 0;
std::stop_source* stop_asked = nullptr;  // null: in a worker

}  // namespace

template <>
struct forkful::codec<told_on_arrival> {
  static void write(sink& out, const told_on_arrival& value) {
    out.write(value.number);
    out.write(std::string("crumbs"));
  }
  static told_on_arrival read(source& in) {
    const told_on_arrival value{in.read<std::size_t>()};
    if (value.number == stops_at) stop_asked->request_stop();
    if (value.number == fails_at) throw std::overflow_error("cannot be read");
    (void)in.read<std::string>();
    return value;
  }
};

namespace {

// A result that cannot be read makes the rest of its chunk run again, which a stop forbids: still each slice has one outcome.
// The stop is asked for when the first chunk arrives; later ones take longer and longer, so that they end before it
// takes effect, meanwhile, or after.
TYPED_TEST(codec_failures, and_a_stop_leave_one_outcome_a_slice) {
  constexpr std::size_t n = 12;
  std::array<std::size_t, 3> seen{};  // right, not read, cancelled
  for (const std::size_t chunk : {1U, 4U, 12U}) {
    for (std::size_t length = 0; length != 16; ++length) {
      stops_at = length % chunk;
      fails_at = length * 5 % n;
      std::stop_source source;
      stop_asked = &source;
      const auto outcomes = this->pool.with({.chunk = chunk, .stop = source.get_token()})
                                .try_map(
                                    indices(n),
                                    [](std::size_t i, std::size_t first_of_second, std::size_t turns) {
                                      if (i < first_of_second) turns = 0;
                                      for (volatile std::size_t turn = 0; turn < turns;) turn = turn + 1;
                                      return told_on_arrival{i};
                                    },
                                    chunk, length * 20'000);
      ASSERT_EQ(outcomes.size(), n) << chunk << " " << length;
      for (std::size_t i = 0; i != n; ++i) {
        if (outcomes[i]) {
          ASSERT_EQ(outcomes[i].value().number, i);
          ASSERT_NE(i, fails_at);
          ++seen[0];
          continue;
        }
        const slice_failure& why = outcomes[i].failure();
        ASSERT_EQ(why.slice, i);
        if (why.kind == failure_kind::cancelled) {
          ++seen[2];
        } else {
          ASSERT_EQ(i, fails_at);
          ASSERT_EQ(why.what, "cannot be read");
          ++seen[1];
        }
      }
    }
  }
  for (const std::size_t count : seen) EXPECT_GT(count, 10U);
}

TYPED_TEST(codec_failures, of_imap_end_it_there) {
  for (const std::size_t chunk : {1U, 3U, 100U}) {
    std::vector<int> finished;
    EXPECT_THROW(
        {
          for (const auto& [number, slice] : this->pool.with({.chunk = chunk}).imap(indices(20), [](std::size_t i) {
                 return std::pair(static_cast<int>(i), brittle{i == 4 ? 2 : 0});
               }))
            finished.push_back(number);
        },
        std::overflow_error);
    EXPECT_EQ(finished, (std::vector<int>{0, 1, 2, 3}));
  }
}

TYPED_TEST(codec_failures, of_results_are_thrown_as_what_they_were) {
  const auto make = [](int x) { return brittle{x}; };
  EXPECT_THROW((void)this->pool.map(std::vector{0, 1}, make), std::underflow_error);
  EXPECT_THROW((void)this->pool.map(std::vector{0, 3}, make), codec_error);
  try {
    (void)this->pool.map(std::vector{0, 0, 2, 0}, make);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::overflow_error& error) {
    EXPECT_EQ(dynamic_cast<const slice_info&>(error).slice(), 2U);
  }
  EXPECT_EQ(this->pool.map(std::vector{0, 5}, make)[1].number, 5);
}

TEST(codec_failures_of_slices, cost_exactly_their_slices) {
  process_pool pool(2U);
  std::vector<brittle> cake(80);
  for (std::size_t i = 0; i != 80; ++i) {
    cake[i].number = badness(i);
  }
  for (const std::size_t chunk : {0U, 1U, 13U, 100U}) {
    exactly_the_bad_ones_fail(
        pool.with({.chunk = chunk}).try_map(cake, [](const brittle& slice) { return slice.number; }),
        [](int number) { return number; });
  }
  EXPECT_THROW((void)pool.map(std::vector<brittle>{{0}, {1}}, [](const brittle& slice) { return slice.number; }),
               std::underflow_error);
  EXPECT_THROW(
      (void)pool.map(std::vector{0}, [](int, const brittle& x) { return x.number; }, brittle{2}), std::overflow_error);
}

}  // namespace
