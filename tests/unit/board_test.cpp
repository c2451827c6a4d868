// The board without processes: words, claims, hints, and the order of the ring.
#include "board/board.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "board/chunking.hpp"
#include "board/slice_times.hpp"
#include "os/futex.hpp"
#include "support/process_state.hpp"

namespace forkful::detail {
namespace {

class board_ring : public testing::Test {
 protected:
  board_ring() {
    table->slots = slots.data();
    table->ring = ring.data();
    table->workers = static_cast<unsigned>(slots.size());
  }
  void publish() { publish_chunk(*table, reclaimed, 1, ++generation); }

  std::vector<worker_slot> slots{3};
  std::vector<chunk> ring{ring_size};
  std::unique_ptr<board> table = std::make_unique<board>();
  std::uint32_t generation = 0;
  std::uint64_t reclaimed = 0;
};

// Threads that sleep as workers do, in the kernel when this is made. Each rises once.
class sleepers {
 public:
  sleepers(const board& table, int how_many) : table_(table) {
    const std::uint32_t seen = table.epoch.load();
    for (int i = 0; i < how_many; ++i) {
      std::atomic<pid_t> thread{0};
      threads_.emplace_back([&, this] {
        thread.store(gettid());
        futex_wait(table_.epoch, seen);
        risen_.fetch_add(1);
      });
      while (thread.load() == 0 || forkful_tests::state_of(thread.load()) != 'S') std::this_thread::yield();
    }
  }
  ~sleepers() {
    futex_wake(table_.epoch, static_cast<unsigned>(threads_.size()));
    for (std::thread& each : threads_) each.join();
  }
  sleepers(const sleepers&) = delete;
  sleepers& operator=(const sleepers&) = delete;

  // Returns when so many have risen; never, if no thread wakes them.
  void wait_until_risen(int how_many) const {
    while (risen_.load() < how_many) std::this_thread::yield();
    EXPECT_EQ(risen_.load(), how_many);
  }

 private:
  const board& table_;
  std::atomic<int> risen_{0};
  std::vector<std::thread> threads_;
};

TEST(chunk_word, keeps_every_field_at_its_largest) {
  const chunk_word word(chunk_state::running, 0xffffffff, max_workers, 1023, max_attempts);
  EXPECT_EQ(word.state(), chunk_state::running);
  EXPECT_EQ(word.generation(), 0xffffffff);
  EXPECT_EQ(word.worker(), max_workers);
  EXPECT_EQ(word.incarnation(), 1023u);
  EXPECT_EQ(word.attempt(), max_attempts);
}

TEST(chunk_word, claiming_and_finishing_change_only_what_they_say) {
  const chunk_word ready(chunk_state::ready, 7, 0, 0, 2);
  const chunk_word mine = ready.claimed_by(5, 9);
  EXPECT_EQ(mine.state(), chunk_state::running);
  EXPECT_EQ(mine.worker(), 5u);
  EXPECT_EQ(mine.incarnation(), 9u);
  EXPECT_EQ(mine.generation(), 7u);
  EXPECT_EQ(mine.attempt(), 2u);
  const chunk_word done = mine.finished();
  EXPECT_EQ(done.state(), chunk_state::done);
  EXPECT_EQ(done.worker(), 5u);
  EXPECT_EQ(done.generation(), 7u);
}

TEST_F(board_ring, an_empty_board_has_nothing_to_claim) { EXPECT_EQ(claim_chunk(*table, 0, 1).held, nullptr); }

TEST_F(board_ring, each_chunk_is_claimed_once_and_in_order) {
  for (int i = 0; i < 3; ++i) publish();
  for (std::uint64_t i = 0; i < 3; ++i) {
    const claim got = claim_chunk(*table, static_cast<unsigned>(i), 4);
    ASSERT_NE(got.held, nullptr);
    EXPECT_EQ(got.sequence, i);
    EXPECT_EQ(chunk_word(got.held->word.load()).worker(), i);
    EXPECT_EQ(chunk_word(got.held->word.load()).incarnation(), 4u);
  }
  EXPECT_EQ(claim_chunk(*table, 0, 1).held, nullptr);
  EXPECT_EQ(probably_unclaimed(*table), 0u);
}

TEST_F(board_ring, a_chunk_handed_out_again_is_found_below_a_wrong_hint) {
  for (int i = 0; i < 3; ++i) publish();
  for (int i = 0; i < 3; ++i) ASSERT_NE(claim_chunk(*table, 0, 1).held, nullptr);
  publish_again(*table, 1, 2, ++generation);
  table->next.store(3);  // a slow claimer overwrote the hint
  const claim got = claim_chunk(*table, 2, 1);
  ASSERT_NE(got.held, nullptr);
  EXPECT_EQ(got.sequence, 1u);
  EXPECT_EQ(got.word.attempt(), 2u);
}

TEST(chunk_share, keeps_every_field_at_its_largest) {
  const chunk_share share(0xffffffff, chunk_share::longest - 1, chunk_share::longest);
  EXPECT_TRUE(share.is_of(0xffff));
  EXPECT_FALSE(share.is_of(0xfffe));
  EXPECT_EQ(share.begun(), chunk_share::longest - 1);
  EXPECT_EQ(share.end(), chunk_share::longest);
  EXPECT_EQ(share.with_begun(3).begun(), 3u);
  EXPECT_EQ(share.with_begun(3).end(), chunk_share::longest);
  EXPECT_EQ(share.with_end(5).end(), 5u);
  EXPECT_EQ(share.with_end(5).begun(), chunk_share::longest - 1);
  EXPECT_FALSE(chunk_share(0).is_of(0));
}

TEST(chunk_share, what_is_taken_is_not_begun) {
  worker_slot slot;
  EXPECT_EQ(take_unbegun(slot, 7, 10, 0), 10u) << "a chunk that is not shared";
  slot.share.store(chunk_share(7, 2, 10).bits());
  EXPECT_EQ(take_unbegun(slot, 8, 10, 0), 10u) << "of another chunk";
  EXPECT_EQ(take_unbegun(slot, 7, 12, 0), 12u) << "a worker that says something else";
  EXPECT_EQ(take_unbegun(slot, 7, 10, 8), 10u) << "all is left to it";
  EXPECT_EQ(begin_slices(slot, 4), 4u);
  EXPECT_EQ(take_unbegun(slot, 7, 10, 3), 7u);
  EXPECT_EQ(begin_slices(slot, 9), 7u);
  EXPECT_EQ(begin_slices(slot, 9), 7u) << "nothing is left";
  EXPECT_EQ(take_unbegun(slot, 7, 7, 0), 7u);
}

TEST(chunk_share, no_slice_is_both_begun_and_taken) {
  constexpr std::uint64_t slices = 300;
  for (std::uint32_t round = 1; round != 400; ++round) {
    worker_slot slot;
    slot.share.store(chunk_share(round, 0, slices).bits());
    std::vector<std::uint64_t> taken;  // where each piece began
    std::thread parent([&] {
      std::uint64_t end = slices;
      for (std::uint64_t left = end / 3; end > 2; left = left == 0 ? end / 3 : 0) {
        const std::uint64_t from = take_unbegun(slot, round, end, left);
        if (from == end && left == 0) return;  // all is begun
        if (from != end) taken.push_back(from);
        end = from;
      }
    });
    std::uint64_t at = 0;
    for (std::uint64_t to = begin_slices(slot, 1); to != at; to = begin_slices(slot, at + 1 + at % 3)) at = to;
    parent.join();
    // What comes later was given back in pieces, the last of them where the worker stopped.
    EXPECT_EQ(at, taken.empty() ? slices : taken.back());
    EXPECT_TRUE(std::is_sorted(taken.rbegin(), taken.rend()));
  }
}

TEST_F(board_ring, every_publication_changes_the_epoch_that_sleepers_watch) {
  const std::uint32_t before = table->epoch.load();
  publish();
  const std::uint32_t published = table->epoch.load();
  publish_again(*table, 0, 1, ++generation);
  EXPECT_NE(before, published);
  EXPECT_NE(published, table->epoch.load());
}

TEST_F(board_ring, the_ring_goes_round) {
  for (std::uint64_t i = 0; i < 3 * ring_size; ++i) {
    publish();
    const claim got = claim_chunk(*table, 0, 1);
    ASSERT_NE(got.held, nullptr);
    ASSERT_EQ(got.sequence, i);
    finish_chunk(*table, got);
    ASSERT_EQ(chunk_word(got.held->word.load()).state(), chunk_state::done);
    got.held->word.store(0);
    reclaimed = i + 1;
  }
}

TEST_F(board_ring, what_was_left_out_of_the_ring_is_not_looked_at) {
  for (int i = 0; i < 3; ++i) {
    publish();
    finish_chunk(*table, claim_chunk(*table, 0, 1));
  }
  // What an entry holds that was never published.
  for (chunk& entry : ring) entry.word.store(chunk_word(chunk_state::ready, 9, 0, 0, 1).bits());
  reclaimed = begin_ring(*table);
  EXPECT_EQ(reclaimed, ring_size);
  EXPECT_EQ(probably_unclaimed(*table), 0u);
  EXPECT_EQ(claim_chunk(*table, 0, 1).held, nullptr);
  publish();
  EXPECT_EQ(probably_unclaimed(*table), 1u);
  EXPECT_EQ(claim_chunk(*table, 0, 1).sequence, ring_size);
  EXPECT_EQ(claim_chunk(*table, 0, 1).held, nullptr);
}

TEST_F(board_ring, a_finished_chunk_rings_only_a_sleeping_parent_that_wants_it) {
  for (int i = 0; i < 3; ++i) publish();
  EXPECT_FALSE(finish_chunk(*table, claim_chunk(*table, 0, 1)));
  table->wanted.store(2);
  table->parent_asleep.store(1);
  EXPECT_FALSE(finish_chunk(*table, claim_chunk(*table, 0, 1)));
  EXPECT_TRUE(finish_chunk(*table, claim_chunk(*table, 0, 1)));
  EXPECT_TRUE(parent_sleeps(*table));
}

TEST_F(board_ring, somebody_is_awake_unless_all_sleep) {
  for (worker_slot& slot : slots) slot.state.store(worker_state::sleeping);
  EXPECT_FALSE(any_worker_awake(*table));
  slots[2].state.store(worker_state::spinning);
  EXPECT_TRUE(any_worker_awake(*table));
}

TEST_F(board_ring, who_was_woken_a_moment_ago_is_not_woken_again) {
  for (worker_slot& slot : slots) slot.state.store(worker_state::sleeping);
  const sleepers three(*table, 3);
  wakings known;
  const auto look = [&](std::uint64_t now) {
    wake_for_unclaimed(*table, known, now);
    return known.pending;
  };
  EXPECT_EQ(look(1'000'000), 0u) << "there is nothing to run";
  publish();
  EXPECT_EQ(look(1'000'100), 1u);
  EXPECT_EQ(look(1'000'200), 1u) << "it is on its way";
  three.wait_until_risen(1);
  EXPECT_EQ(known.began, 1'000'100u);
  publish();
  EXPECT_EQ(look(1'000'300), 2u) << "one for each chunk";
  EXPECT_EQ(known.began, 1'000'300u);
  three.wait_until_risen(2);
  // One of them comes, runs, and falls asleep: the other is on its way still, this one would not come back by itself.
  claim_chunk(*table, 0, 1);
  slots[0].risen.store(1);
  EXPECT_EQ(look(1'000'400), 2u);
  EXPECT_EQ(known.began, 1'000'300u) << "the other is on its way for what is left";
  publish();
  EXPECT_EQ(look(1'000'500), 2u);
  EXPECT_EQ(known.began, 1'000'500u) << "and one more is woken for what came";
  three.wait_until_risen(3);
}

TEST_F(board_ring, who_seems_to_sleep_and_cannot_be_woken_is_on_its_way_until_it_has_risen) {
  slots[0].state.store(worker_state::sleeping);
  wakings known;
  publish();
  // It was woken before and has no core yet: no thread is left to be woken.
  wake_for_unclaimed(*table, known, 1'000'000);
  EXPECT_EQ(known.pending, 1u);
  publish();
  wake_for_unclaimed(*table, known, 1'000'010);
  EXPECT_EQ(known.began, 1'000'000u) << "asked the kernel once more";
  // Then it rises, runs both, and falls asleep.
  slots[0].risen.store(1);
  claim_chunk(*table, 0, 1);
  claim_chunk(*table, 0, 1);
  const sleepers one(*table, 1);
  publish();
  wake_for_unclaimed(*table, known, 1'000'100);
  EXPECT_EQ(known.pending, 1u);
  one.wait_until_risen(1);
}

TEST_F(board_ring, who_was_woken_and_does_not_come_is_woken_once_more) {
  for (worker_slot& slot : slots) slot.state.store(worker_state::sleeping);
  const sleepers two(*table, 2);
  wakings known;
  publish();
  wake_for_unclaimed(*table, known, 1'000'000);
  two.wait_until_risen(1);
  wake_for_unclaimed(*table, known, 1'100'000);
  EXPECT_EQ(known.began, 1'100'000u);
  EXPECT_EQ(known.pending, 1u);
  two.wait_until_risen(2);
}

std::vector<std::size_t> all_chunks(std::size_t slices, unsigned workers, std::size_t asked, std::size_t slice_bytes,
                                    double slice_ns = 0) {
  std::vector<std::size_t> sizes;
  for (std::size_t left = slices; left != 0; left -= sizes.back()) {
    sizes.push_back(next_chunk(slices, left, workers, asked, slice_bytes, slice_ns));
    EXPECT_GE(sizes.back(), 1u);
    EXPECT_LE(sizes.back(), left);
  }
  return sizes;
}

TEST(chunking, covers_every_slice_once_for_any_numbers) {
  for (const std::size_t slices : {1, 2, 3, 4, 7, 100, 12'345, 1'000'000}) {
    for (const unsigned workers : {1u, 2u, 3u, 64u, 1000u}) {
      for (const std::size_t asked : {0, 1, 3, 5'000'000}) {
        const auto sizes = all_chunks(slices, workers, asked, 0);
        std::size_t sum = 0;
        for (const std::size_t size : sizes) sum += size;
        EXPECT_EQ(sum, slices);
      }
    }
  }
}

TEST(chunking, automatic_chunks_end_small_so_that_workers_end_together) {
  const auto sizes = all_chunks(1'000'000, 2, 0, 0);
  EXPECT_EQ(sizes.front(), 1'000'000u / 256);
  EXPECT_EQ(sizes.back(), 1u);
  EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
}

TEST(chunking, few_slices_are_handed_out_one_by_one) {
  EXPECT_EQ(all_chunks(4, 2, 0, 0), (std::vector<std::size_t>{1, 1, 1, 1}));
}

TEST(chunking, copied_chunks_stay_near_a_megabyte) {
  EXPECT_EQ(next_chunk(1'000'000, 1'000'000, 2, 0, 10'000, 0), (std::size_t{1} << 20) / 10'000);
  EXPECT_EQ(next_chunk(1'000, 1'000, 2, 0, std::size_t{1} << 30, 0), 1u);
}

TEST(chunking, short_slices_come_in_chunks_that_pay_for_their_hand_over) {
  EXPECT_EQ(all_chunks(4, 2, 0, 0, 500), (std::vector<std::size_t>{4})) << "all of it takes less";
  EXPECT_EQ(all_chunks(40, 2, 0, 0, 1000), (std::vector<std::size_t>(8, 5)));
  EXPECT_EQ(all_chunks(4, 2, 0, 0, 5000), (std::vector<std::size_t>(4, 1)));
  EXPECT_EQ(next_chunk(1'000'000, 1'000'000, 2, 0, 0, 20), 1'000'000u / 256) << "enough as it is";
  EXPECT_EQ(next_chunk(100, 100, 2, 0, std::size_t{1} << 20, 10), 1u) << "but bytes are";
}

TEST(chunking, long_slices_come_in_chunks_of_bounded_time) {
  EXPECT_EQ(next_chunk(1'000'000, 1'000'000, 2, 0, 0, 10e6), 2u);
  EXPECT_EQ(next_chunk(1'000'000, 1'000'000, 2, 0, 0, 1e12), 1u);
  EXPECT_EQ(next_chunk(1'000'000, 1'000'000, 2, 9, 0, 1e12), 9u) << "asked for";
}

TEST(slice_times, are_of_a_callable_and_follow_it) {
  slice_times took;
  EXPECT_EQ(took.of(7), 0);
  took.saw(7, 1000, 10);
  EXPECT_EQ(took.of(7), 100);
  took.saw(7, 3000, 10);
  EXPECT_EQ(took.of(7), 200);
  took.saw(7, 500, 0);
  EXPECT_EQ(took.of(7), 200) << "nothing was run";
  EXPECT_EQ(took.of(8), 0);
  took.saw(7 + 64, 10, 1);  // at the same place
  EXPECT_EQ(took.of(7), 0);
  EXPECT_EQ(took.of(7 + 64), 10);
}

TEST(chunking, what_the_caller_asks_for_is_what_he_gets) {
  EXPECT_EQ(next_chunk(100, 100, 2, 7, 1 << 20, 0), 7u);
  EXPECT_EQ(next_chunk(100, 5, 2, 7, 0, 0), 5u);
}

}  // namespace
}  // namespace forkful::detail
