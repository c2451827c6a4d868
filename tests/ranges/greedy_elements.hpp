// Elements that can be made of anything: a compiler that asks whether one can be made of an iterator, a span or a tuple must not ask
// itself again. Two of them live in a namespace whose functions take anything, too. And every verb over ranges of such elements.
#pragma once

#include <any>
#include <filesystem>
#include <initializer_list>
#include <list>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "ranges/every_verb.hpp"

namespace greedy {

// Of anything that is no element itself.
class object {
 public:
  object() = default;
  template <class T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, object>)
  object(T&& from) : text_(made_of(std::forward<T>(from))) {}  // NOLINT(google-explicit-constructor): that is the point
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  template <class T>
  static std::string made_of(T&& from) {
    if constexpr (std::is_constructible_v<std::string, T>)
      return std::string(std::forward<T>(from));
    else
      return "made of something else";
  }
  std::string text_;
};

// As a JSON value: of anything, into anything, and a range of its own kind.
class tree {
 public:
  using value_type = tree;
  tree() = default;
  tree(std::initializer_list<tree> parts) : parts_(parts), number_(static_cast<long>(parts.size())) {}
  template <class T>
    requires(!std::is_base_of_v<tree, std::remove_cvref_t<T>>)
  tree(const T& from) {  // NOLINT(google-explicit-constructor): that is the point
    if constexpr (std::is_integral_v<T>) number_ = static_cast<long>(from);
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  operator T() const {  // NOLINT(google-explicit-constructor)
    return static_cast<T>(number_);
  }
  [[nodiscard]] long number() const noexcept { return number_; }
  [[nodiscard]] auto begin() const noexcept { return parts_.begin(); }
  [[nodiscard]] auto end() const noexcept { return parts_.end(); }

 private:
  std::vector<tree> parts_{};
  long number_ = 0;
};

// What argument-dependent lookup finds where forkful calls a function of its own without saying so.
template <class... T>
void pass(T&&...) = delete;
template <auto, class... T>
void pass(T&&...) = delete;
template <class... T>
void taken(T&&...) = delete;
template <std::size_t, class... T>
void taken(T&&...) = delete;
template <class... T>
void another(T&&...) = delete;
template <class... T>
void copy_of(T&&...) = delete;
template <class... T>
void load(T&&...) = delete;
template <class... T>
void append(T&&...) = delete;
template <class... T>
void count_of(T&&...) = delete;
template <class... T>
void write_value(T&&...) = delete;
template <class... T>
void write_element(T&&...) = delete;
template <class... T>
void write_container(T&&...) = delete;
template <class... T>
void if_shared(T&&...) = delete;
template <class... T>
void encode_part(T&&...) = delete;
template <class... T>
void as_callable(T&&...) = delete;
template <class... T>
void parts_of(T&&...) = delete;
template <class... T>
void store_argument(T&&...) = delete;

}  // namespace greedy

template <>
struct forkful::codec<greedy::object> {
  static void write(sink& out, const greedy::object& value) { out.write(value.text()); }
  static greedy::object read(source& in) { return {in.read<std::string>()}; }
};
template <>
struct forkful::codec<greedy::tree> {
  static void write(sink& out, const greedy::tree& value) { out.write(value.number()); }
  static greedy::tree read(source& in) { return greedy::tree(in.read<long>()); }
};

namespace forkful_tests {

using std::filesystem::path;
namespace views = std::views;

template <class T>
long number_of(const T& element) {
  if constexpr (std::is_same_v<T, path>)
    return std::stol(element.string());
  else if constexpr (std::is_same_v<T, greedy::object>)
    return std::stol(element.text());
  else if constexpr (std::is_same_v<T, greedy::tree>)
    return element.number();
  else
    return std::any_cast<int>(element);
}
template <class T>
T element_of(int number) {
  if constexpr (std::is_same_v<T, path> || std::is_same_v<T, greedy::object>)
    return T(std::to_string(number));
  else
    return T(number);
}
template <class T>
inline constexpr auto as_number = [](const T& element) { return number_of(element); };
template <class T>
std::vector<T> elements() {
  return {element_of<T>(1), element_of<T>(2), element_of<T>(3)};
}

template <class Pool, class T>
void ranges_of(Pool& pool) {
  const values expected{1, 2, 3};
  constexpr auto number = as_number<T>;
  std::vector<T> kept = elements<T>();
  every_verb(pool, [&]() -> std::vector<T>& { return kept; }, number, expected);
  const auto chosen = [&] { return kept | views::filter([](const T& x) { return number_of(x) != 2; }); };
  EXPECT_EQ(pool.map(chosen(), number), (values{1, 3}));
  lazy_verbs(pool, chosen, number, {1, 3});
  zipped(pool, chosen, number, {1, 3});
  const auto made = [] { return views::iota(1, 4) | views::transform(element_of<T>); };
  EXPECT_EQ(pool.map(made(), number), expected);
  lazy_verbs(pool, made, number, expected);
  const auto listed = [&] { return std::list<T>(kept.begin(), kept.end()); };
  EXPECT_EQ(pool.map(listed(), number), expected);
  lazy_verbs(pool, listed, number, expected);
  values got;
  for (const long x : pool.imap(views::iota(1) | views::transform(element_of<T>), number)) {
    got.push_back(x);
    if (got.size() == 3) break;
  }
  EXPECT_EQ(got, expected);
}

template <class Pool, class T>
void slices_of_it(Pool& pool) {
  const std::vector<T> kept = elements<T>();
  const auto last = [](std::span<const T> slice) { return number_of(slice.back()); };
  EXPECT_EQ(pool.map(forkful::slices(kept, 2), last), (values{2, 3}));
  EXPECT_EQ(pool.map(forkful::slices_of(kept, 1), last), (values{1, 2, 3}));
  EXPECT_EQ(pool.map(forkful::zip(forkful::slices(kept, 2), kept),
                     [](std::span<const T> slice, const T& x) { return number_of(slice.back()) * number_of(x); }),
            (values{2, 6}));
  values got;
  for (const long x : pool.imap(forkful::slices(kept, 3), last)) got.push_back(x);
  EXPECT_EQ(got, (values{1, 2, 3}));
}

// As results, arguments, what is updated and what is submitted.
template <class Pool, class T>
void elsewhere(Pool& pool) {
  const std::vector<T> results = pool.map(std::vector<int>{1, 2}, [](int n) { return element_of<T>(n); });
  EXPECT_EQ(number_of(results.at(1)), 2);
  EXPECT_EQ(number_of(pool.try_map(std::vector<int>{1, 2}, [](int n) { return element_of<T>(n); }).at(1).value()), 2);
  for (const auto& [index, x] : pool.imap_unordered(std::vector<int>{0, 1}, [](int n) { return element_of<T>(n); }))
    EXPECT_EQ(number_of(x), static_cast<long>(index));
  EXPECT_EQ(
      pool.map(std::vector<int>{1}, [](int n, const T& x) { return n + number_of(x); }, element_of<T>(5)), (values{6}));
  std::vector<T> kept = elements<T>();
  pool.update(kept, [](T& x) { x = element_of<T>(static_cast<int>(number_of(x)) * 10); });
  EXPECT_EQ(number_of(kept.at(2)), 30);
  EXPECT_EQ(pool.submit([](const T& x) { return number_of(x); }, element_of<T>(7)).get(), 7);
  EXPECT_EQ(number_of(pool.submit([](const T& x) { return x; }, kept.at(0)).get()), 10);
  EXPECT_EQ(
      pool.submit([](const T& x, const T& y) { return number_of(x) + number_of(y); }, kept.at(0), kept.at(1)).get(),
      30);
  using row = std::tuple<T, int>;
  EXPECT_EQ(
      pool.starmap(std::vector<row>{row(element_of<T>(4), 5)}, [](const T& x, int n) { return number_of(x) + n; }),
      (values{9}));
}

template <class T>
void everything_about() {
  forkful::thread_pool threads(2U);
  ranges_of<forkful::thread_pool, T>(threads);
  slices_of_it<forkful::thread_pool, T>(threads);
  elsewhere<forkful::thread_pool, T>(threads);
  if constexpr (!std::is_same_v<T, std::any>) {
    forkful::process_pool processes(2U);
    ranges_of<forkful::process_pool, T>(processes);
    slices_of_it<forkful::process_pool, T>(processes);
    elsewhere<forkful::process_pool, T>(processes);
  }
}

}  // namespace forkful_tests
