// Frames: segments, marks and views; and that a source believes nothing it reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <forkful/codec.hpp>

#include <cstdint>
#include <cstring>
#include <forkful/errors.hpp>
#include <list>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using forkful::codec_error;
using forkful::sink;
using forkful::source;
using forkful::detail::long_count;
using forkful::detail::private_segments;
using forkful::detail::segment;
using forkful::detail::source_bounds;

std::size_t segments(const segment* chain) {
  std::size_t n = 0;
  for (; chain != nullptr; chain = chain->next) ++n;
  return n;
}

TEST(frame, starts_with_no_memory_and_grows_by_doubling_up_to_a_megabyte) {
  sink out(private_segments());
  EXPECT_EQ(out.first(), nullptr);
  for (int i = 0; i < 2'000'000; ++i) out.write(i);
  EXPECT_EQ(out.size(), 8'000'000U);
  const segment* piece = out.first();
  EXPECT_EQ(piece->capacity, 1024 - sizeof(segment));
  for (; piece->next != nullptr; piece = piece->next) {
    EXPECT_LE(piece->next->capacity, std::size_t{1} << 20);
    EXPECT_GT(piece->next->capacity, 0U);
  }
  source in(out.first());
  EXPECT_EQ(in.remaining(), 8'000'000U);
  for (int i = 0; i < 2'000'000; ++i) ASSERT_EQ(in.read<int>(), i);
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(frame, never_splits_one_write) {
  sink out(private_segments());
  out.write(std::string(900, 'a'));
  out.write(std::string(900, 'b'));
  EXPECT_EQ(segments(out.first()), 2U);
  out.write(std::vector<double>(1'000'000, 1.0));
  EXPECT_EQ(segments(out.first()), 3U);
  source in(out.first());
  EXPECT_EQ(in.read<std::string_view>(), std::string(900, 'a'));
  EXPECT_EQ(in.read<std::string_view>(), std::string(900, 'b'));
  EXPECT_EQ(in.read<std::span<const double>>().size(), 1'000'000U);
}

TEST(frame, heeds_the_hint_for_its_size) {
  sink out(private_segments());
  out.reserve(100'000);
  for (int i = 0; i < 25'000; ++i) out.write(i);
  EXPECT_EQ(segments(out.first()), 1U);
}

TEST(frame, has_pieces_in_which_nothing_else_lies) {
  sink out(private_segments());
  out.write(1);
  const sink::position before = out.mark();
  for (const bool again : {false, true}) {  // after a rollback too
    if (again) out.rollback(before);
    for (const char each : {'a', 'b'}) std::memset(out.extend_alone(100), each, 100);
    out.write(2);
    out.write(3);
  }
  std::vector<std::size_t> used;
  for (const segment* piece = out.first(); piece != nullptr; piece = piece->next) {
    if (piece->used != 0) used.push_back(piece->used);
  }
  EXPECT_EQ(used, (std::vector<std::size_t>{sizeof(int), 100, 100, 2 * sizeof(int)}));
  EXPECT_EQ(out.size(), 200 + 3 * sizeof(int));
  source in(out.first());
  EXPECT_EQ(in.read<int>(), 1);
  for (const char each : {'a', 'b'}) EXPECT_EQ(std::string_view(in.view(100), 100), std::string(100, each));
  EXPECT_EQ(in.read<int>(), 2);
  EXPECT_EQ(in.read<int>(), 3);
}

TEST(frame, gives_back_the_end_of_the_room_that_was_extended_last) {
  for (const std::size_t before : {0U, 1U, 100U, 300U}) {  // nothing; in the same segment; in one of its own
    sink out(private_segments());
    for (std::size_t i = 0; i < before; ++i) out.write(i);
    char* const room = out.extend(100 * sizeof(std::size_t), alignof(std::size_t));
    out.publish();
    for (std::size_t i = 0; i < 40; ++i) std::memcpy(room + i * sizeof i, &i, sizeof i);
    out.cut_back(room + 40 * sizeof(std::size_t));
    EXPECT_EQ(out.size(), (before + 40) * sizeof(std::size_t));
    for (std::size_t i = 40; i < 500; ++i) out.write(i);
    source in(out.first());
    EXPECT_EQ(in.remaining(), (before + 500) * sizeof(std::size_t));
    for (std::size_t i = 0; i < before; ++i) ASSERT_EQ(in.read<std::size_t>(), i);
    for (std::size_t i = 0; i < 500; ++i) ASSERT_EQ(in.read<std::size_t>(), i);
  }
}

TEST(frame, forgets_what_follows_a_mark_and_reuses_its_memory) {
  sink out(private_segments());
  out.write(1);
  const auto mark = out.mark();
  for (int i = 0; i < 10'000; ++i) out.write(i);
  const std::size_t before = segments(out.first());
  out.rollback(mark);
  EXPECT_EQ(out.size(), sizeof(int));
  out.write(2);
  {
    source in(out.first());
    EXPECT_EQ(in.read<int>(), 1);
    EXPECT_EQ(in.read<int>(), 2);
    EXPECT_EQ(in.remaining(), 0U);
  }
  for (int i = 0; i < 10'000; ++i) out.write(i);
  EXPECT_EQ(segments(out.first()), before);
  out.rollback({});
  EXPECT_EQ(out.size(), 0U);
  out.write(std::string(100'000, 'x'));  // larger than any segment that is reused
  source in(out.first());
  EXPECT_EQ(in.read<std::string>().size(), 100'000U);
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(frame, is_handed_out_whole_and_the_sink_starts_anew) {
  const auto memory = private_segments();
  sink out(memory);
  out.write(std::string(5000, 'x'));
  segment* chain = out.take();
  EXPECT_EQ(out.first(), nullptr);
  EXPECT_EQ(out.size(), 0U);
  out.write(3);
  source in(chain);
  EXPECT_EQ(in.read<std::string>(), std::string(5000, 'x'));
  while (chain != nullptr) {
    segment* const next = chain->next;
    memory.release(memory.self, chain);
    chain = next;
  }
}

TEST(frame, takes_raw_bytes_and_gives_them_back_across_segments) {
  sink out(private_segments());
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    const std::string part(37, static_cast<char>('a' + i % 26));
    out.write(part.data(), part.size());
    sent += part;
  }
  source in(out.first());
  std::string received(sent.size(), '\0');
  in.read(received.data(), 50);
  in.read(received.data() + 50, received.size() - 50);
  EXPECT_EQ(received, sent);
  EXPECT_THROW(in.read(received.data(), 1), codec_error);
}

TEST(frame, gives_room_for_an_array_and_views_of_it) {
  sink out(private_segments());
  out.write('x');
  char* room = out.extend(3 * sizeof(double), alignof(double));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(room) % alignof(double), 0U);
  const double values[3] = {1, 2, 3};
  std::memcpy(room, values, sizeof(values));
  EXPECT_EQ(out.size(), 8 + sizeof(values));
  source in(out.first());
  EXPECT_EQ(in.read<char>(), 'x');
  EXPECT_EQ(static_cast<const void*>(in.view(sizeof(values), alignof(double))), room);
  EXPECT_EQ(in.offset(), out.size());
}

TEST(frame, says_which_type_failed_and_where) {
  sink out(private_segments());
  out.write(1);
  out.write(2);
  source in(out.first());
  in.read<int>();
  try {
    in.read<double>();
    FAIL();
  } catch (const codec_error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("double at byte 4"));
    EXPECT_THAT(e.what(), testing::HasSubstr("the bytes end before the value does"));
  }
}

TEST(frame, refuses_lengths_it_cannot_hold_before_allocating) {
  for (const std::uint64_t claimed : {std::uint64_t{3}, std::uint64_t{1} << 40, (std::uint64_t{1} << 63) - 1}) {
    sink out(private_segments());
    out.write(claimed);
    out.write(std::uint16_t{});
    EXPECT_THROW(source(out.first()).read<std::vector<int>>(), codec_error);
    EXPECT_THROW(source(out.first()).read<std::vector<std::string>>(), codec_error);
    EXPECT_THROW((source(out.first()).read<std::map<std::string, int>>()), codec_error);
  }
}

TEST(frame, refuses_lengths_of_strings_it_cannot_hold_before_allocating) {
  const auto refused = [](sink& out) {
    EXPECT_THROW(source(out.first()).read<std::string>(), codec_error);
    EXPECT_THROW(source(out.first()).read<std::string_view>(), codec_error);
    EXPECT_THROW(source(out.first()).read<std::list<bool>>(), codec_error);
  };
  for (const std::uint64_t claimed : {std::uint64_t{3}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    sink out(private_segments());
    out.write(long_count);
    out.write(&claimed, sizeof(claimed));
    refused(out);  // none of them
    out.write(&claimed, 2);
    refused(out);  // too few
  }
  sink out(private_segments());
  out.write(std::uint8_t{3});
  out.write(&out, 2);
  refused(out);
  sink cut(private_segments());
  cut.write(long_count);
  cut.write(&cut, sizeof(std::uint64_t) - 1);
  refused(cut);
}

TEST(frame, keeps_strings_of_every_length_apart) {
  std::vector<std::string> all;
  for (const std::size_t length : {0U, 1U, 253U, 254U, 255U, 256U, 257U, 70'000U}) all.emplace_back(length, 'x');
  sink out(private_segments());
  out.write(all);
  EXPECT_EQ(source(out.first()).read<std::vector<std::string>>(), all);
  source in(out.first());
  in.skip<std::vector<std::string>>();
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(frame, refuses_pointers_out_of_shared_memory) {
  const int here = 7;
  sink out(private_segments());
  out.write(std::uint64_t{1} << 63 | 1);
  out.write(reinterpret_cast<std::uintptr_t>(&here));
  EXPECT_THROW(source(out.first()).read<std::span<const int>>(), codec_error);
  EXPECT_THROW(source(out.first()).read<std::vector<int>>(), codec_error);
}

struct pages {  // the memory of a worker, in which a damaged chain wanders
  alignas(64) unsigned char bytes[4096];

  static bool owns(void* self, const void* at, std::size_t size) {
    const auto begin = reinterpret_cast<std::uintptr_t>(static_cast<pages*>(self)->bytes);
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    return address >= begin && address <= begin + sizeof(bytes) && size <= begin + sizeof(bytes) - address;
  }
  source_bounds bounds(std::size_t most = SIZE_MAX) { return {most, this, &owns}; }
  segment* at(std::size_t offset) { return reinterpret_cast<segment*>(bytes + offset); }
};

TEST(frame, is_followed_only_inside_the_memory_of_its_writer) {
  static pages memory;
  const auto make = [](std::size_t offset, segment* next, std::size_t capacity, std::size_t used) {
    return new (memory.at(offset)) segment{next, capacity, used};
  };
  segment* const good = make(0, make(1024, nullptr, 100, 8), 100, 8);
  EXPECT_EQ(source(good, memory.bounds()).remaining(), 16U);
  EXPECT_EQ(source(good, memory.bounds(16)).remaining(), 16U);
  EXPECT_THROW(source(good, memory.bounds(15)), codec_error);

  segment outside{nullptr, 100, 8};
  EXPECT_THROW(source(&outside, memory.bounds()), codec_error);
  EXPECT_THROW(source(make(0, &outside, 100, 8), memory.bounds()), codec_error);
  EXPECT_THROW(source(make(0, reinterpret_cast<segment*>(std::uintptr_t{64}), 100, 8), memory.bounds()), codec_error);
  EXPECT_THROW(source(make(0, reinterpret_cast<segment*>(memory.bytes + 65), 100, 8), memory.bounds()), codec_error);
  EXPECT_THROW(source(make(0, nullptr, 100, 101), memory.bounds()), codec_error);
  EXPECT_THROW(source(make(2048, nullptr, 4096, 4096), memory.bounds()), codec_error);
  EXPECT_THROW(source(make(0, nullptr, SIZE_MAX, SIZE_MAX), memory.bounds()), codec_error);
}

TEST(frame, with_a_chain_that_bites_its_tail_ends_in_an_error) {
  static pages memory;
  for (const std::size_t used : {std::size_t{0}, std::size_t{8}}) {
    segment* const a = new (memory.at(0)) segment{nullptr, 64, used};
    segment* const b = new (memory.at(1024)) segment{nullptr, 64, used};
    segment* const c = new (memory.at(2048)) segment{nullptr, 64, used};
    a->next = b;
    b->next = c;
    for (segment* bitten : {a, b, c}) {
      c->next = bitten;
      EXPECT_THROW(source(a, memory.bounds()), codec_error);
    }
  }
}

TEST(frame, that_changes_while_it_is_read_is_found_out) {
  static pages memory;
  segment* const b = new (memory.at(1024)) segment{nullptr, 64, 8};
  segment* const a = new (memory.at(0)) segment{b, 64, 8};
  source in(a, memory.bounds());
  in.read<std::uint64_t>();
  b->used = 64;
  EXPECT_THROW(in.read<std::uint64_t>(), codec_error);
}

// Allocates for the decoder, but no more than a test allows.
std::size_t allowance = SIZE_MAX;
template <class T>
struct rationed {
  using value_type = T;
  rationed() = default;
  template <class U>
  rationed(const rationed<U>&) noexcept {}
  T* allocate(std::size_t n) {
    if (n > allowance / sizeof(T)) throw std::length_error("allocates more than it may");
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* p, std::size_t n) noexcept { std::allocator<T>{}.deallocate(p, n); }
  bool operator==(const rationed&) const { return true; }
};
template <class T>
using vector = std::vector<T, rationed<T>>;
using string = std::basic_string<char, std::char_traits<char>, rationed<char>>;

struct zoo {
  string name;
  vector<int> numbers;
  vector<string> words;
  vector<vector<std::optional<std::pair<string, double>>>> deep;
  std::vector<bool> bits;
  std::map<string, vector<int>> map;
  std::set<int> set;
  std::unordered_map<int, string> hash;
  std::variant<int, string, vector<zoo>> choice;
  std::string_view seen;
  std::span<const int> looked_at;
  std::array<string, 2> pair;
  std::list<std::tuple<>> empties;
  char array[7];
  vector<zoo> more;
};

zoo animals(int depth) {
  static const int numbers[3] = {1, 2, 3};
  zoo z{"lion",
        {1, 2, 3},
        {"a", "bb", string(200, 'c')},
        {{std::pair<string, double>("x", 1), std::nullopt}},
        {true, false},
        {{"k", {1}}, {"l", {}}},
        {1, 5, 9},
        {{1, "one"}, {2, "two"}},
        string("alternative"),
        "view",
        numbers,
        {"p", "q"},
        {{}, {}},
        "array",
        {}};
  if (depth > 0) {
    z.more.push_back(animals(depth - 1));
    z.choice = vector<zoo>();
    std::get<2>(z.choice).push_back(animals(depth - 1));
  }
  return z;
}

TEST(frame, damaged_at_random_is_decoded_or_refused_and_nothing_else) {
  sink out(private_segments());
  out.reserve(1 << 16);
  out.write(animals(1));
  const std::size_t size = out.size();
  ASSERT_EQ(segments(out.first()), 1U);
  alignas(64) static unsigned char original[1 << 16];
  alignas(64) static unsigned char damaged[1 << 16];
  ASSERT_LE(size, sizeof(original));
  std::memcpy(original, out.first()->data(), size);
  allowance = 16 * size + 8192;
  std::mt19937_64 random(4711);
  int refused = 0;
  int decoded = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::memcpy(damaged, original, size);
    std::size_t length = size;
    for (auto hits = 1 + random() % 3; hits != 0; --hits) {
      const std::size_t at = random() % size;
      switch (random() % 5) {
        case 0:
          damaged[at] = static_cast<unsigned char>(random());
          break;
        case 1:
          damaged[at] ^= static_cast<unsigned char>(1U << random() % 8);
          break;
        case 2:
          std::memset(damaged + at, static_cast<int>(random() % 2 * 255), std::min<std::size_t>(8, size - at));
          break;
        case 3: {
          const std::uint64_t word = random() >> random() % 64;
          std::memcpy(damaged + at / 8 * 8, &word, std::min(sizeof(word), size - at / 8 * 8));
          break;
        }
        default:
          length = random() % (size + 1);
      }
    }
    try {
      source in(damaged, length);
      const zoo z = in.read<zoo>();
      decoded += z.name.size() < size ? 1 : 0;
    } catch (const codec_error&) {
      ++refused;
    }
  }
  allowance = SIZE_MAX;
  EXPECT_EQ(refused + decoded, 100'000);
  EXPECT_GT(refused, 10'000);
  EXPECT_GT(decoded, 10'000);
}

TEST(frame, of_random_bytes_is_refused_or_decoded_and_nothing_else) {
  alignas(64) static std::uint64_t words[64];
  std::mt19937_64 random(815);
  int finished_slices = 0;
  for (int round = 0; round < 100'000; ++round) {
    for (auto& word : words) word = random() % 4 == 0 ? random() : random() % 5;
    allowance = 64 * sizeof(words) + 8192;
    try {
      source in(words, random() % (sizeof(words) + 1));
      static_cast<void>(in.read<zoo>());
    } catch (const codec_error&) {
    }
    ++finished_slices;
  }
  allowance = SIZE_MAX;
  EXPECT_EQ(finished_slices, 100'000);
}

}  // namespace
