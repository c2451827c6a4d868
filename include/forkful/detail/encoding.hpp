// Slices on their way into a frame, part by part.
#pragma once

#include <forkful/detail/parts.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

template <class Part, class Range>
void encode_part(const Part& part, const indexed<Range>& range, std::size_t i, sink& out) {
  if constexpr (Part::encodes && Part::streams) {
    if (!part.encoded()) return;
    if constexpr (is_slices<std::remove_cvref_t<Range>>)
      Part::encode(range.range(), i, out);
    else
      Part::encode(range, i, out);
  }
}

/// Slices [first, last), each in its parts. Returns the bytes of it that were copied data.
template <bool Star, class Range, class... Part>
std::size_t encode_slices(const indexed<Range>& range, const std::tuple<Part...>& parts, std::size_t first,
                          std::size_t last, sink& out) {
  using range_type = std::remove_cvref_t<Range>;
  if constexpr (sizeof...(Part) != 0) {
    using first_part = std::tuple_element_t<0, std::tuple<Part...>>;
    if constexpr (is_zip<range_type>) {
      for (std::size_t i = first; i < last; ++i) {
        [&]<std::size_t... K>(std::index_sequence<K...>) {
          (detail::encode_part(std::get<K>(parts), std::get<K>(range.range().parts()), i, out), ...);
        }(std::make_index_sequence<sizeof...(Part)>{});
      }
    } else if constexpr (Star) {
      for (std::size_t i = first; i < last; ++i) {
        std::apply([&](const auto&... member) { (out.write(member), ...); }, range[i]);
      }
    } else if constexpr (first_part::streams) {
      for (std::size_t i = first; i < last; ++i) detail::encode_part(std::get<0>(parts), range, i, out);
    } else if constexpr (first_part::encodes && is_slices<range_type>) {
      first_part::encode(range.range(), first, last, out);
    } else if constexpr (first_part::encodes) {
      first_part::encode(range, first, last, out);
    }
  }
  return out.copied();
}

}  // namespace detail
}  // namespace forkful
