// Spans of elements that can be changed, inside slices and arguments: on pools of processes they must point into shared
// memory, or a worker would change a copy and the caller would not see it.
//
// Owns nothing. What a type may hold is found out when it is compiled; values are only looked at where it may.
#pragma once

#include <forkful/detail/travels.hpp>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

template <class Cv, class... Seen>
constexpr bool finds_mutable_span();

template <class T, class... Seen>
struct span_finder {
  template <template <class...> class List, class... E>
  constexpr bool operator()(std::type_identity<List<E...>> /*members*/) const {
    return (finds_mutable_span<E, Seen..., T>() || ...);
  }
};

/// Seen are the types it was found in, as in `examine`.
template <class Cv, class... Seen>
constexpr bool finds_mutable_span() {
  using T = std::remove_cv_t<Cv>;
  if constexpr ((std::is_same_v<T, Seen> || ...)) {
    return false;
  } else {
    constexpr kind k = kind_of<T>;
    if constexpr (k == kind::span)
      return !std::is_const_v<typename T::element_type> || finds_mutable_span<typename T::element_type, Seen..., T>();
    else if constexpr (k == kind::sequence || k == kind::optional || k == kind::set || k == kind::map)
      return finds_mutable_span<typename T::value_type, Seen..., T>();
    else if constexpr (k == kind::array)
      return finds_mutable_span<std::remove_cvref_t<decltype(std::declval<T&>()[0])>, Seen..., T>();
    else if constexpr (k == kind::variant || k == kind::tuple)
      return span_finder<T, Seen...>{}(std::type_identity<T>{});
    else if constexpr (k == kind::aggregate)
      return span_finder<T, Seen...>{}(std::type_identity<field_types<T>>{});
    else
      return false;
  }
}

/// Whether a T may hold a span of mutable elements; a span itself: whether its elements may.
template <class T>
inline constexpr bool holds_mutable_span = finds_mutable_span<T>();
template <class E, std::size_t N>
inline constexpr bool holds_mutable_span<std::span<E, N>> = finds_mutable_span<E>();

/// Calls each(span) with every span of mutable elements in the value; `inner` says whether the value is part of another.
template <class T, class Each>
void for_each_mutable_span(const T& value, const Each& each, bool inner) {
  constexpr kind k = kind_of<T>;
  const auto look_into = [&each](const auto& part) { detail::for_each_mutable_span(part, each, true); };
  if constexpr (!finds_mutable_span<T>()) {
    return;
  } else if constexpr (k == kind::span) {
    if constexpr (!std::is_const_v<typename T::element_type>) {
      if (inner) each(value);
    }
    if constexpr (holds_mutable_span<T>) {
      for (const auto& element : value) look_into(element);
    }
  } else if constexpr (k == kind::optional) {
    if (value) look_into(*value);
  } else if constexpr (k == kind::variant) {
    if (!value.valueless_by_exception()) std::visit(look_into, value);
  } else if constexpr (k == kind::tuple) {
    std::apply([&look_into](const auto&... part) { (look_into(part), ...); }, value);
  } else if constexpr (k == kind::aggregate) {
    detail::for_each_field(value, look_into);
  } else {
    for (const auto& element : value) look_into(element);
  }
}

/// True if every span of mutable elements inside of the value points into shared memory.
template <class T>
bool inner_spans_are_shared(const T& value) {
  bool all = true;
  detail::for_each_mutable_span(
      value,
      [&all](const auto& span) { all = all && (span.empty() || in_shared_memory(span.data(), span.size_bytes())); },
      false);
  return all;
}

}  // namespace detail
}  // namespace forkful
