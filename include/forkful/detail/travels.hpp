// What may travel, and the sentence with which the compiler refuses the rest.
//
// Owns nothing; compile time only.
// A refusal names the innermost type at fault: the compiler shows it as `Culprit`, before the sentence and right behind it.
#pragma once

#include <forkful/detail/kinds.hpp>
#include <type_traits>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

enum class refusal {
  none,
  pointer,
  text_pointer,
  code,
  polymorphic,
  result_view,
  stale_codec,
  base,
  members,
  opaque,
  union_member,
  order,
  array_member,
  not_copied,
  directory_entry
};

template <refusal Why, class Culprit>
struct verdict {
  static constexpr refusal why = Why;
  using culprit = Culprit;
};

// The first refusal in reading order.
template <refusal A, class X, refusal B, class Y>
constexpr auto operator&(verdict<A, X>, verdict<B, Y>) {
  if constexpr (A != refusal::none)
    return verdict<A, X>{};
  else
    return verdict<B, Y>{};
}

template <class T>
concept owns_by_pointer = requires(const T& p) {
  typename T::element_type;
  p.get();
};

template <class T>
inline constexpr bool is_text_pointer = false;
template <class T>
inline constexpr bool is_text_pointer<T*> =
    std::is_same_v<std::remove_cv_t<T>, char> || std::is_same_v<std::remove_cv_t<T>, wchar_t>;
template <class T>
inline constexpr bool points_at_code = std::is_member_pointer_v<T> || std::is_function_v<std::remove_pointer_t<T>>;

// A program that includes <functional> or <filesystem> knows these; their headers would make every user pay for them.
template <class T>
concept reference_wrapper_like = in_std<T> && type_name<T>().starts_with("std::reference_wrapper<");
template <class T>
concept directory_entry_like = in_std<T> && type_name<T>().ends_with("directory_entry");

template <class T>
constexpr refusal why_none() {
  // clang-format off
  if constexpr (is_text_pointer<T>) return refusal::text_pointer;
  else if constexpr (points_at_code<T>) return refusal::code;
  else if constexpr (points<T> || std::is_unbounded_array_v<T> || owns_by_pointer<T>) return refusal::pointer;
  else if constexpr (reference_wrapper_like<T>) return refusal::pointer;
  else if constexpr (directory_entry_like<T>) return refusal::directory_entry;
  else if constexpr (in_std<T> && !std::is_move_constructible_v<T>) return refusal::not_copied;
  else if constexpr (std::is_polymorphic_v<T>) return refusal::polymorphic;
  else if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T>) return refusal::opaque;
  else if constexpr (has_base<T>()) return refusal::base;
  else if constexpr (field_count<T> <= most_fields) return refusal::union_member;
  else return refusal::members;
  // clang-format on
}

template <class T, bool Result, class... Seen>
constexpr auto examine();

template <class T, bool Result, class... Seen>
struct examiner {
  template <template <class...> class List, class... E>
  constexpr auto operator()(std::type_identity<List<E...>>) const {
    return (verdict<refusal::none, T>{} & ... & examine<E, Result, Seen..., T>());
  }
};

// An aggregate is rebuilt from its members; a C array among them can only be filled in afterwards.
template <class T>
inline constexpr bool has_array_member = false;
template <class... F>
inline constexpr bool has_array_member<type_list<F...>> = (std::is_array_v<F> || ...);
template <class T>
inline constexpr bool assignable_members = false;
template <class... F>
inline constexpr bool assignable_members<type_list<F...>> =
    (std::is_move_assignable_v<std::remove_all_extents_t<F>> && ...);

/// Examines T and everything in it.
/// Seen are the types it was found in: a type met again inside itself (a tree) adds nothing.
template <class Cv, bool Result, class... Seen>
constexpr auto examine() {
  using T = std::remove_cv_t<Cv>;
  if constexpr ((std::is_same_v<T, Seen> || ...)) {
    return verdict<refusal::none, T>{};
  } else {
    constexpr kind k = kind_of<T>;
    if constexpr (k == kind::user) {
      return verdict<codec_usable<T> ? refusal::none : refusal::stale_codec, T>{};
    } else if constexpr (k == kind::text_view) {
      return verdict<Result ? refusal::result_view : refusal::none, T>{};
    } else if constexpr (is_initializer_list<T>) {
      return verdict<Result ? refusal::result_view : refusal::pointer, T>{};
    } else if constexpr (k == kind::span) {
      if constexpr (Result)
        return verdict<refusal::result_view, T>{};
      else
        return examine<typename T::element_type, Result, Seen..., T>();
    } else if constexpr (k == kind::sequence || k == kind::optional) {
      return examine<typename T::value_type, Result, Seen..., T>();
    } else if constexpr (k == kind::array) {
      return examine<std::remove_cvref_t<decltype(std::declval<T&>()[0])>, Result, Seen..., T>();
    } else if constexpr (k == kind::set || k == kind::map) {
      if constexpr (!orders<T>::stateless)
        return verdict<refusal::order, typename orders<T>::first>{};
      else
        return examine<typename T::value_type, Result, Seen..., T>();
    } else if constexpr (k == kind::variant || k == kind::tuple) {
      return examiner<T, Result, Seen...>{}(std::type_identity<T>{});
    } else if constexpr (k == kind::aggregate) {
      if constexpr (has_array_member<field_types<T>> &&
                    !(std::is_default_constructible_v<T> && assignable_members<field_types<T>>)) {
        return verdict<refusal::array_member, T>{};
      } else {
        return examiner<T, Result, Seen...>{}(std::type_identity<field_types<T>>{});
      }
    } else if constexpr (k == kind::none) {
      return verdict<why_none<T>(), T>{};
    } else {
      return verdict<refusal::none, T>{};
    }
  }
}

template <class T>
using verdict_on_value = decltype(examine<T, false>());
template <class R>
using verdict_on_result = decltype(examine<R, true>());

/// True if a T can be encoded in one process and decoded in another.
template <class T>
inline constexpr bool travels = verdict_on_value<T>::why == refusal::none;

/// True if T only points at data it does not own.
template <class T>
inline constexpr bool is_view = std::is_pointer_v<T> || is_string_view<std::remove_cv_t<T>> ||
                                is_span<std::remove_cv_t<T>> || is_initializer_list<std::remove_cv_t<T>>;

/// A concept, so that the compiler names the type right behind the sentence.
template <class Culprit, refusal Why, refusal Sentence>
concept can_travel = Why != Sentence;

/// Fails to compile, with the reason why Culprit cannot travel.
template <class Culprit, refusal Why>
constexpr void refuse() {
  // clang-format off
  static_assert(can_travel<Culprit, Why, refusal::pointer>,
      "forkful: this type cannot travel to another process: it has a raw pointer or reference member, or owns through a pointer, "
      "and what that points at stays behind: hold the data itself, or keep it in shared memory (forkful::shared_vector) and pass "
      "that or a std::span of it, or give the type a forkful::codec<T>");
  static_assert(can_travel<Culprit, Why, refusal::text_pointer>,
      "forkful: a pointer to characters cannot travel to another process, where its text is not: use std::string, also in a list: "
      "std::vector<std::string>{\"a\", \"b\"} instead of {\"a\", \"b\"}");
  static_assert(can_travel<Culprit, Why, refusal::code>,
      "forkful: a pointer to a function or a member cannot travel as data: pass a number or an enum that says which one is meant, "
      "and choose in the callable, or make it the callable");
  static_assert(can_travel<Culprit, Why, refusal::polymorphic>,
      "forkful: this type cannot travel to another process: it has virtual functions, so that an object of it may be a part of one "
      "of another class: keep the alternatives in a std::variant, or give the type a forkful::codec<T> that knows the classes");
  static_assert(can_travel<Culprit, Why, refusal::result_view>,
      "forkful: a result must own its data: return std::string instead of std::string_view, std::vector<T> instead of "
      "std::span<T> or std::initializer_list<T>, and a value instead of a pointer or reference");
  static_assert(can_travel<Culprit, Why, refusal::stale_codec>,
      "forkful: this type's forkful::codec<T> is not complete: it needs static void write(forkful::sink&, const T&) and "
      "static T read(forkful::source&)");
  static_assert(can_travel<Culprit, Why, refusal::base>,
      "forkful: this type cannot travel to another process: it has a base class, so forkful cannot see all of it: hold "
      "the base as a member, or give the type a forkful::codec<T>");
  static_assert(can_travel<Culprit, Why, refusal::members>,
      "forkful: this type cannot travel to another process: it has more than 32 members, or members that cannot be counted: "
      "group them into structs, or give the type a forkful::codec<T>");
  static_assert(can_travel<Culprit, Why, refusal::opaque>,
      "forkful: this type cannot travel to another process: forkful cannot see what its private members or union hold: "
      "give it a forkful::codec<T>, or, if it is trivially copyable and holds no pointers, set forkful::enable_bitwise<T> to true");
  static_assert(can_travel<Culprit, Why, refusal::union_member>,
      "forkful: this type cannot travel to another process: it has a union among its members, and forkful cannot see which of its "
      "members is alive: use std::variant, or give the type a forkful::codec<T>, or, if it is trivially copyable and holds no "
      "pointers, set forkful::enable_bitwise<T> to true");
  static_assert(can_travel<Culprit, Why, refusal::order>,
      "forkful: this container cannot travel to another process: its comparator or hash has state that would be lost: "
      "use a stateless function object such as std::less<>, or wrap it in a type with a forkful::codec<T>");
  static_assert(can_travel<Culprit, Why, refusal::array_member>,
      "forkful: this type cannot travel to another process: it has a C array member, but no default constructor and assignment "
      "to fill it by: use std::array, or give the type a forkful::codec<T>");
  static_assert(can_travel<Culprit, Why, refusal::not_copied>,
      "forkful: this type cannot travel to another process: it is one that nobody may copy or move (an atomic, a mutex), because "
      "it works only where it is: keep what has it in shared memory (forkful::shared<T>, forkful::shared_vector<T>; atomics may lie "
      "there) and change it in place, or pass its value");
  static_assert(can_travel<Culprit, Why, refusal::directory_entry>,
      "forkful: a directory_entry cannot travel to another process: take its path: entry.path(), for all of a range with "
      "std::views::transform([](const auto& entry) { return entry.path(); })");
  // clang-format on
}

/// Compiles if T travels; otherwise the error is one sentence and names the part of T at fault.
template <class T>
constexpr void require_travels() {
  using found = verdict_on_value<T>;
  if constexpr (found::why != refusal::none) refuse<typename found::culprit, found::why>();
}

/// Compiles if R travels and owns all of its data (or is void).
template <class R>
constexpr void require_result() {
  if constexpr (std::is_void_v<R>)
    return;
  else if constexpr (is_view<R> || std::is_reference_v<R>)
    refuse<R, refusal::result_view>();
  else {
    using found = verdict_on_result<R>;
    if constexpr (found::why != refusal::none) refuse<typename found::culprit, found::why>();
  }
}

}  // namespace detail
}  // namespace forkful
