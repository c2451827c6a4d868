// What a call may not do, found when it is made: change slices where workers would change a copy, send what cannot travel.
//
// What types show is refused by the compiler; what addresses show, by an exception.
#pragma once

#include <forkful/detail/inner_spans.hpp>
#include <forkful/detail/parts.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

template <class Part>
constexpr void check_part() {
  using value = typename Part::value_type;
  if constexpr (Part::encodes && is_span<value>)
    require_travels<std::remove_const_t<typename value::element_type>>();
  else if constexpr (Part::encodes)
    require_travels<value>();
}

/// The refusals of one call whose workers are other processes. `Plan` knows which parts of its slices the callable changes.
template <verb Verb, bool Star, class Range, class Callable, class Parts, class Plan>
class refusals {
  using range_type = std::remove_cvref_t<Range>;
  template <std::size_t K>
  static constexpr bool changes = Plan::template wants<K> == parameter_kind::change;

 public:
  /// Changing slices needs memory that workers share. (A copy made for a map is the callable's own.)
  template <std::size_t K>
  static void check_change(const indexed<Range>& range) {
    using part = std::tuple_element_t<K, Parts>;
    constexpr bool of_span = is_span<typename part::value_type>;
    if constexpr (changes<K> && (Verb == verb::for_each || (of_span && Verb != verb::update))) {
      if constexpr (Star || is_pulled<range_type>) {
        // check_slices looks at each
      } else if constexpr (is_zip<range_type>) {
        using component = std::remove_cvref_t<decltype(std::get<K>(range.range().parts()).range())>;
        require_shared<component>(std::get<K>(range.range().parts()));
      } else {
        require_shared<range_type>(range);
      }
    }
  }
  /// Looks at slices [first, last) themselves, where they may hold spans that workers could change.
  template <std::size_t... K>
  static void check_slices(const indexed<Range>& range, std::size_t first, std::size_t last,
                           std::index_sequence<K...> /*parts*/) {
    if constexpr (Verb != verb::probe && (looks_at<K> || ...)) {
      for (std::size_t i = first; i < last; ++i) (check_slice<K>(range, i), ...);
    }
  }
  template <std::size_t K>
  static constexpr bool is_changed_span =
      (Star || is_pulled<range_type>) && is_span<typename std::tuple_element_t<K, Parts>::value_type> && changes<K>;
  template <std::size_t K>
  static constexpr bool looks_at =
      is_changed_span<K> || holds_mutable_span<typename std::tuple_element_t<K, Parts>::value_type>;
  template <std::size_t K>
  static void check_slice(const indexed<Range>& range, std::size_t i) {
    if constexpr (looks_at<K>) {
      if constexpr (is_zip<range_type>) {
        check_part_of_slice<K>(std::get<K>(range.range().parts())[i]);
      } else if constexpr (Star) {
        const auto& slice = range[i];
        check_part_of_slice<K>(std::get<K>(slice));
      } else {
        check_part_of_slice<K>(range[i]);
      }
    }
  }
  template <std::size_t K, class Slice>
  static void check_part_of_slice(const Slice& slice) {
    if constexpr (is_changed_span<K>) check_span(slice);
    check_inner_spans(slice);
  }
  template <class T>
  static void check_inner_spans(const T& value) {
    if constexpr (holds_mutable_span<T>) {
      if (!detail::inner_spans_are_shared(value)) throw_inner_span_not_shared(name_of_verb(), type_name<T>());
    }
  }
  /// A span that is an argument of its own, or a member of a tuple.
  template <class Span>
  static void check_span(const Span& span) {
    if (!span.empty() && detail::if_shared(span.data(), span.size()) == nullptr)
      throw_argument_not_shared(name_of_verb());
  }
  static constexpr const char* name_of_verb() noexcept {
    // clang-format off
    switch (Verb) {
      case verb::call: return "submit";
      case verb::for_each: return "for_each";
      case verb::update: return "update";
      case verb::into: return "map_into";
      case verb::fold: return "transform_reduce";
      default: return Star ? "starmap" : "map";
    }
    // clang-format on
  }
  /// A broadcast span that the callable may write through.
  template <std::size_t... B, class... A>
  static void check_arguments(const std::tuple<const A&...>& args, std::index_sequence<B...> /*args*/) {
    (check_argument<B>(std::get<B>(args)), ...);
  }
  template <std::size_t B, class Argument>
  static void check_argument(const Argument& argument) {
    if constexpr (Verb != verb::probe) check_inner_spans(argument);
    if constexpr (is_span<Argument> && signature<Callable>::known && Verb != verb::probe) {
      using parameters = typename signature<Callable>::parameters;
      constexpr std::size_t at = std::tuple_size_v<Parts> + B;
      if constexpr (at < std::tuple_size_v<parameters>) {
        using parameter = std::remove_cvref_t<typename std::tuple_element_t<at, parameters>::type>;
        if constexpr (is_span<parameter>) {
          if constexpr (!std::is_const_v<typename parameter::element_type>) check_span(argument);
        }
      }
    }
  }
  template <class Component, class Indexed>
  static void require_shared(const Indexed& range) {
    static_assert(can_be_changed_in_place<Component>,
                  "forkful: this callable changes its slices, but they lie in ordinary memory, where workers would "
                  "change a copy: keep them in a forkful::shared_vector, or use update(), which copies the changed "
                  "slices back");
    if constexpr (!surely_shared<Component> && may_be_shared<Component>) {
      constexpr const char* name = Verb == verb::for_each ? "for_each" : "map";
      if constexpr (is_slices<Component>) {
        if (range.range().elements() != 0 &&
            detail::if_shared(range.range().data(), range.range().elements()) == nullptr)
          throw_not_shared(name);
      } else if constexpr (is_span<std::ranges::range_value_t<Component>>) {
        for (std::size_t i = 0; i < range.size(); ++i) {
          const auto one = range[i];
          if (!one.empty() && detail::if_shared(one.data(), one.size()) == nullptr) throw_not_shared(name);
        }
      } else {
        if (range.size() != 0 && detail::if_shared(std::ranges::data(range.range()), range.size()) == nullptr)
          throw_not_shared(name);
      }
    }
  }
};

}  // namespace detail
}  // namespace forkful
