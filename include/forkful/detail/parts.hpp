// What the slices of a range are made of, and which part (arrival.hpp, plan.hpp) brings each piece of one to the callable: by its
// type, and by whether it is sent.
#pragma once

#include <forkful/detail/lazy.hpp>
#include <forkful/detail/plan.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

// ---- What kind of range it is ----

template <class Range>
inline constexpr bool is_zip = false;
template <class... R>
inline constexpr bool is_zip<zip_range<R...>> = true;
template <class Range>
inline constexpr bool is_slices = false;
template <class R>
inline constexpr bool is_slices<slice_range<R>> = true;

template <class Range>
concept contiguous = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>;

/// Its type alone says that its elements lie in shared memory. (Not so a shared_string: a short one holds its letters itself.)
template <class Range>
inline constexpr bool surely_shared =
    contiguous<Range> && (is_shared_handle<std::remove_cv_t<Range>> ||
                          (allocates_shared<std::remove_cv_t<Range>> && !is_string<std::remove_cv_t<Range>>));
template <class R>
inline constexpr bool surely_shared<slice_range<R>> = surely_shared<std::remove_reference_t<R>>;

/// It may; the addresses will show when the call starts.
template <class Container>
inline constexpr bool shared_by_address =
    surely_shared<Container> || is_span<std::remove_cv_t<Container>> ||
    (is_string<std::remove_cv_t<Container>> && allocates_shared<std::remove_cv_t<Container>>);
template <class Range>
inline constexpr bool may_be_shared = shared_by_address<Range> || is_span<std::ranges::range_value_t<Range>>;
template <class R>
inline constexpr bool may_be_shared<slice_range<R>> = shared_by_address<std::remove_reference_t<R>>;
/// A concept, so that the compiler names the range.
template <class Range>
concept can_be_changed_in_place = may_be_shared<Range>;

/// Several of its elements share a word: a std::vector<bool>, alone or in a zip.
template <class Range>
inline constexpr bool packs_bits = std::is_same_v<std::ranges::range_reference_t<Range>, std::vector<bool>::reference>;
template <class... R>
inline constexpr bool packs_bits<zip_range<R...>> = (packs_bits<std::remove_cvref_t<R>> || ...);

// ---- Its parts ----

template <class T>
T* if_shared(T* data, std::size_t count) noexcept {
  return in_shared_memory(data, count * sizeof(T)) ? data : nullptr;
}

/// `Alone`: nothing else is encoded into the same frame.
template <bool Ships, bool Alone, class Range>
auto part_of(const indexed<Range>& range) {
  using bare = std::remove_cvref_t<Range>;
  using value = typename indexed<Range>::value_type;
  if constexpr (!Ships) {
    return present_part<Range>{&range};
  } else if constexpr (std::is_same_v<bare, index_range>) {
    return counted_part{};
  } else if constexpr (is_slices<bare>) {
    using element = typename bare::element;
    constexpr bool streams = !Alone || !bitwise<std::remove_const_t<element>>;
    const auto& cut = range.range();
    sliced_part<element, may_be_shared<bare>, streams> made{nullptr, cut.cut()};
    if constexpr (shareable<std::remove_const_t<element>>) made.base = detail::if_shared(cut.data(), cut.elements());
    return made;
  } else if constexpr (contiguous<Range> && bitwise<value> && alignof(value) <= most_alignment &&
                       (Alone || surely_shared<bare>)) {
    auto* const data = std::ranges::data(range.range());
    return flat_part<std::remove_pointer_t<decltype(data)>>{detail::if_shared(data, range.size())};
  } else if constexpr (surely_shared<bare>) {
    auto* const data = std::ranges::data(range.range());
    return shared_part<std::remove_pointer_t<decltype(data)>>{data};
  } else if constexpr (contiguous<Range> && coded_part<value>::placeable &&
                       !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>) {
    return coded_part<value>{detail::if_shared(std::ranges::data(range.range()), range.size())};
  } else {
    return coded_part<value>{};
  }
}

/// One member of slices that are tuples.
template <bool Ships, std::size_t K, class Member, class Range>
auto member_part(const indexed<Range>& range) {
  if constexpr (is_by_address<Member>) {
    using object = std::remove_reference_t<decltype(*std::declval<Member&>().to)>;
    if constexpr (Ships)
      return coded_addressed<object>{};
    else
      return present_addressed<Range, K, object>(&range);
  } else if constexpr (Ships) {
    return coded_part<Member>{};
  } else {
    return present_member<Range, K>{&range};
  }
}

template <bool Ships, bool Star, class Range>
auto parts_of(const indexed<Range>& range) {
  using bare = std::remove_cvref_t<Range>;
  using value = typename indexed<Range>::value_type;
  if constexpr (is_zip<bare>) {
    return std::apply([](const auto&... each) { return std::tuple{detail::part_of<Ships, false>(each)...}; },
                      range.range().parts());
  } else if constexpr (Star) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      return std::tuple{detail::member_part<Ships, K, std::remove_cvref_t<std::tuple_element_t<K, value>>>(range)...};
    }(std::make_index_sequence<std::tuple_size_v<value>>{});
  } else {
    return std::tuple{detail::part_of<Ships, true>(range)};
  }
}

}  // namespace detail
}  // namespace forkful
