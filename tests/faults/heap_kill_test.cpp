// Workers killed in the middle of allocating and freeing: docs/protocol.md, 8 and 9.
//
// A worker runs a fixed script and dies at the k-th passage of a breakpoint, for every k it has. A ledger outside the
// arena says what it held then. A replacement adopts the heap and takes every block there still is; none may be one
// that is held, none may come twice, and at most the block in hand may be missing.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "memory/arena.hpp"
#include "os/breakpoint.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::ending;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;
using forkful_tests::start_child;
using forkful_tests::wait_for;

constexpr std::size_t small_arena = std::size_t{8} << 20;

point die_at{};
int passages_left = 0;

void die(point where) {
  if (where == die_at && --passages_left == 0) kill(getpid(), SIGKILL);
}

void arm(point where, int passage) {
  die_at = where;
  passages_left = passage;
  breakpoint_installed = die;
}

// What a process holds, for other processes to read after its death. An entry is filled after the block was allocated
// and emptied before it is given back: what is neither here nor in the heap was in hand.
struct ledger {
  static constexpr std::size_t places = 32;
  std::array<std::atomic<void*>, places> held;
  std::atomic<std::uint64_t> steps;

  std::set<void*> blocks() const {
    std::set<void*> all;
    for (const auto& each : held)
      if (void* block = each.load()) all.insert(block);
    return all;
  }
};

// How often, and for how large a block, the script of a test allocates.
struct script {
  const char* name;
  std::size_t bytes;
  bool others_free = false;  // the test has freed some of the worker's blocks: they wait on the remote list
};

constexpr script scripts[] = {{"blocks", 12'000},
                              {"blocks that others freed", 12'000, true},
                              {"runs", 3 * span_bytes},
                              {"runs that others freed", 3 * span_bytes, true}};

// Takes a few more than it gives back, so that free list, remote list, bump and new spans all get their turn.
int live(arena& memory, ledger& mine, std::size_t bytes) {
  for (std::size_t step = 0; step != 2 * ledger::places; ++step) {
    std::atomic<void*>& place = mine.held[step % ledger::places];
    if (place.load() == nullptr && step % 3 != 2) {
      if (mine.blocks().size() * bytes < small_arena / 4) place.store(memory.allocate(bytes));
    } else if (void* block = place.exchange(nullptr)) {
      memory.deallocate(block);
    }
    if (step % 5 == 4) memory.slice_done();
    mine.steps.fetch_add(1);
  }
  memory.slice_done();
  return 7;
}

// All blocks of one size that slot 1 can still come by. Runs in a child, which takes them all: the heap is used up afterwards.
struct census {
  std::atomic<std::uint64_t> blocks;
  std::atomic<std::uint64_t> twice;
  std::atomic<std::uint64_t> held;
};

void count_blocks(arena& memory, std::size_t bytes, const std::set<void*>& held, census& found) {
  const ending counter = in_child([&] {
    breakpoint_installed = nullptr;
    memory.become_worker(1);
    std::set<void*> seen;
    try {
      for (;;) {
        void* block = memory.allocate(bytes);
        if (!seen.insert(block).second) {
          found.twice.fetch_add(1);
          return 7;  // a list may run in a circle
        }
        if (held.contains(block)) found.held.fetch_add(1);
        std::memset(block, 0xcc, 64);  // a link that is still followed would lead to unmapped memory
        found.blocks.fetch_add(1);
      }
    } catch (const std::exception&) {
      return 7;  // arena_exhausted
    }
  });
  ASSERT_TRUE(counter.exited_with(7));
}

std::uint64_t blocks_of_a_fresh_arena(std::size_t bytes) {
  const auto memory = arena::make_for_test(small_arena);
  seen_by_all<census> all;
  count_blocks(*memory, bytes, {}, *all);
  return all->blocks.load();
}

// Kills a worker at the k-th passage of `where`, for k = 1, 2 ... until it lives through the script. Returns the deaths.
int kill_at_every_passage(point where, const script& plan, std::uint64_t most_leaked) {
  const std::uint64_t all = blocks_of_a_fresh_arena(plan.bytes);
  for (int passage = 1;; ++passage) {
    SCOPED_TRACE(testing::Message() << plan.name << ", point " << static_cast<unsigned>(where) << ", passage "
                                    << passage);
    const auto memory = arena::make_for_test(small_arena);
    seen_by_all<ledger> mine;
    if (plan.others_free) {
      seen_by_all<std::array<void*, 6>> made;
      EXPECT_TRUE(in_child([&] {
                    memory->become_worker(1);
                    for (void*& block : *made) block = memory->allocate(plan.bytes);
                    return 7;
                  }).exited_with(7));
      for (void* block : *made) memory->deallocate(block);
    }
    const ending worker = in_child([&] {
      memory->become_worker(1);
      arm(where, passage);
      return live(*memory, *mine, plan.bytes);
    });
    const bool died = worker.killed_by(SIGKILL);
    EXPECT_TRUE(died || worker.exited_with(7));

    seen_by_all<census> left;
    const std::set<void*> held = mine->blocks();
    count_blocks(*memory, plan.bytes, held, *left);
    EXPECT_EQ(left->twice.load(), 0U);
    EXPECT_EQ(left->held.load(), 0U);
    EXPECT_LE(left->blocks.load() + held.size(), all);
    EXPECT_GE(left->blocks.load() + held.size() + (died ? most_leaked : 0), all);
    if (!died || testing::Test::HasFailure()) return passage - 1;
  }
}

// A worker that dies with frees still deferred leaks those too: at most two a slice of this script, beside the one in hand.
constexpr std::uint64_t deferred = 3;

TEST(heap_kill, while_allocating_costs_at_most_the_block_in_hand) {
  for (const script& plan : scripts) {
    EXPECT_GE(kill_at_every_passage(point::alloc_before, plan, deferred + 1), plan.bytes < span_bytes ? 20 : 4)
        << plan.name;
    EXPECT_GE(kill_at_every_passage(point::alloc_after, plan, deferred + 1), plan.bytes < span_bytes ? 20 : 4)
        << plan.name;
  }
}

TEST(heap_kill, while_freeing_costs_at_most_what_the_slice_freed) {
  for (const script& plan : scripts) {
    EXPECT_GE(kill_at_every_passage(point::free_before, plan, deferred + 1), plan.bytes < span_bytes ? 20 : 4)
        << plan.name;
    EXPECT_GE(kill_at_every_passage(point::free_linked, plan, deferred + 1), plan.bytes < span_bytes ? 20 : 4)
        << plan.name;
  }
}

TEST(heap_kill, while_claiming_costs_at_most_the_span_in_hand) {
  for (const script& plan : scripts) {
    const std::uint64_t in_hand = std::max<std::uint64_t>(span_bytes / plan.bytes, 1);
    EXPECT_GE(kill_at_every_passage(point::span_claimed, plan, deferred + in_hand), 2) << plan.name;
  }
}

// Takes loose blocks, frees some at once and gives others away, oldest first.
int live_with_loose_blocks(arena& memory, segment*& results, std::size_t bytes) {
  std::deque<loose_block*> mine;
  for (std::size_t step = 0; step != 30; ++step) {
    if (step % 5 < 3) {
      mine.push_back(&memory.allocate_loose(bytes - sizeof(loose_block)));
      std::memset(mine.back()->data(), 0xcc, bytes - sizeof(loose_block));
    } else if (step % 5 == 3) {
      memory.deallocate_loose(*mine[mine.size() / 2]);
      mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(mine.size() / 2));
    } else {
      memory.give(*mine.front(), step % 2 == 0, results);
      mine.pop_front();
    }
  }
  return 7;
}

// Kills a worker at the k-th passage of `where`, for k = 1, 2 ..., buries it, and frees the results that it left. Returns the deaths.
int bury_at_every_passage(point where, const script& plan, std::uint64_t in_hand) {
  const std::uint64_t all = blocks_of_a_fresh_arena(plan.bytes);
  for (int passage = 1;; ++passage) {
    SCOPED_TRACE(testing::Message() << plan.name << ", point " << static_cast<unsigned>(where) << ", passage "
                                    << passage);
    const auto memory = arena::make_for_test(small_arena);
    seen_by_all<segment*> results;
    const ending worker = in_child([&] {
      memory->become_worker(1);
      arm(where, passage);
      return live_with_loose_blocks(*memory, *results, plan.bytes);
    });
    const bool died = worker.killed_by(SIGKILL);
    EXPECT_TRUE(died || worker.exited_with(7));

    // What it goes on looking at of results that nobody takes, dropped before it was buried: but for the one that it may have been giving.
    for (segment* one = *results; one != nullptr && one->next != nullptr;) {
      auto* const second = reinterpret_cast<loose_block*>(one->next);
      if (second->held) {
        one->next = second->piece.next;
        memory->leave_untaken(*second, 1, true);
      } else {
        one = one->next;
      }
    }
    memory->bury(1, [&](const segment* piece) {
      const segment* one = *results;
      while (one != nullptr && one != piece) one = one->next;
      return one != nullptr;
    });
    for (segment* one = *results; one != nullptr;) {
      auto* const block = reinterpret_cast<loose_block*>(std::exchange(one, one->next));
      block->held ? memory->leave_untaken(*block, 1, false) : memory->deallocate(block);
    }
    seen_by_all<census> left;
    count_blocks(*memory, plan.bytes, {}, *left);
    EXPECT_EQ(left->twice.load(), 0U);
    EXPECT_LE(left->blocks.load(), all);
    EXPECT_GE(left->blocks.load() + (died ? in_hand : 0), all);
    if (!died || testing::Test::HasFailure()) return passage - 1;
  }
}

TEST(heap_kill, loose_blocks_are_freed_when_their_worker_is_buried) {
  for (const script& plan : {scripts[0], scripts[2]}) {
    EXPECT_EQ(bury_at_every_passage(point::loose_added, plan, 0), 18) << plan.name;
    EXPECT_EQ(bury_at_every_passage(point::give_begun, plan, 0), 6) << plan.name;
    EXPECT_EQ(bury_at_every_passage(point::give_linked, plan, 0), 6) << plan.name;
    EXPECT_EQ(bury_at_every_passage(point::give_removed, plan, 0), 6) << plan.name;
  }
}

TEST(heap_kill, a_loose_block_in_hand_is_all_that_a_death_costs) {
  for (const script& plan : {scripts[0], scripts[2]}) {
    const std::uint64_t span = std::max<std::uint64_t>(span_bytes / plan.bytes, 1);
    EXPECT_GE(bury_at_every_passage(point::alloc_before, plan, 1), 2) << plan.name;
    EXPECT_GE(bury_at_every_passage(point::alloc_after, plan, 1), 2) << plan.name;
    EXPECT_GE(bury_at_every_passage(point::span_claimed, plan, span), 2) << plan.name;
    EXPECT_EQ(bury_at_every_passage(point::loose_removed, plan, 1), 6) << plan.name;
    EXPECT_GE(bury_at_every_passage(point::free_before, plan, 1), 2) << plan.name;
    EXPECT_GE(bury_at_every_passage(point::free_linked, plan, 1), 2) << plan.name;
  }
}

TEST(heap_kill, what_a_dying_slice_freed_is_never_handed_out_again) {
  for (const std::size_t bytes : {std::size_t{64}, std::size_t{5000}, 2 * span_bytes}) {
    const auto memory = arena::make_for_test(small_arena);
    void* callers = memory->allocate(bytes);
    seen_by_all<std::array<void*, 2>> freed;
    EXPECT_TRUE(in_child([&] {
                  memory->become_worker(1);
                  *freed = {memory->allocate(bytes), callers};
                  for (void* block : *freed) memory->deallocate(block);
                  kill(getpid(), SIGKILL);
                  return 1;
                }).killed_by(SIGKILL));
    seen_by_all<census> left;
    count_blocks(*memory, bytes, std::set<void*>(freed->begin(), freed->end()), *left);
    EXPECT_GT(left->blocks.load(), 10U);
    EXPECT_EQ(left->held.load(), 0U);
    EXPECT_EQ(left->twice.load(), 0U);
  }
}

TEST(heap_kill, a_slice_that_was_done_gives_its_frees_to_the_replacement) {
  const auto memory = arena::make_for_test(small_arena);
  seen_by_all<std::array<void*, 1>> freed;
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(1);
                (*freed)[0] = memory->allocate(64);
                memory->deallocate((*freed)[0]);
                memory->slice_done();
                kill(getpid(), SIGKILL);
                return 1;
              }).killed_by(SIGKILL));
  seen_by_all<census> left;
  count_blocks(*memory, 64, std::set<void*>(freed->begin(), freed->end()), *left);
  EXPECT_EQ(left->held.load(), 1U) << "the freed block should be among those the replacement gets";
}

// The parent frees the workers' blocks while they are being killed at any instruction, in claiming and giving back too.
TEST(heap_kill, at_any_instant_leaves_a_heap_that_replacements_and_others_can_use) {
  constexpr int deaths = 150;
  const auto memory = arena::make_for_test(std::size_t{256} << 20);
  struct mailbox_row {
    std::array<std::atomic<unsigned char*>, 128> to_parent;
    std::atomic<std::uint64_t> made;
  };
  seen_by_all<mailbox_row> shared;
  constexpr auto sizes = std::to_array<std::size_t>({32, 32, 32, 500, 500, 5000, 30'000, 100'000, 400'000});

  const auto work = [&](unsigned seed) {
    memory->become_worker(1);
    std::mt19937 random{seed};
    for (;;) {
      const std::size_t bytes = sizes[random() % sizes.size()];
      auto* block = static_cast<unsigned char*>(memory->allocate(bytes));
      const auto stamp = static_cast<unsigned char>(1 + random() % 250);
      block[0] = block[16] = block[bytes - 1] = stamp;
      shared->made.fetch_add(1);
      if (random() % 2 == 0) {
        memory->deallocate(block);
      } else if (unsigned char* unread = shared->to_parent[random() % 128].exchange(block)) {
        memory->deallocate(unread);
      }
      if (random() % 8 == 0) memory->slice_done();
    }
    return 1;
  };

  std::mt19937 random{4711};
  std::uint64_t received = 0;
  for (int death = 0; death != deaths; ++death) {
    const std::uint64_t made_before = shared->made.load();
    const pid_t worker = start_child([&] { return work(static_cast<unsigned>(death)); });
    const auto begin = std::chrono::steady_clock::now();
    const auto until = begin + std::chrono::microseconds(random() % 4000);
    while (shared->made.load() == made_before || std::chrono::steady_clock::now() < until) {
      ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20}) << "the worker makes nothing";
      unsigned char* block = shared->to_parent[random() % 128].exchange(nullptr);
      if (block == nullptr) continue;
      const std::size_t bytes = memory->block_size(block);
      ASSERT_TRUE(memory->owned_by(1, block, bytes));
      ASSERT_EQ(block[0], block[16]);
      memory->deallocate(block);
      ++received;
    }
    kill(worker, SIGKILL);
    ASSERT_TRUE(wait_for(worker).killed_by(SIGKILL));
  }
  EXPECT_GT(received, static_cast<std::uint64_t>(deaths));

  // Whatever is still in the mailboxes is whole and not known to the heap: taking all the rest does not touch it.
  std::vector<std::array<unsigned char, 2>> stamps;
  std::set<void*> held;
  for (auto& mailbox : shared->to_parent) {
    unsigned char* block = mailbox.load();
    if (block == nullptr) continue;
    held.insert(block);
    stamps.push_back({block[0], block[16]});
    EXPECT_EQ(block[0], block[16]);
  }
  for (const std::size_t bytes : {std::size_t{5000}, std::size_t{30'000}, std::size_t{100'000}}) {
    seen_by_all<census> left;
    count_blocks(*memory, bytes, held, *left);
    EXPECT_EQ(left->held.load(), 0U);
    EXPECT_EQ(left->twice.load(), 0U);
  }
  std::size_t checked = 0;
  for (auto& mailbox : shared->to_parent) {
    if (unsigned char* block = mailbox.load()) {
      EXPECT_EQ((std::array{block[0], block[16]}), stamps[checked]);
      ++checked;
    }
  }
  EXPECT_EQ(checked, stamps.size());
}

}  // namespace
