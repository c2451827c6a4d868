// Bytes of a call: what it copies, what workers reach without a copy. For the report, and to bound chunks.
#pragma once

#include <forkful/detail/parts.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

template <class T>
std::size_t bytes_shared_by(const T& argument) noexcept;

/// What workers reach of a range, or of an argument, in shared memory.
template <class T>
std::size_t bytes_shared(const T& range) noexcept {
  if constexpr (is_pulled<T>) {
    return 0;  // not read yet
  } else if constexpr (is_zip<T>) {
    return std::apply([](const auto&... each) { return (bytes_shared(each.range()) + ... + 0); }, range.parts());
  } else if constexpr (is_slices<T>) {
    const std::size_t bytes = range.elements() * sizeof(typename T::element);
    return in_shared_memory(range.data(), bytes) ? bytes : 0;
  } else if constexpr (contiguous<const T>) {
    const std::size_t bytes = std::ranges::size(range) * sizeof(*std::ranges::data(range));
    return in_shared_memory(std::ranges::data(range), bytes) ? bytes : 0;
  } else {
    return 0;
  }
}
template <class T>
std::size_t bytes_shared_by(const T& argument) noexcept {
  if constexpr (is_by_address<T>) {
    return bytes_shared(*argument.to);
  } else if constexpr (is_handle<T>) {
    return handle_codec<T>::describe(argument).size * sizeof(typename handle_codec<T>::element);
  } else if constexpr (is_span<T> || is_string_view<T>) {
    return bytes_shared(argument);
  } else {
    return 0;
  }
}

/// The same of the slices of a verb: of submit, the arguments that are its one slice.
template <verb Verb, class Range>
std::size_t bytes_shared_by_slices(const Range& range) noexcept {
  if constexpr (Verb == verb::call) {
    return std::apply([](const auto&... each) { return (bytes_shared_by(each) + ... + 0); }, range[0]);
  } else {
    return bytes_shared(range);
  }
}

/// About how much one slice takes when it is copied, judged by the first.
/// `Sent`: slices are encoded; `first` is the part that brings them.
template <bool Isolated, bool Sent, class Range, class Part>
std::size_t bytes_of_slice(const indexed<Range>& range, const Part& first) {
  using range_type = std::remove_cvref_t<Range>;
  using value = typename indexed<Range>::value_type;
  if constexpr (is_pulled<range_type>) return Isolated ? sizeof(value) + (bitwise<value> ? 0 : 64) : 0;
  if (!Sent || range.size() == 0 || !first.encoded()) return 0;
  if constexpr (is_slices<range_type>) {
    return range.range().elements() / range.size() * sizeof(typename range_type::element) + 1;
  } else if constexpr (bitwise<value>) {
    return sizeof(value);
  } else if constexpr (requires(const value& slice) {
                         slice.size();
                         *slice.begin();
                       }) {
    return range[0].size() * sizeof(*range[0].begin()) + 8;
  } else {
    return sizeof(value);
  }
}

}  // namespace detail
}  // namespace forkful
