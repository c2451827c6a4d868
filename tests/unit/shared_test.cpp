// Containers in shared memory: what they hold, which process frees it, and what a worker may do with them.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <forkful/errors.hpp>
#include <forkful/shared.hpp>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <ranges>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "memory/arena.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful;
using detail::arena;
using detail::in_shared_memory;
using detail::shareable;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;

const std::string long_text(100, 'x');

template <class T>
using shared_list = std::list<T, shared_allocator<T>>;

struct point {
  double x, y;
};
struct labelled {
  shared_string name;
  shared_vector<double> values;
  int counts[3];
};
struct tree {
  int number;
  std::vector<tree, shared_allocator<tree>> children;
};
struct keeps_private_memory {
  int number;
  std::string name;
};
class guarded {
 public:
  explicit guarded(int number) : number_{number} {}
  int number() const { return number_; }

 private:
  int number_;
};

static_assert(shareable<double> && shareable<point> && shareable<std::array<point, 3>> && shareable<shared_string>);
static_assert(shareable<labelled> && shareable<tree> && shareable<shared<labelled>> &&
              shareable<shared_vector<shared_string>>);
static_assert(shareable<std::optional<shared_string>> && shareable<std::variant<int, shared_string>> &&
              shareable<std::pair<const int, shared_string>> && shareable<shared_list<shared_list<int>>>);
static_assert(
    shareable<std::atomic<long>> &&
    shareable<std::map<int, shared_string, std::less<>, shared_allocator<std::pair<const int, shared_string>>>>);
static_assert(!shareable<std::string> && !shareable<std::vector<int>> && !shareable<keeps_private_memory> &&
              !shareable<shared_list<std::string>> && !shareable<std::optional<std::string>> && !shareable<int*> &&
              !shareable<std::string_view> && !shareable<guarded> && !shareable<std::pair<int, std::string>>);
static_assert(std::ranges::contiguous_range<shared_vector<double>> &&
              std::ranges::contiguous_range<const shared_vector<double>> &&
              std::ranges::sized_range<shared_vector<double>>);
static_assert(!std::is_copy_constructible_v<shared_vector<int>> &&
              std::is_nothrow_move_constructible_v<shared_vector<int>> && !std::is_copy_constructible_v<shared<int>> &&
              std::is_nothrow_move_assignable_v<shared<int>>);
static_assert(std::is_same_v<decltype(std::declval<const shared_vector<int>&>()[0]), int&>, "const is shallow");

// A worker in slot 1 runs `body`; 7 means it went well.
template <class Body>
bool in_worker(Body body) {
  arena& memory = arena::here();
  const unsigned slot = memory.acquire_slot();
  const bool well = in_child([&] {
                      memory.become_worker(slot);
                      const int code = body();
                      memory.slice_done();
                      return code;
                    }).exited_with(7);
  memory.release_slot(slot);
  return well;
}

TEST(shared_vector, holds_what_it_was_made_from) {
  EXPECT_TRUE(shared_vector<int>{}.empty());
  EXPECT_EQ(shared_vector<int>(3), (shared_vector<int>{0, 0, 0}));
  EXPECT_EQ(shared_vector<int>(3, 7), (shared_vector<int>{7, 7, 7}));
  EXPECT_EQ(shared_vector<int>(0).data(), nullptr);
  const std::vector<std::string> words{"a", long_text, ""};
  const shared_vector<shared_string> same(words);
  ASSERT_EQ(same.size(), 3U);
  EXPECT_TRUE(std::equal(same.begin(), same.end(), words.begin(),
                         [](const auto& a, const auto& b) { return std::string_view{a} == b; }));
  std::istringstream numbers{"4 5 6 7 8 9"};
  EXPECT_EQ(shared_vector<int>(std::istream_iterator<int>{numbers}, std::istream_iterator<int>{}),
            (shared_vector<int>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(shared_vector<int>(std::views::iota(1, 4)), (shared_vector<int>{1, 2, 3}));
  const shared_vector deduced(5, 2.5);
  static_assert(std::is_same_v<decltype(deduced), const shared_vector<double>>);
}

TEST(shared_vector, lies_in_shared_memory_with_all_its_elements_own) {
  shared_vector<shared_string> words(10, shared_string{long_text});
  EXPECT_TRUE(in_shared_memory(words.data(), 10 * sizeof(shared_string)));
  for (const shared_string& word : words) EXPECT_TRUE(in_shared_memory(word.data(), word.size()));
  EXPECT_FALSE(in_shared_memory(&words, sizeof(words)));
  EXPECT_FALSE(in_shared_memory(long_text.data(), long_text.size()));
  EXPECT_FALSE(in_shared_memory(words.data(), SIZE_MAX));
}

TEST(shared_vector, gives_mutable_elements_through_a_const_handle_and_as_spans) {
  const shared_vector<int> numbers{1, 2, 3};
  numbers[0] = 10;
  numbers.front() += 1;
  numbers.back() = 33;
  *numbers.begin() += 1;
  numbers.at(1) = 22;
  EXPECT_EQ(numbers, (shared_vector<int>{12, 22, 33}));
  EXPECT_THROW(static_cast<void>(numbers.at(3)), std::out_of_range);
  const std::span<int> elements = numbers;
  const std::span<const int> read_only = numbers;
  EXPECT_EQ(elements.data(), numbers.data());
  EXPECT_EQ(read_only.size(), 3U);
  EXPECT_EQ(std::accumulate(numbers.cbegin(), numbers.cend(), 0), 67);
}

TEST(shared_vector, grows_and_shrinks_like_a_vector) {
  shared_vector<shared_string> words;
  std::vector<std::string> model;
  for (int i = 0; i != 500; ++i) {
    const std::string word(static_cast<std::size_t>(i % 40), static_cast<char>('a' + i % 26));
    words.emplace_back(word);
    model.push_back(word);
    if (i % 7 == 0) words.pop_back(), model.pop_back();
  }
  words.resize(600, words[3]);
  model.resize(600, std::string{model[3]});
  words.resize(450);
  model.resize(450);
  words.resize(455);
  model.resize(455);
  words.reserve(5000);
  EXPECT_GE(words.capacity(), 5000U);
  ASSERT_EQ(words.size(), model.size());
  for (std::size_t i = 0; i != model.size(); ++i) EXPECT_EQ(std::string_view{words[i]}, model[i]);
  words.clear();
  EXPECT_TRUE(words.empty());
  EXPECT_THROW(words.reserve(SIZE_MAX), std::length_error);
}

TEST(shared_vector, may_be_given_its_own_elements_when_it_grows) {
  shared_vector<shared_string> words;
  words.emplace_back(long_text);
  while (words.size() != words.capacity()) words.emplace_back("filler");
  words.push_back(words[0]);
  EXPECT_EQ(std::string_view{words.back()}, long_text);
  while (words.size() != words.capacity()) words.emplace_back("filler");
  words.resize(words.size() + 3, words[0]);
  EXPECT_EQ(std::string_view{words.back()}, long_text);
  words.push_back(std::move(words[0]));
  EXPECT_EQ(std::string_view{words.back()}, long_text);
}

TEST(shared_vector, moves_without_touching_its_elements) {
  shared_vector<int> a{1, 2, 3};
  const int* const elements = a.data();
  shared_vector<int> b = std::move(a);
  EXPECT_EQ(b.data(), elements);
  EXPECT_TRUE(a.empty());  // NOLINT: moved-from is documented to be empty
  shared_vector<int> c{9};
  c = std::move(b);
  EXPECT_EQ(c, (shared_vector<int>{1, 2, 3}));
  shared_vector<int> d{4};
  swap(c, d);
  EXPECT_EQ(d.data(), elements);
  EXPECT_EQ(c, shared_vector<int>{4});
  d.push_back(4);
  EXPECT_EQ(d, (shared_vector<int>{1, 2, 3, 4}));
}

struct throws_at {
  static inline int left = 0;
  static inline int alive = 0;
  int number = 0;
  throws_at() {
    if (--left == 0) throw std::runtime_error{"enough"};
    ++alive;
  }
  throws_at(throws_at&&) noexcept { ++alive; }
  ~throws_at() { --alive; }
};

}  // namespace

template <>
inline constexpr bool forkful::enable_shared<throws_at> = true;

namespace {

TEST(shared_vector, leaves_nothing_behind_when_an_element_throws) {
  throws_at::left = 5;
  EXPECT_THROW(shared_vector<throws_at>(10), std::runtime_error);
  EXPECT_EQ(throws_at::alive, 0);
  throws_at::left = 1;
  EXPECT_THROW(shared<throws_at>{}, std::runtime_error);
  EXPECT_EQ(throws_at::alive, 0);
  throws_at::left = 100;
  {
    const shared_vector<throws_at> ten(10);
  }
  EXPECT_EQ(throws_at::alive, 0);
}

struct alignas(256) wide {
  int number;
};

TEST(shared_vector, aligns_its_elements) {
  const shared_vector<wide> few(3);
  const shared_vector<wide> many(1000);
  const shared<wide> one;
  for (const void* each :
       {static_cast<void*>(few.data()), static_cast<void*>(many.data()), static_cast<void*>(one.get())})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(each) % 256, 0U);
}

TEST(shared_vector, is_changed_in_place_by_workers_made_before_and_after_it) {
  const shared_vector<double> numbers(1000, 2.0);
  const shared_vector<shared_string> words(100, shared_string{"short"});
  ASSERT_TRUE(in_worker([&] {
    for (double& x : numbers) x *= 1.5;
    for (shared_string& word : words) word += long_text;  // outgrows the string object: allocates in the worker's heap
    return 7;
  }));
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0.0), 3000.0);
  for (const shared_string& word : words) EXPECT_EQ(std::string_view{word}, "short" + long_text);
}

TEST(shared_vector, inherited_by_a_worker_frees_nothing_there) {
  auto numbers = std::make_unique<shared_vector<int>>(1000, 5);
  int* const elements = numbers->data();
  ASSERT_TRUE(in_worker([&] {
    numbers.reset();
    return 7;
  }));
  EXPECT_NE(shared_vector<int>(1000, 6).data(), elements);
  EXPECT_EQ(*numbers, shared_vector<int>(1000, 5));
  numbers.reset();
  EXPECT_EQ(shared_vector<int>(1000).data(), elements) << "its maker did free it";
}

TEST(shared_vector, in_shared_memory_itself_may_be_regrown_by_a_worker_and_is_freed_by_its_container) {
  seen_by_all<std::array<void*, 2>> rows;
  {
    shared_vector<shared_vector<int>> matrix;
    matrix.emplace_back(100, 1);
    matrix.emplace_back();
    ASSERT_TRUE(in_worker([&] {
      for (int i = 0; i != 5000; ++i) matrix[0].push_back(i);
      matrix[1] = shared_vector<int>(3000, 4);
      *rows = {matrix[0].data(), matrix[1].data()};
      return 7;
    }));
    ASSERT_EQ(matrix[0].size(), 5100U);
    EXPECT_EQ(matrix[0].back(), 4999);
    EXPECT_EQ(matrix[1], shared_vector<int>(3000, 4));
    matrix[1].push_back(5);  // and by the caller again
    EXPECT_EQ(matrix[1].size(), 3001U);
    const shared_vector<int> taken = std::move(matrix[0]);
    EXPECT_EQ(taken.size(), 5100U);
  }
  // Both rows went back to the worker's heap: its successor in the slot gets them again.
  EXPECT_TRUE(in_worker([&] {
    const std::size_t bytes = arena::here().block_size((*rows)[1]);
    return arena::here().allocate(bytes) == (*rows)[1] ? 7 : 1;
  }));
}

TEST(shared_vector, borrowed_can_be_used_but_not_resized) {
  shared_vector<int> numbers{1, 2, 3};
  shared_vector<int> handle = shared_vector<int>::borrow(numbers.data(), numbers.size());
  handle[0] = 100;
  EXPECT_EQ(numbers[0], 100);
  EXPECT_THROW(handle.push_back(4), wrong_process);
  EXPECT_THROW(handle.resize(2), wrong_process);
  EXPECT_THROW(handle.reserve(100), wrong_process);
  EXPECT_THROW(handle.clear(), wrong_process);
  EXPECT_THROW(handle.pop_back(), wrong_process);
  shared_vector<int> moved = std::move(handle);
  EXPECT_EQ(moved.data(), numbers.data());
  moved = shared_vector<int>{};
  EXPECT_EQ(numbers, (shared_vector<int>{100, 2, 3}));
  ASSERT_TRUE(in_worker([&] {
    try {
      numbers.resize(1000);
    } catch (const wrong_process& error) {
      return error.code() == "wrong_process" && std::string_view{error.what()}.find("worker") != std::string_view::npos
                 ? 7
                 : 1;
    }
    return 2;
  }));
}

TEST(shared_vector, made_by_a_worker_can_be_adopted) {
  seen_by_all<detail::handle> travelling;
  using passes = detail::handle_codec<shared_vector<int>>;
  ASSERT_TRUE(in_worker([&] {
    shared_vector<int> made(5000, 3);
    made.push_back(4);
    *travelling = passes::describe(made);
    passes::release(made);
    return made.empty() ? 7 : 1;
  }));
  int* elements = nullptr;
  std::size_t bytes = 0;
  {
    shared_vector<int> adopted = passes::adopt(*travelling);
    ASSERT_EQ(adopted.size(), 5001U);
    EXPECT_EQ(adopted.back(), 4);
    EXPECT_GE(adopted.capacity(), 5001U);
    adopted.push_back(5);
    elements = adopted.data();
    bytes = arena::here().block_size(elements);
    const shared_vector<int> seen = passes::borrow(passes::describe(adopted));
    EXPECT_EQ(seen.data(), elements);
  }
  EXPECT_TRUE(in_worker([&] { return arena::here().allocate(bytes) == elements ? 7 : 1; }));
}

TEST(shared, holds_one_object_that_workers_can_change) {
  const shared<std::atomic<int>> counter{5};
  const shared<point> here{1.0, 2.0};
  shared text{shared_string{"abc"}};
  const shared<labelled> row;
  ASSERT_TRUE(in_worker([&] {
    ++*counter;
    here->y = 20.0;
    *text += long_text;
    row->name = "a name that is longer than the small string buffer";
    row->values.resize(10);
    row->counts[2] = 9;
    return 7;
  }));
  EXPECT_EQ(counter->load(), 6);
  EXPECT_EQ(here->x + here->y, 21.0);
  EXPECT_EQ(std::string_view{*text}, "abc" + long_text);
  EXPECT_EQ(row->name.size(), 50U);
  EXPECT_EQ(row->values.size(), 10U);
  EXPECT_EQ(row->counts[2], 9);
  const shared<shared_string> moved = std::move(text);
  EXPECT_FALSE(text);  // NOLINT: moved-from is documented to be empty
  EXPECT_EQ(moved->size(), 103U);
}

TEST(shared, is_freed_by_its_maker_only) {
  auto number = std::make_unique<shared<point>>(1.0, 1.0);
  point* const object = number->get();
  ASSERT_TRUE(in_worker([&] {
    number.reset();
    return 7;
  }));
  EXPECT_NE((shared<point>{2.0, 2.0}).get(), object);
  number.reset();
  EXPECT_EQ((shared<point>{2.0, 2.0}).get(), object);
}

TEST(shared_allocator, carries_every_standard_container) {
  using words = std::map<int, shared_string, std::less<>, shared_allocator<std::pair<const int, shared_string>>>;
  using lengths = std::unordered_map<shared_string, int, std::hash<shared_string>, std::equal_to<>,
                                     shared_allocator<std::pair<const shared_string, int>>>;
  const shared<words> numbered;
  const shared<lengths> counted;
  const shared<std::deque<int, shared_allocator<int>>> queue;
  const shared<shared_list<tree>> forest;
  ASSERT_TRUE(in_worker([&] {
    for (int i = 0; i != 1000; ++i) {
      (*numbered)[i] = long_text;
      (*counted)[shared_string(static_cast<std::size_t>(i), 'z')] = i;
      queue->push_back(i);
    }
    forest->push_back({1, {}});
    forest->back().children.push_back({2, {}});
    return 7;
  }));
  EXPECT_EQ(numbered->size(), 1000U);
  EXPECT_EQ(std::string_view{numbered->at(999)}, long_text);
  EXPECT_EQ(counted->at(shared_string(500, 'z')), 500);
  EXPECT_EQ(std::accumulate(queue->begin(), queue->end(), 0), 499'500);
  EXPECT_EQ(forest->back().children.back().number, 2);
  numbered->clear();
  queue->clear();
  EXPECT_EQ(shared_allocator<int>{}, shared_allocator<double>{});
  EXPECT_THROW(static_cast<void>(shared_allocator<double>{}.allocate(SIZE_MAX / 4)), std::bad_alloc);
}

}  // namespace
