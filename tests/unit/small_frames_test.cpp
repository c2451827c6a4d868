// Frames that travel beside a chunk's entry: what fits stays there, what does not is moved whole.
#include "backends/elsewhere/small_frames.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <forkful/codec.hpp>

namespace forkful::detail {
namespace {

// Segments that are counted, and may be refused.
struct counted_segments {
  std::set<segment*> taken;
  std::size_t refuse_after = SIZE_MAX;

  segment_memory memory() {
    return {this,
            [](void* self, std::size_t capacity) {
              auto& mine = *static_cast<counted_segments*>(self);
              if (mine.refuse_after-- == 0) throw std::bad_alloc{};
              segment* const made =
                  make_segment(std::aligned_alloc(64, (sizeof(segment) + capacity + 63) / 64 * 64), capacity);
              mine.taken.insert(made);
              return made;
            },
            [](void* self, segment* piece) noexcept {
              EXPECT_EQ(static_cast<counted_segments*>(self)->taken.erase(piece), 1u);
              std::free(piece);
            }};
  }
  void release(segment* chain) {
    while (chain != nullptr) memory().release(this, std::exchange(chain, chain->next));
  }
};

std::vector<int> numbers(int count) {
  std::vector<int> made(static_cast<std::size_t>(count));
  std::iota(made.begin(), made.end(), 0);
  return made;
}

std::vector<int> read_ints(source from) {
  std::vector<int> all;
  while (from.remaining() != 0) all.push_back(from.read<int>());
  return all;
}

TEST(small_input, takes_no_memory) {
  counted_segments heap;
  small_input small;
  input_frame frame(heap.memory(), 0);
  for (const int one : numbers(16)) frame.out().write(one);
  frame.end();
  EXPECT_EQ(frame.take(small), nullptr);
  EXPECT_TRUE(heap.taken.empty());
  ASSERT_EQ(small.size(), 64u);
  small_segment<64> aligned;
  std::memcpy(aligned.data.data(), small.data(), small.size());
  EXPECT_EQ(read_ints(source(aligned.data.data(), small.size())), numbers(16));
}

TEST(small_input, of_nothing_is_nothing) {
  counted_segments heap;
  small_input small;
  input_frame frame(heap.memory(), 0);
  frame.end();
  EXPECT_EQ(frame.take(small), nullptr);
  EXPECT_EQ(small.size(), 0u);
}

TEST(small_input, that_grows_is_moved_whole_and_in_order) {
  counted_segments heap;
  small_input small;
  {
    input_frame frame(heap.memory(), 0);
    for (const int one : numbers(1000)) frame.out().write(one);
    frame.end();
    segment* const chain = frame.take(small);
    EXPECT_EQ(small.size(), 0u);
    EXPECT_EQ(read_ints(source(chain)), numbers(1000));
    heap.release(chain);
  }
  EXPECT_TRUE(heap.taken.empty());
}

TEST(small_input, whose_first_value_is_large_begins_with_it) {
  counted_segments heap;
  small_input small;
  {
    input_frame frame(heap.memory(), 0);
    const std::vector<char> large(1000, 'x');
    std::memcpy(frame.out().extend(large.size()), large.data(), large.size());
    frame.end();
    segment* const chain = frame.take(small);
    EXPECT_EQ(source(chain).remaining(), large.size());
    EXPECT_EQ(heap.taken.size(), 1u);
    heap.release(chain);
  }
  EXPECT_TRUE(heap.taken.empty());
}

TEST(small_input, that_is_expected_to_be_large_is_one_piece) {
  counted_segments heap;
  small_input small;
  {
    input_frame frame(heap.memory(), 4000);
    for (const int one : numbers(1000)) frame.out().write(one);
    frame.end();
    EXPECT_EQ(heap.taken.size(), 1u);
    heap.release(frame.take(small));
  }
  EXPECT_TRUE(heap.taken.empty());
}

TEST(small_input, without_memory_to_grow_loses_nothing_of_the_heap) {
  for (std::size_t refused = 0; refused < 2; ++refused) {
    counted_segments heap;
    heap.refuse_after = refused;
    {
      input_frame frame(heap.memory(), 0);
      EXPECT_THROW(
          {
            for (const int one : numbers(100)) frame.out().write(one);
            frame.end();
          },
          std::bad_alloc);
    }
    EXPECT_TRUE(heap.taken.empty()) << refused;
  }
}

TEST(small_output, believes_no_more_than_there_is_room_for) {
  small_output small;
  const std::string written(1000, 'x');
  small.assign(written.data(), SIZE_MAX);
  EXPECT_EQ(small.size(), sizeof(chunk_frames::output));
}

}  // namespace
}  // namespace forkful::detail
