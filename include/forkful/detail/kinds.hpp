// How each type travels from one process to another: the one classification that codec, pools and shared memory share.
//
// Owns nothing; compile time only. Invariants:
// 1. `kind_of<T>` is the only place that decides how a T travels. Order: user codec, handle, bitwise, string and path,
//    views, containers, optional and variant, tuple and pair, aggregate.
// 2. A type is bitwise only if every byte of it means the same in another process: no pointer, reference or view
//    inside.
// Containers, chrono, complex, bitset and path are recognised by their shape and by living in namespace std, because
// including all their headers would make every user pay for them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <forkful/detail/fields.hpp>
#include <forkful/detail/standard_library.hpp>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace [[gnu::visibility("default")]] forkful {

class sink;
class source;

/// Specialise this for a type of yours that forkful cannot take apart (private members, bases, pointers):
///
///     template <> struct forkful::codec<polygon> {
///       static void write(forkful::sink& out, const polygon& p) { out.write(p.name()); out.write(p.points()); }
///       static polygon read(forkful::source& in) {
///         auto name = in.read<std::string>();
///         return polygon(std::move(name), in.read<std::vector<point>>());
///       }
///     };
///
/// `read` must read the same types in the same order as `write` wrote. Both may throw; the exception reaches the caller
/// of the verb. A specialisation always wins over what forkful would do by itself.
template <class T>
struct codec;

/// Set to true for a trivially copyable class with private members that holds no pointers, references or handles: its
/// bytes are then copied as they are.
template <class T>
inline constexpr bool enable_bitwise = false;

namespace detail {

/// The name of T as the compiler spells it, in static storage.
template <class T>
constexpr std::string_view type_name() noexcept;

template <class T>
constexpr std::string_view raw_type_name() noexcept {
  return __PRETTY_FUNCTION__;
}

template <class T>
constexpr std::string_view type_name() noexcept {
  constexpr std::string_view probe = raw_type_name<int>();
  constexpr std::size_t before = probe.find("T = int") + 4;
  constexpr std::size_t after = probe.size() - before - 3;
  constexpr std::string_view whole = raw_type_name<T>();
  return whole.substr(before, whole.size() - before - after);
}

template <class T>
concept in_std = type_name<T>().starts_with("std::");

// ---- handles into shared memory (specialised by shared.hpp) ----

/// What a handle is on the way: where its elements are, in shared memory.
struct handle {
  void* data = nullptr;
  std::size_t size = 0;      // elements
  std::size_t capacity = 0;  // elements; what an adopter will free
};

/// How an owner of shared memory travels. shared.hpp specialises it for shared_vector<T> and shared<T> as
///
///     template <class T> struct handle_codec<shared_vector<T>> {
///       using element = T;
///       static handle describe(const shared_vector<T>& value) noexcept;      // may be empty: {nullptr, 0, 0}
///       static void release(shared_vector<T>& value) noexcept;               // forget the contents, free nothing
///       static shared_vector<T> borrow(handle) noexcept;                     // frees nothing when it dies
///       static shared_vector<T> adopt(handle) noexcept;                      // this process now owns the contents
///     };
///
/// The codec has checked the handle's bounds before borrow or adopt sees it. For shared<T>: size and capacity are 1 (0
/// if empty).
template <class T>
struct handle_codec;

/// True if address .. address + bytes lies in memory shared by forkful's processes. Never faults.
bool in_shared_memory(const void* address, std::size_t bytes) noexcept;

/// The allocated block of shared memory that `address` lies in; empty if there is none. Never faults. Nothing that was made
/// in shared memory is larger than its block.
std::span<std::byte> shared_block(const void* address) noexcept;

// ---- shapes ----

template <class T>
inline constexpr bool codec_declared = requires { sizeof(codec<T>); };
template <class T>
inline constexpr bool codec_usable = requires(sink& out, const T& value, source& in) {
  codec<T>::write(out, value);
  { codec<T>::read(in) } -> std::same_as<T>;
};
template <class T>
inline constexpr bool is_handle = requires { sizeof(handle_codec<T>); };

template <class T>
inline constexpr bool is_string = false;
template <class C, class Traits, class A>
inline constexpr bool is_string<std::basic_string<C, Traits, A>> = true;
template <class T>
inline constexpr bool is_string_view = false;
template <class C, class Traits>
inline constexpr bool is_string_view<std::basic_string_view<C, Traits>> = true;
template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t N>
inline constexpr bool is_span<std::span<T, N>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_initializer_list = false;
template <class T>
inline constexpr bool is_initializer_list<std::initializer_list<T>> = true;

template <class T>
concept iterable = in_std<T> && requires(const T& c) {
  typename T::value_type;
  typename T::iterator;
  c.begin();
  c.end();
};
template <class T>
concept path_like = in_std<T> && requires(const T& p) {
  T::preferred_separator;
  p.native();
};
template <class T>
concept keyed = iterable<T> && requires { typename T::key_type; };
template <class T>
concept mapping = keyed<T> && requires { typename T::mapped_type; };
template <class T>
concept linear = iterable<T> && !keyed<T> && (requires(T& c) { c.pop_front(); } || requires(T& c) { c.pop_back(); });
// A set or map made anew has a default comparator or hash: it must be one that carries no state.
template <class T>
struct orders {
  static constexpr bool stateless = true;
};
template <class T>
  requires requires { typename T::key_compare; }
struct orders<T> {
  using first = typename T::key_compare;
  static constexpr bool stateless = std::is_empty_v<first>;
};
template <class T>
  requires requires { typename T::hasher; }
struct orders<T> {
  using first = typename T::hasher;
  static constexpr bool stateless = std::is_empty_v<first> && std::is_empty_v<typename T::key_equal>;
};

// ---- bitwise ----

/// True for everything that is but an address.
template <class T>
inline constexpr bool points = std::is_reference_v<T> || std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
                               std::is_null_pointer_v<T> || std::is_function_v<T>;

// A structured binding cannot list the members of a struct with an anonymous union, and that is no error that `requires` would
// catch. So uncopyable unions are looked for first, by what may initialise a member. What is here is never run.
template <class T>
inline constexpr bool opaque_union = std::is_union_v<T> && !enable_bitwise<T> && !codec_declared<T>;
/// Converts to nothing: a type that takes it takes everything.
struct no_value {};
/// Converts to unions that may not be copied.
struct any_union {
  template <class U>
    requires opaque_union<U>
  operator U() const noexcept {
    __builtin_unreachable();
  }
};
/// Converts to structs whose first member is such a union, also through other structs: an `any_union` initialises it without braces.
struct any_struct_of_union {
  template <class S>
    requires(std::is_class_v<S> && requires { S{any_union{}}; })
  operator S() const noexcept {
    __builtin_unreachable();
  }
};
template <class T, std::size_t N>
consteval bool is_union_member() {
  if constexpr (!more_after<T, N, any_union>())
    return false;
  else
    return !more_after<T, N, any_struct_of_union>() && !more_after<T, N, no_value>();
}
/// True if the aggregate T has a member that is a union, named or not, which may not be copied.
template <class T>
inline constexpr bool has_opaque_union = []<std::size_t... N>(std::index_sequence<N...>) {
  return (is_union_member<T, N>() || ...);
}(std::make_index_sequence<(field_count<T> > most_fields ? 0 : field_count<T>)>{});

template <class T>
constexpr bool is_bitwise();

/// True if T's bytes may be copied into another process as they are.
template <class T>
inline constexpr bool bitwise = is_bitwise<std::remove_cv_t<T>>();

template <class T>
inline constexpr bool all_bitwise = false;
template <template <class...> class List, class... T>
inline constexpr bool all_bitwise<List<T...>> = (bitwise<T> && ...);

template <class T>
concept complex_like = in_std<T> && std::is_trivially_copyable_v<T> && requires(const T& z) {
  { z.real() } -> std::same_as<typename T::value_type>;
  { z.imag() } -> std::same_as<typename T::value_type>;
} && sizeof(T) == 2 * sizeof(typename T::value_type);
template <class T>
concept bitset_like = in_std<T> && std::is_trivially_copyable_v<T> && requires(const T& bits) {
  typename T::reference;
  bits.test(std::size_t{});
  bits.to_ullong();
};
template <class T>
concept chrono_like = std::is_trivially_copyable_v<T> && type_name<T>().starts_with("std::chrono::") &&
                      !type_name<T>().starts_with("std::chrono::zoned");

template <class T>
constexpr bool is_bitwise() {
  // clang-format off
  if constexpr (codec_declared<T>) return false;
  else if constexpr (enable_bitwise<T>) {
    static_assert(std::is_trivially_copyable_v<T>,
                  "forkful: enable_bitwise<T> needs a trivially copyable T: give this type a forkful::codec<T> instead");
    return true;
  }
  else if constexpr (points<T> || std::is_void_v<T> || std::is_unbounded_array_v<T> || std::is_union_v<T>) return false;
  else if constexpr (std::is_bounded_array_v<T>) return bitwise<std::remove_extent_t<T>>;
  else if constexpr (is_std_array<T>) return bitwise<typename T::value_type>;
  // std::pair<int, int> is not trivially copyable, for its assignment only.
  else if constexpr (is_tuple<T>) return std::is_trivially_destructible_v<T> && all_bitwise<T>;
  else if constexpr (!std::is_trivially_copyable_v<T> || !std::is_move_constructible_v<T>) return false;
  else if constexpr (!std::is_class_v<T> || std::is_empty_v<T>) return true;
  else if constexpr (complex_like<T> || bitset_like<T> || chrono_like<T>) return true;
  else if constexpr (!std::is_aggregate_v<T>) return false;
  else if constexpr (has_base<T>() || field_count<T> > most_fields || has_opaque_union<T>) return false;
  else return all_bitwise<field_types<T>>;
  // clang-format on
}

// ---- kinds ----

enum class kind {
  user,
  handle,
  bitwise,
  text,
  path,
  text_view,
  span,
  sequence,
  set,
  map,
  optional,
  variant,
  array,
  tuple,
  aggregate,
  none
};

/// How a T travels; says nothing yet about what is inside it.
template <class T>
constexpr kind classify() {
  // clang-format off
  if constexpr (codec_declared<T>) return kind::user;
  else if constexpr (is_handle<T>) return kind::handle;
  else if constexpr (bitwise<T>) return kind::bitwise;
  else if constexpr (is_string<T>) return kind::text;
  else if constexpr (path_like<T>) return kind::path;
  else if constexpr (is_string_view<T>) return kind::text_view;
  else if constexpr (is_span<T>) return kind::span;
  else if constexpr (std::is_bounded_array_v<T> || is_std_array<T>) return kind::array;
  else if constexpr (linear<T>) return kind::sequence;
  else if constexpr (mapping<T>) return kind::map;
  else if constexpr (keyed<T>) return kind::set;
  else if constexpr (is_optional<T>) return kind::optional;
  else if constexpr (is_variant<T>) return kind::variant;
  else if constexpr (is_tuple<T>) return kind::tuple;
  else if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T> || std::is_array_v<T>) return kind::none;
  else if constexpr (has_base<T>() || field_count<T> > most_fields || has_opaque_union<T>) return kind::none;
  else return kind::aggregate;
  // clang-format on
}
template <class T>
inline constexpr kind kind_of = classify<T>();

}  // namespace detail
}  // namespace forkful
