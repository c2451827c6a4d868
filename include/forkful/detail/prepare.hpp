// From a verb's arguments to a job: chooses the parts for the range and the pool, and checks what the compiler can check.
#pragma once

#include <forkful/by_value.hpp>
#include <forkful/detail/plan.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

template <class F>
struct signature<by_value_callable<F>> : signature<F> {};
template <class F>
struct signature<const by_value_callable<F>> : signature<const F> {};

template <class F>
inline constexpr bool is_by_value = false;
template <class F>
inline constexpr bool is_by_value<by_value_callable<F>> = true;

/// Whether a callable can be sent to workers that already run.
template <class F>
inline constexpr bool ships = (std::is_class_v<F> && std::is_empty_v<F>) ||
                              (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) || is_by_value<F>;

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

/// It may; the addresses will tell when the call starts.
template <class Container>
inline constexpr bool shared_by_address =
    surely_shared<Container> || is_span<std::remove_cv_t<Container>> ||
    (is_string<std::remove_cv_t<Container>> && allocates_shared<std::remove_cv_t<Container>>);
template <class Range>
inline constexpr bool may_be_shared = shared_by_address<Range> || is_span<std::ranges::range_value_t<Range>>;
template <class R>
inline constexpr bool may_be_shared<slice_range<R>> = shared_by_address<std::remove_reference_t<R>>;

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
    sliced_part<element, may_be_shared<bare>, streams> made{nullptr, cut.elements(), cut.size()};
    if constexpr (shareable<std::remove_const_t<element>>) made.base = if_shared(cut.data(), cut.elements());
    return made;
  } else if constexpr (contiguous<Range> && bitwise<value> && alignof(value) <= most_alignment &&
                       (Alone || surely_shared<bare>)) {
    auto* const data = std::ranges::data(range.range());
    return flat_part<std::remove_pointer_t<decltype(data)>>{if_shared(data, range.size())};
  } else if constexpr (surely_shared<bare>) {
    auto* const data = std::ranges::data(range.range());
    return placed_part<std::remove_pointer_t<decltype(data)>>{data};
  } else if constexpr (contiguous<Range> && coded_part<value>::placeable &&
                       !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>) {
    return coded_part<value>{if_shared(std::ranges::data(range.range()), range.size())};
  } else {
    return coded_part<value>{};
  }
}

template <bool Ships, bool Star, class Range>
auto parts_of(const indexed<Range>& range) {
  using bare = std::remove_cvref_t<Range>;
  using value = typename indexed<Range>::value_type;
  if constexpr (is_zip<bare>) {
    return std::apply([](const auto&... each) { return std::tuple{part_of<Ships, false>(each)...}; },
                      range.range().parts());
  } else if constexpr (Star) {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      if constexpr (Ships)
        return std::tuple<coded_part<std::remove_cvref_t<std::tuple_element_t<K, value>>>...>{};
      else
        return std::tuple<present_member<Range, K>...>{present_member<Range, K>{&range}...};
    }(std::make_index_sequence<std::tuple_size_v<value>>{});
  } else {
    return std::tuple{part_of<Ships, true>(range)};
  }
}

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

// ---- What may not be ----

template <class T>
inline constexpr bool is_plain_span = is_span<T>;

template <class Part>
constexpr void check_part() {
  using value = typename Part::value_type;
  if constexpr (Part::encodes && is_span<value>)
    require_travels<std::remove_const_t<typename value::element_type>>();
  else if constexpr (Part::encodes)
    require_travels<value>();
}

// ---- A verb's arguments, ready to run ----

/// `Way` says where slices and callable are (ships) and whether results have to travel (isolated).
template <class Way, verb Verb, bool Star, class Range, class F, class... A>
class prepared {
  static constexpr bool ships = Way::ships;
  static constexpr bool isolated = Way::isolated;
  using sent = std::remove_const_t<F>;
  static_assert(
      !ships || detail::ships<sent>,
      "forkful: a callable with captures cannot be sent to workers that already run: pass what it captures as "
      "arguments after the callable, or use a snapshot_pool, whose workers see everything (by_value(f) promises "
      "that the captures are plain values)");

  using range_type = std::remove_cvref_t<Range>;
  using parts_type = decltype(parts_of<ships, Star>(std::declval<const indexed<Range>&>()));
  using callable_type = std::conditional_t<ships, shipped_callable<sent>, present_callable<F>>;
  using called = std::conditional_t<ships, sent, F>;
  using broadcast = std::conditional_t<ships, shipped_arguments<A...>, present_arguments<A...>>;

  template <class Output, class Parts>
  struct plan_with;
  template <class Output, class... Part>
  struct plan_with<Output, std::tuple<Part...>> {
    using type = plan<Verb, callable_type, called, Output, std::tuple<broadcast_type<A>...>, broadcast, Part...>;
  };
  template <class Output>
  using plan_of = typename plan_with<Output, parts_type>::type;

  template <std::size_t K>
  static constexpr bool changes = plan_of<no_results>::template wants<K> == wish::change;

 public:
  using result = typename plan_of<no_results>::result;
  static_assert(Verb == verb::for_each || !std::is_void_v<result>,
                "forkful: map needs a callable that returns something: use for_each for one that returns nothing");

  /// The caller's object, or the pointer that a function's name turns into.
  using callable_held = std::conditional_t<std::is_pointer_v<F>, F, F&>;

  prepared(Range&& range, callable_held f, const A&... args)
      : range_(std::forward<Range>(range)), parts_(parts_of<ships, Star>(range_)), f_(f), args_(args...) {
    check(std::make_index_sequence<std::tuple_size_v<parts_type>>{});
    job_.slices = range_.size();
  }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return job_.slices; }
  [[nodiscard]] job& work() noexcept { return job_; }
  [[nodiscard]] const indexed<Range>& range() const noexcept { return range_; }

  /// Runs the call. `Output` is where the plan's results go; `collector.collect(settled)` takes them back, if it has that.
  template <class Output, class Collector>
  void run(engine& running, const call_options& options, Output output, Collector* collector) {
    using plan_type = plan_of<Output>;
    if constexpr (!std::is_same_v<Collector, std::nullptr_t>) {
      job_.collect = [](void* self, const settled& what) {
        static_cast<prepared*>(self)->template collected<Collector>(what);
      };
      collector_ = collector;
    }
    job_.caller = this;
    job_.run = plan_type::run;
    if constexpr (ships) {
      if constexpr (std::is_pointer_v<sent>) job_.code = reinterpret_cast<const void*>(f_);
      struct freed {
        segment* frame;
        ~freed() { free_shared_segments(frame); }
      } arguments{encode_arguments()};
      if (encodes(std::make_index_sequence<std::tuple_size_v<parts_type>>{})) {
        job_.encode = [](void* self, std::size_t first, std::size_t last, sink& out) {
          return static_cast<prepared*>(self)->encode(first, last, out);
        };
        job_.skip = plan_type::skip;
      }
      const shared_copy<plan_type> shared(plan_type{{sent(f_)}, parts_, {arguments.frame}, output});
      job_.plan = shared.get();
      run_job(running, job_, options);
    } else {
      const plan_type here{{&f_}, parts_, {args_}, output};
      job_.plan = &here;
      run_job(running, job_, options);
    }
  }

 private:
  template <std::size_t... K>
  void check(std::index_sequence<K...> /*parts*/) {
    if constexpr (ships) {
      (check_part<std::tuple_element_t<K, parts_type>>(), ...);
      (require_travels<broadcast_type<A>>(), ...);
    }
    if constexpr (isolated) {
      if constexpr (Verb == verb::map || Verb == verb::update) require_result<result>();
      (check_change<K>(), ...);
    }
    if constexpr (Verb == verb::for_each) {
      job_.in_place = true;
      job_.mutates = (changes<K> || ...);
      job_.one_at_a_time = !(std::is_arithmetic_v<typename std::tuple_element_t<K, parts_type>::value_type> && ...);
      if constexpr (sizeof...(K) == 1) locate_elements<K...>();
    }
    if constexpr (sizeof...(K) == 1) job_.slice_bytes = bytes_of_slice();
  }

  /// Changing slices needs memory that workers share. (A copy made for a map is the callable's own.)
  template <std::size_t K>
  void check_change() {
    using part = std::tuple_element_t<K, parts_type>;
    constexpr bool of_span = is_span<typename part::value_type>;
    if constexpr (changes<K> && (Verb == verb::for_each || (of_span && Verb != verb::update))) {
      if constexpr (is_zip<range_type>) {
        using component = std::remove_cvref_t<decltype(std::get<K>(range_.range().parts()).range())>;
        require_shared<component>(std::get<K>(range_.range().parts()));
      } else {
        require_shared<range_type>(range_);
      }
    }
  }
  template <class Component, class Indexed>
  static void require_shared(const Indexed& range) {
    static_assert(may_be_shared<Component>,
                  "forkful: this callable changes its slices, but they lie in ordinary memory, where workers would "
                  "change a copy: keep "
                  "them in a forkful::shared_vector, or use update(), which copies the changed slices back");
    if constexpr (!surely_shared<Component> && may_be_shared<Component>) {
      constexpr const char* name = Verb == verb::for_each ? "for_each" : "map";
      if constexpr (is_slices<Component>) {
        if (range.range().elements() != 0 && if_shared(range.range().data(), range.range().elements()) == nullptr)
          throw_not_shared(name);
      } else if constexpr (is_span<std::ranges::range_value_t<Component>>) {
        for (std::size_t i = 0; i < range.size(); ++i) {
          const auto one = range[i];
          if (!one.empty() && if_shared(one.data(), one.size()) == nullptr) throw_not_shared(name);
        }
      } else {
        if (range.size() != 0 && if_shared(std::ranges::data(range.range()), range.size()) == nullptr)
          throw_not_shared(name);
      }
    }
  }

  /// Lets an attempt in place be undone, where the elements are bitwise.
  template <std::size_t K>
  void locate_elements() {
    using value = typename indexed<Range>::value_type;
    if constexpr (isolated && is_slices<range_type>) {
      if constexpr (bitwise<std::remove_cv_t<typename range_type::element>>) {
        job_.locate = [](const void* self, std::size_t first, std::size_t last) {
          const auto& part = part_in(self);
          if constexpr (ships) {
            const std::size_t from = slice_bound(part.elements, part.count, first);
            return bytes_at(part.base + from, slice_bound(part.elements, part.count, last) - from);
          } else {
            const auto& cut = part.range->range();
            const std::size_t from = slice_bound(cut.elements(), cut.size(), first);
            return bytes_at(cut.data() + from, slice_bound(cut.elements(), cut.size(), last) - from);
          }
        };
      }
    } else if constexpr (isolated && contiguous<Range> && bitwise<value>) {
      job_.locate = [](const void* self, std::size_t first, std::size_t last) {
        if constexpr (ships)
          return bytes_at(part_in(self).base + first, last - first);
        else
          return bytes_at(std::ranges::data(part_in(self).range->range()) + first, last - first);
      };
    }
  }
  static const auto& part_in(const void* self) {
    return std::get<0>(static_cast<const plan_of<no_results>*>(self)->parts);
  }
  template <class T>
  static block_of_memory bytes_at(T* data, std::size_t count) {
    return {reinterpret_cast<std::byte*>(const_cast<std::remove_const_t<T>*>(data)), count * sizeof(T)};
  }

  /// About how much one slice takes when it is copied, judged by the first.
  [[nodiscard]] std::size_t bytes_of_slice() const {
    using value = typename indexed<Range>::value_type;
    if (!ships || range_.size() == 0 || !std::get<0>(parts_).encoded()) return 0;
    if constexpr (is_slices<range_type>) {
      return range_.range().elements() / range_.size() * sizeof(typename range_type::element) + 1;
    } else if constexpr (bitwise<value>) {
      return sizeof(value);
    } else if constexpr (requires(const value& slice) {
                           slice.size();
                           *slice.begin();
                         }) {
      return range_[0].size() * sizeof(*range_[0].begin()) + 8;
    } else {
      return sizeof(value);
    }
  }

  template <std::size_t... K>
  [[nodiscard]] bool encodes(std::index_sequence<K...> /*parts*/) const noexcept {
    return ((std::tuple_element_t<K, parts_type>::encodes && std::get<K>(parts_).encoded()) || ...);
  }

  std::size_t encode(std::size_t first, std::size_t last, sink& out) {
    using first_part = std::tuple_element_t<0, parts_type>;
    if constexpr (is_zip<range_type>) {
      for (std::size_t i = first; i < last; ++i) {
        [&]<std::size_t... K>(std::index_sequence<K...>) {
          (encode_part(std::get<K>(parts_), std::get<K>(range_.range().parts()), i, out), ...);
        }(std::make_index_sequence<std::tuple_size_v<parts_type>>{});
      }
    } else if constexpr (Star) {
      for (std::size_t i = first; i < last; ++i) {
        std::apply([&](const auto&... member) { (out.write(member), ...); }, range_[i]);
      }
    } else if constexpr (first_part::streams) {
      for (std::size_t i = first; i < last; ++i) encode_part(std::get<0>(parts_), range_, i, out);
    } else if constexpr (first_part::encodes && is_slices<range_type>) {
      first_part::encode(range_.range(), first, last, out);
    } else if constexpr (first_part::encodes) {
      first_part::encode(range_, first, last, out);
    }
    return out.copied();
  }

  segment* encode_arguments() {
    if constexpr (sizeof...(A) == 0) {
      return nullptr;
    } else {
      sink out(shared_segments());
      std::apply(
          [&](const A&... arg) {
            const auto one = [&out]<class T>(const T& value) {
              if constexpr (std::is_same_v<broadcast_type<T>, std::string> &&
                            !std::is_same_v<std::remove_cvref_t<T>, std::string>)
                out.write(std::string_view(value));
              else
                out.write(value);
            };
            (one(arg), ...);
          },
          args_);
      job_.bytes_broadcast = out.copied();
      return out.take();
    }
  }

  template <class Collector>
  void collected(const settled& what) {
    static_cast<Collector*>(collector_)->collect(what);
  }

  indexed<Range> range_;
  parts_type parts_;
  callable_held f_;
  std::tuple<const A&...> args_;
  void* collector_ = nullptr;
  job job_;
};

}  // namespace detail
}  // namespace forkful
