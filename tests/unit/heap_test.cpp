// Blocks and runs: sizes, alignment, reuse, adoption, and several processes freeing each other's blocks.
#include "memory/heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "memory/arena.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::ending;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;
using forkful_tests::start_child;
using forkful_tests::wait_for;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST(heap, size_classes_waste_at_most_a_quarter) {
  std::size_t last = 0;
  for (unsigned c = 0; c != size_classes; ++c) {
    EXPECT_GT(class_bytes(c), last);
    EXPECT_EQ(class_bytes(c) % 16, 0U);
    EXPECT_EQ(size_class_of(class_bytes(c)), c);
    last = class_bytes(c);
  }
  for (std::size_t bytes = 0; bytes <= largest_small; ++bytes) {
    const std::size_t given = class_bytes(size_class_of(bytes));
    ASSERT_GE(given, bytes);
    ASSERT_LE(given, std::max(bytes + 16, bytes + bytes / 4)) << bytes;
  }
}

TEST(heap, blocks_of_all_sizes_and_alignments_are_aligned_and_do_not_overlap) {
  const auto memory = arena::make_for_test(256 * mebibyte);
  std::map<std::uintptr_t, std::size_t> blocks;
  for (const std::size_t align : {1, 16, 32, 64, 256, 4096, 32768, 65536, 131072}) {
    for (std::size_t bytes = 0; bytes < 200'000; bytes += 1 + bytes / 7) {
      void* block = memory->allocate(bytes, align);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % std::max<std::size_t>(align, 16), 0U)
          << bytes << " " << align;
      ASSERT_GE(memory->block_size(block), bytes);
      ASSERT_TRUE(memory->contains(block, memory->block_size(block)));
      std::memset(block, 0xab, memory->block_size(block));
      ASSERT_TRUE(blocks.emplace(reinterpret_cast<std::uintptr_t>(block), memory->block_size(block)).second);
    }
  }
  ASSERT_GT(blocks.size(), 500U);
  std::uintptr_t end = 0;
  for (const auto& [begin, bytes] : blocks) {
    ASSERT_GE(begin, end);
    end = begin + bytes;
  }
  for (const auto& [begin, bytes] : blocks) memory->deallocate(reinterpret_cast<void*>(begin));
}

TEST(heap, a_freed_block_is_the_next_one_handed_out) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  for (unsigned c = 0; c != size_classes; ++c) {
    void* first = memory->allocate(class_bytes(c));
    void* second = memory->allocate(class_bytes(c));
    EXPECT_NE(first, second);
    memory->deallocate(first);
    EXPECT_EQ(memory->allocate(class_bytes(c)), first);
    memory->deallocate(second);
    EXPECT_EQ(memory->allocate(class_bytes(c)), second);
  }
}

TEST(heap, a_span_is_used_to_its_last_block_and_the_next_one_begun) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  for (const std::size_t bytes : {16, 96, 1280, 20480, 32768}) {
    std::map<std::uintptr_t, int> in_span;
    const std::size_t a_span = span_bytes / bytes;
    for (std::size_t i = 0; i != 3 * a_span; ++i)
      ++in_span[reinterpret_cast<std::uintptr_t>(memory->allocate(bytes)) / span_bytes];
    EXPECT_EQ(in_span.size(), 3U) << bytes;
    for (const auto& [span, blocks] : in_span) EXPECT_EQ(blocks, static_cast<int>(a_span)) << bytes;
  }
}

TEST(heap, a_run_is_reused_for_lengths_it_fits_and_no_others) {
  const auto memory = arena::make_for_test(256 * mebibyte);
  void* run = memory->allocate(mebibyte);
  EXPECT_EQ(memory->block_size(run), mebibyte);
  memory->deallocate(run);
  EXPECT_EQ(memory->allocate(mebibyte - 70'000), run);  // 15 spans: 16 are within a quarter
  memory->deallocate(run);
  EXPECT_NE(memory->allocate(mebibyte / 2), run);
  EXPECT_NE(memory->allocate(mebibyte + 1), run);
  EXPECT_EQ(memory->allocate(mebibyte), run);
}

TEST(heap, runs_beyond_the_warm_bound_are_free_for_anybody_again) {
  const auto memory = arena::make_for_test(64 * mebibyte);  // 4 MiB stay warm
  std::vector<void*> runs;
  for (int i = 0; i != 20; ++i) runs.push_back(memory->allocate(2 * mebibyte));
  for (void* run : runs) memory->deallocate(run);
  const ending other = in_child([&] {
    memory->become_worker(1);
    for (int i = 0; i != 27; ++i) static_cast<void>(memory->allocate(2 * mebibyte));  // 54 MiB of what is left of 64
    return 7;
  });
  EXPECT_TRUE(other.exited_with(7));
}

TEST(heap, sizes_that_changed_do_not_keep_old_runs_warm_for_ever) {
  const auto memory = arena::make_for_test(64 * mebibyte);  // 4 MiB stay warm
  std::vector<void*> runs;
  for (int i = 0; i != 32; ++i) runs.push_back(memory->allocate(span_bytes * 2));
  for (void* run : runs) memory->deallocate(run);
  std::set<void*> seen;
  for (int i = 0; i != 8; ++i) {
    void* other = memory->allocate(3 * mebibyte);
    seen.insert(other);
    memory->deallocate(other);
  }
  EXPECT_LE(seen.size(), 3U) << "a run of the new size should be kept and reused";
}

TEST(heap, what_another_process_frees_comes_back_to_the_owner_before_fresh_memory) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  const std::array sizes{std::size_t{48}, std::size_t{5000}, 3 * span_bytes};
  seen_by_all<std::array<void*, 3>> made;
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(1);
                for (std::size_t i = 0; i != sizes.size(); ++i) (*made)[i] = memory->allocate(sizes[i]);
                return 7;
              }).exited_with(7));
  for (void* block : *made) memory->deallocate(block);
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(1);  // adopts the dead worker's heap, remote lists included
                for (std::size_t i = 0; i != sizes.size(); ++i)
                  if (memory->allocate(sizes[i]) != (*made)[i]) return 1;
                return 7;
              }).exited_with(7));
}

TEST(heap, a_replacement_goes_on_where_its_predecessor_was) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  seen_by_all<std::array<std::uintptr_t, 64>> blocks;
  for (std::size_t i = 0; i != blocks->size(); ++i) {
    ASSERT_TRUE(in_child([&] {
                  memory->become_worker(3);
                  (*blocks)[i] = reinterpret_cast<std::uintptr_t>(memory->allocate(1024));
                  return 7;
                }).exited_with(7));
  }
  for (std::size_t i = 0; i != blocks->size(); ++i)
    EXPECT_EQ((*blocks)[i], (*blocks)[0] + i * 1024);  // one span, bumped
}

// A block that says what it must contain: number and size in its head, the number all over the rest.
struct stamped {
  std::uint64_t number;
  std::uint64_t bytes;

  static stamped* make(void* block, std::size_t bytes, std::uint64_t number) {
    auto* made = static_cast<stamped*>(block);
    made->number = number;
    made->bytes = bytes;
    std::memset(made + 1, static_cast<int>(number & 0xff), bytes - sizeof(stamped));
    return made;
  }
  bool intact() const {
    const auto* rest = reinterpret_cast<const unsigned char*>(this + 1);
    for (std::size_t i = 0; i != bytes - sizeof(stamped); ++i)
      if (rest[i] != (number & 0xff)) return false;
    return true;
  }
};

TEST(heap, processes_that_free_each_others_blocks_never_see_one_block_twice) {
  constexpr unsigned workers = 4;
  constexpr std::uint64_t rounds = 30'000;
  const auto memory = arena::make_for_test(256 * mebibyte);
  struct exchange {
    std::array<std::atomic<stamped*>, 512> mailboxes;
    std::atomic<std::uint64_t> passed_on;
    std::atomic<std::uint64_t> broken;
  };
  seen_by_all<exchange> shared;

  const auto work = [&](unsigned slot) {
    std::mt19937_64 random{slot};
    for (std::uint64_t round = 0; round != rounds; ++round) {
      std::size_t bytes = 16 + random() % 400;
      if (random() % 50 == 0) bytes = 16 + random() % 30'000;
      if (random() % 500 == 0) bytes = 40'000 + random() % 300'000;
      auto* mine = stamped::make(memory->allocate(bytes), bytes, round * workers + slot);
      // acq_rel: passes the contents on and takes the other process's.
      stamped* other = shared->mailboxes[random() % 512].exchange(mine, std::memory_order_acq_rel);
      if (other != nullptr) {
        if (!other->intact()) shared->broken.fetch_add(1);
        memory->deallocate(other);
        shared->passed_on.fetch_add(1);
      }
      if (round % 100 == 0) memory->slice_done();
    }
    memory->slice_done();
    return 7;
  };

  std::vector<pid_t> children;
  for (unsigned slot = 1; slot != workers; ++slot)
    children.push_back(start_child([&] {
      memory->become_worker(slot);
      return work(slot);
    }));
  EXPECT_EQ(work(0), 7);
  for (const pid_t child : children) EXPECT_TRUE(wait_for(child).exited_with(7));

  std::uint64_t left = 0;
  for (auto& mailbox : shared->mailboxes) {
    stamped* block = mailbox.load();
    if (block == nullptr) continue;
    EXPECT_TRUE(block->intact());
    memory->deallocate(block);
    ++left;
  }
  EXPECT_EQ(shared->broken.load(), 0U);
  EXPECT_EQ(shared->passed_on.load() + left, workers * rounds);
}

TEST(heap, processes_that_claim_at_the_same_time_get_different_spans) {
  constexpr unsigned workers = 3;
  constexpr std::size_t runs = 1500;
  for (int round = 0; round != 5; ++round) {
    const auto memory = arena::make_for_test(1024 * mebibyte);
    struct start_line {
      std::atomic<unsigned> waiting;
      std::array<std::array<std::uintptr_t, runs>, workers> begins;
    };
    seen_by_all<start_line> shared;
    const auto length = [](std::size_t run) { return (1 + run % 3) * span_bytes; };
    std::vector<pid_t> children;
    for (unsigned slot = 1; slot <= workers; ++slot)
      children.push_back(start_child([&] {
        memory->become_worker(slot);
        shared->waiting.fetch_add(1);
        while (shared->waiting.load() < workers) {
        }
        for (std::size_t run = 0; run != runs; ++run)
          shared->begins[slot - 1][run] = reinterpret_cast<std::uintptr_t>(memory->allocate(length(run)));
        return 7;
      }));
    for (const pid_t child : children) ASSERT_TRUE(wait_for(child).exited_with(7));
    std::map<std::uintptr_t, std::size_t> taken;
    for (const auto& of_one : shared->begins)
      for (std::size_t run = 0; run != runs; ++run) ASSERT_TRUE(taken.emplace(of_one[run], length(run)).second);
    std::uintptr_t end = 0;
    for (const auto& [begin, bytes] : taken) {
      ASSERT_GE(begin, end);
      end = begin + bytes;
    }
  }
}

TEST(heap, frees_of_a_worker_wait_for_the_end_of_its_slice_and_leave_contents_alone) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(1);
                void* block = memory->allocate(64);
                std::memset(block, 0x5a, 64);
                memory->deallocate(block);
                std::vector<void*> others;
                for (int i = 0; i != 3000; ++i) others.push_back(memory->allocate(64));
                if (std::find(others.begin(), others.end(), block) != others.end()) return 1;
                for (int i = 0; i != 64; ++i)
                  if (static_cast<unsigned char*>(block)[i] != 0x5a) return 2;
                memory->slice_done();
                return memory->allocate(64) == block ? 7 : 3;
              }).exited_with(7));
}

TEST(heap, a_worker_that_frees_the_callers_block_returns_it_at_the_end_of_its_slice) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  void* block = memory->allocate(256);
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(1);
                memory->deallocate(block);
                return 7;  // dies before slice_done
              }).exited_with(7));
  EXPECT_NE(memory->allocate(256), block);
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(1);
                memory->deallocate(block);
                memory->slice_done();
                return 7;
              }).exited_with(7));
  EXPECT_EQ(memory->allocate(256), block);
}

}  // namespace
