// From a verb's arguments to a job: chooses the parts for the range and the pool, and checks what the compiler can check.
#pragma once

#include <forkful/by_value.hpp>
#include <forkful/detail/inner_spans.hpp>
#include <forkful/detail/lazy.hpp>
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
template <class R, class Reduce, class Transform>
inline constexpr bool ships<folding<R, Reduce, Transform>> = ships<Reduce> && ships<Transform>;

/// Of no pool that sends its callables, or one that can be sent. A concept, so that the compiler names the callable.
template <class F, bool Sent>
concept can_be_sent = static_cast<bool>(!Sent || ships<F> || std::is_member_pointer_v<F>);

/// An object as it is, const or not; the pointer that a function's name turns into.
template <class F>
using callable_of =
    std::conditional_t<std::is_function_v<std::remove_reference_t<F>>, std::decay_t<F>, std::remove_reference_t<F>>;
/// The same as an object to keep.
template <class F>
using kept_callable = std::remove_const_t<callable_of<F>>;

/// Where the code of a function pointer lies; null for anything else.
template <class F>
const void* code_of(const F& f) noexcept {
  if constexpr (std::is_pointer_v<F>)
    return reinterpret_cast<const void*>(f);
  else
    return nullptr;
}
template <class F>
std::array<const void*, 2> code_behind(const F& f) noexcept {
  return {detail::code_of(f), nullptr};
}
template <class R, class Reduce, class Transform>
std::array<const void*, 2> code_behind(const folding<R, Reduce, Transform>& f) noexcept {
  return {detail::code_of(f.reduce), detail::code_of(f.transform)};
}

template <class F>
decltype(auto) as_callable(F&& f) noexcept {
  if constexpr (std::is_function_v<std::remove_reference_t<F>>)
    return &f;
  else
    return (f);
}

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
    return placed_part<std::remove_pointer_t<decltype(data)>>{data};
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

template <class Part>
constexpr void check_part() {
  using value = typename Part::value_type;
  if constexpr (Part::encodes && is_span<value>)
    require_travels<std::remove_const_t<typename value::element_type>>();
  else if constexpr (Part::encodes)
    require_travels<value>();
}

// ---- A verb's arguments, ready to run ----

/// transform_reduce cuts its input in at most so many blocks, however many workers there are: the same bits everywhere.
inline constexpr std::size_t most_blocks = 4096;

template <class Plan, class F, class Output>
struct folded_or : std::type_identity<Plan> {};
template <class Plan, class R, class Reduce, class Transform, class Output>
struct folded_or<Plan, folding<R, Reduce, Transform>, Output>
    : std::type_identity<fold_plan<R, Plan, folding<R, Reduce, Transform>, Output>> {};

/// How slices and callables pass on pools in the caller's process: not at all, everything is there. What is made for one such pool
/// serves the others, too.
struct present_way {
  static constexpr bool ships = false;     // callable and slices are sent to workers that already run
  static constexpr bool isolated = false;  // results have to travel back
};

/// `Way` says where slices and callable are (ships) and whether results have to travel (isolated).
template <class Way, verb Verb, bool Star, class Range, class F, class... A>
class prepared {
  static constexpr bool ships = Way::ships;
  static constexpr bool isolated = Way::isolated;
  // Lazy input does not exist yet when a snapshot is taken: it is sent.
  static constexpr bool sends_slices = ships || (isolated && is_pulled<std::remove_cvref_t<Range>>);
  using sent = std::remove_const_t<F>;
  static_assert(
      !std::is_member_pointer_v<sent>,
      "forkful: a pointer to a member is not called as f(slice): wrap it in a lambda, such as [](const cake& c) "
      "{ return c.weight(); }");
  static_assert(
      can_be_sent<sent, ships>,
      "forkful: a callable with captures cannot be sent to workers that already run: pass what it captures as "
      "arguments after the callable, or use a snapshot_pool, whose workers see everything (by_value(f) promises "
      "that the captures are plain values)");

  using range_type = std::remove_cvref_t<Range>;
  using parts_type = decltype(detail::parts_of<sends_slices, Star>(std::declval<const indexed<Range>&>()));
  using callable_type = std::conditional_t<ships, shipped_callable<sent>, present_callable<F>>;
  using called = std::conditional_t<ships, sent, F>;
  using broadcast = std::conditional_t<ships, shipped_arguments<A...>, present_arguments<A...>>;

  template <class Output, class Parts>
  struct plan_with;
  template <class Output, class... Part>
  struct plan_with<Output, std::tuple<Part...>> {
    using one = plan<Verb, callable_type, called, Output, std::tuple<broadcast_type<A>...>, broadcast, Part...>;
    using type = typename folded_or<one, called, Output>::type;
  };
  template <class Output>
  using plan_of = typename plan_with<Output, parts_type>::type;

  using called_type = typename plan_of<no_results>::called;

  template <std::size_t K>
  static constexpr bool changes = plan_of<no_results>::template wants<K> == wish::change;

 public:
  using result = typename plan_of<no_results>::result;
  static_assert(Verb == verb::for_each || Verb == verb::call || Verb == verb::probe || !std::is_void_v<result>,
                "forkful: map needs a callable that returns something: use for_each for one that returns nothing");

  /// Whether the callable changes some part of its slices.
  static constexpr bool changes_slices = []<std::size_t... K>(std::index_sequence<K...>) {
    return (changes<K> || ...);
  }(std::make_index_sequence<std::tuple_size_v<parts_type>>{});

  /// The caller's object, or the pointer that a function's name turns into.
  using callable_held = std::conditional_t<std::is_pointer_v<F>, F, F&>;

  prepared(Range&& range, callable_held f, const A&... args)
      : range_(std::forward<Range>(range)),
        parts_(detail::parts_of<sends_slices, Star>(range_)),
        f_(f),
        args_(args...) {
    job_.slices = range_.size();
    if constexpr (Verb == verb::fold) {
      job_.items = job_.slices;
      job_.slices = (std::min)(job_.items, most_blocks);
    }
    called_type::require();
    check(std::make_index_sequence<std::tuple_size_v<parts_type>>{});
    if constexpr (isolated) check_arguments(std::index_sequence_for<A...>{});
    if constexpr (isolated) job_.bytes_shared = bytes_shared(range_.range()) + (bytes_shared_by(args) + ... + 0);
  }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return job_.slices; }
  [[nodiscard]] job& work() noexcept { return job_; }
  [[nodiscard]] const indexed<Range>& range() const noexcept { return range_; }

  /// transform_reduce: call_options::chunk counts slices, and blocks are handed out whole.
  void whole_blocks(call_options& options) const noexcept {
    if (options.chunk == 0 || job_.slices == 0) return;
    const std::size_t block = (job_.items + job_.slices - 1) / job_.slices;
    options.chunk = (options.chunk + block - 1) / block;
  }

  /// What a call needs while it runs: the plan, where workers can read it. `Output` is where the plan's results go.
  template <class Output>
  class armed {
   public:
    /// Fills in the job; `collector.collect(settled)` takes results back, if there is one.
    template <class Collector>
    armed(prepared& call, Output output, Collector* collector)
        : arguments_{call.encode_arguments()}, plan_(call.template make_plan<Output>(arguments_.frame, output)) {
      call.arm(plan_.get(), collector);
    }

   private:
    using plan_type = plan_of<Output>;
    struct freed {
      segment* frame;
      explicit freed(segment* chain) noexcept : frame(chain) {}
      freed(const freed&) = delete;
      freed& operator=(const freed&) = delete;
      ~freed() { free_shared_segments(frame); }
    };
    struct here {
      plan_type made;
      explicit here(plan_type&& plan) : made(std::move(plan)) {}
      const plan_type* get() const noexcept { return &made; }
    };
    freed arguments_;
    std::conditional_t<ships, shared_copy<plan_type>, here> plan_;
  };

  /// Runs the call to its end.
  template <class Output, class Collector>
  void run(engine& running, const call_options& options, Output output, Collector* collector) {
    const armed<Output> plan(*this, output, collector);
    run_job(running, job_, options);
  }

 private:
  template <class Output>
  plan_of<Output> make_plan(const segment* arguments, Output output) {
    if constexpr (Verb == verb::fold)
      return plan_of<Output>{
          {callable_in_plan(), parts_, broadcast_in_plan(arguments), output}, job_.items, job_.slices};
    else
      return plan_of<Output>{callable_in_plan(), parts_, broadcast_in_plan(arguments), output};
  }
  callable_type callable_in_plan() {
    if constexpr (ships)
      return {sent(f_)};
    else
      return {&f_};
  }
  broadcast broadcast_in_plan([[maybe_unused]] const segment* arguments) {
    if constexpr (ships)
      return {arguments};
    else
      return {
          std::apply([](const A&... arg) { return typename broadcast::arrived{broadcast::arrive(arg)...}; }, args_)};
  }

  template <class Plan, class Collector>
  void arm(const Plan* plan, [[maybe_unused]] Collector* collector) {
    if constexpr (!std::is_same_v<Collector, std::nullptr_t>) {
      job_.collect = [](void* self, const settled& what) {
        static_cast<prepared*>(self)->template collected<Collector>(what);
      };
      collector_ = collector;
    }
    job_.caller = this;
    if constexpr (called_type::possible) job_.run = Plan::run;
    job_.passes = isolated && Plan::passes;
    job_.tight = isolated && Plan::tight;
    if constexpr (ships) job_.code = detail::code_behind(f_);
    job_.plan = plan;
    if constexpr (sends_slices) {
      if (encodes(std::make_index_sequence<std::tuple_size_v<parts_type>>{})) {
        job_.encode = [](void* self, std::size_t first, std::size_t last, sink& out) {
          return static_cast<prepared*>(self)->encode_slices(first, last, out);
        };
        job_.skip = Plan::skip;
      }
    }
    if constexpr (is_pulled<range_type>) {
      if (range_.range().known() != 0) job_.slices = range_.range().known();
      job_.pull = [](void* self, std::size_t wanted) { return static_cast<prepared*>(self)->pull(wanted); };
      if constexpr (!isolated) {
        job_.forget = [](void* self, std::size_t end) { static_cast<prepared*>(self)->range_.range().forget(end); };
      }
    }
  }

  std::size_t pull(std::size_t wanted) {
    auto& input = range_.range();
    const std::size_t before = input.size();
    const std::size_t got = input.pull(wanted);
    if constexpr (isolated)
      check_slices(before, before + got, std::make_index_sequence<std::tuple_size_v<parts_type>>{});
    return got;
  }

  std::size_t encode_slices(std::size_t first, std::size_t last, sink& out) {
    if constexpr (Verb == verb::fold) {
      return encode(job_.named(first), job_.named(last), out);
    } else {
      const std::size_t copied = encode(first, last, out);
      if constexpr (is_pulled<range_type>) range_.range().forget(last);
      return copied;
    }
  }

  template <std::size_t... K>
  void check(std::index_sequence<K...> /*parts*/) {
    if constexpr (sends_slices) (check_part<std::tuple_element_t<K, parts_type>>(), ...);
    if constexpr (ships) (require_travels<broadcast_type<A>>(), ...);
    if constexpr (isolated) {
      if constexpr (Verb != verb::into && Verb != verb::for_each) require_result<result>();
      (check_change<K>(), ...);
      if constexpr (!is_pulled<range_type>) check_slices(0, range_.size(), std::index_sequence<K...>{});
    }
    if constexpr (Verb == verb::for_each) {
      job_.in_place = true;
      job_.mutates = changes_slices;
      job_.one_at_a_time = !(std::is_arithmetic_v<typename std::tuple_element_t<K, parts_type>::value_type> && ...);
      if constexpr (sizeof...(K) == 1) locate_elements<K...>();
    }
    if constexpr (!isolated && (Verb == verb::for_each || Verb == verb::update)) {
      job_.alone = packs_bits<range_type>;
    }
    if constexpr (sizeof...(K) == 1) job_.slice_bytes = bytes_of_slice();
    if constexpr (Verb == verb::fold) {
      if (job_.slices != 0) job_.slice_bytes *= job_.items / job_.slices;
    }
  }

  /// Changing slices needs memory that workers share. (A copy made for a map is the callable's own.)
  template <std::size_t K>
  void check_change() {
    using part = std::tuple_element_t<K, parts_type>;
    constexpr bool of_span = is_span<typename part::value_type>;
    if constexpr (changes<K> && (Verb == verb::for_each || (of_span && Verb != verb::update))) {
      if constexpr (Star || is_pulled<range_type>) {
        // check_slices looks at each
      } else if constexpr (is_zip<range_type>) {
        using component = std::remove_cvref_t<decltype(std::get<K>(range_.range().parts()).range())>;
        require_shared<component>(std::get<K>(range_.range().parts()));
      } else {
        require_shared<range_type>(range_);
      }
    }
  }
  /// Looks at slices [first, last) themselves, where they may hold spans that workers could change.
  template <std::size_t... K>
  void check_slices(std::size_t first, std::size_t last, std::index_sequence<K...> /*parts*/) const {
    if constexpr (Verb != verb::probe && (looks_at<K> || ...)) {
      for (std::size_t i = first; i < last; ++i) (check_slice<K>(i), ...);
    }
  }
  template <std::size_t K>
  static constexpr bool is_changed_span =
      (Star || is_pulled<range_type>) && is_span<typename std::tuple_element_t<K, parts_type>::value_type> &&
      changes<K>;
  template <std::size_t K>
  static constexpr bool looks_at =
      is_changed_span<K> || holds_mutable_span<typename std::tuple_element_t<K, parts_type>::value_type>;
  template <std::size_t K>
  void check_slice(std::size_t i) const {
    if constexpr (looks_at<K>) {
      if constexpr (is_zip<range_type>) {
        check_part_of_slice<K>(std::get<K>(range_.range().parts())[i]);
      } else if constexpr (Star) {
        const auto& slice = range_[i];
        check_part_of_slice<K>(std::get<K>(slice));
      } else {
        check_part_of_slice<K>(range_[i]);
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
  template <std::size_t... B>
  void check_arguments(std::index_sequence<B...> /*args*/) const {
    (check_argument<B>(), ...);
  }
  template <std::size_t B>
  void check_argument() const {
    using argument = std::tuple_element_t<B, std::tuple<A...>>;
    if constexpr (Verb != verb::probe) check_inner_spans(std::get<B>(args_));
    if constexpr (is_span<argument> && signature<sent>::known && Verb != verb::probe) {
      using parameters = typename signature<sent>::parameters;
      constexpr std::size_t at = std::tuple_size_v<parts_type> + B;
      if constexpr (at < std::tuple_size_v<parameters>) {
        using parameter = std::remove_cvref_t<typename std::tuple_element_t<at, parameters>::type>;
        if constexpr (is_span<parameter>) {
          if constexpr (!std::is_const_v<typename parameter::element_type>) check_span(std::get<B>(args_));
        }
      }
    }
  }
  template <class Component, class Indexed>
  static void require_shared(const Indexed& range) {
    static_assert(can_be_changed_in_place<Component>,
                  "forkful: this callable changes its slices, but they lie in ordinary memory, where workers would "
                  "change a copy: keep "
                  "them in a forkful::shared_vector, or use update(), which copies the changed slices back");
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

  /// Lets an attempt in place be undone, where the elements are bitwise.
  template <std::size_t K>
  void locate_elements() {
    using value = typename indexed<Range>::value_type;
    if constexpr (isolated && is_slices<range_type>) {
      if constexpr (bitwise<std::remove_cv_t<typename range_type::element>>) {
        job_.locate = [](const void* self, std::size_t first, std::size_t last) {
          const auto& part = part_in(self);
          if constexpr (ships) {
            const std::size_t from = part.cut.bound(first);
            return bytes_at(part.base + from, part.cut.bound(last) - from);
          } else {
            const auto& range = part.range->range();
            const cutting cut = range.cut();
            const std::size_t from = cut.bound(first);
            return bytes_at(range.data() + from, cut.bound(last) - from);
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

  /// What workers reach of a range, or of an argument, in shared memory.
  template <class T>
  static std::size_t bytes_shared(const T& range) noexcept {
    if constexpr (is_pulled<T>) {
      return 0;  // not read yet
    } else if constexpr (Verb == verb::call && std::is_same_v<T, range_type>) {
      return std::apply([](const auto&... each) { return (bytes_shared_by(each) + ... + 0); }, range[0]);
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
  static std::size_t bytes_shared_by(const T& argument) noexcept {
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

  /// About how much one slice takes when it is copied, judged by the first.
  [[nodiscard]] std::size_t bytes_of_slice() const {
    using value = typename indexed<Range>::value_type;
    if constexpr (is_pulled<range_type>) return isolated ? sizeof(value) + (bitwise<value> ? 0 : 64) : 0;
    if (!sends_slices || range_.size() == 0 || !std::get<0>(parts_).encoded()) return 0;
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
    if constexpr (std::tuple_size_v<parts_type> != 0)
      encode_parts<std::tuple_element_t<0, parts_type>>(first, last, out);
    return out.copied();
  }
  template <class first_part>
  void encode_parts(std::size_t first, std::size_t last, sink& out) {
    if constexpr (is_zip<range_type>) {
      for (std::size_t i = first; i < last; ++i) {
        [&]<std::size_t... K>(std::index_sequence<K...>) {
          (detail::encode_part(std::get<K>(parts_), std::get<K>(range_.range().parts()), i, out), ...);
        }(std::make_index_sequence<std::tuple_size_v<parts_type>>{});
      }
    } else if constexpr (Star) {
      for (std::size_t i = first; i < last; ++i) {
        std::apply([&](const auto&... member) { (out.write(member), ...); }, range_[i]);
      }
    } else if constexpr (first_part::streams) {
      for (std::size_t i = first; i < last; ++i) detail::encode_part(std::get<0>(parts_), range_, i, out);
    } else if constexpr (first_part::encodes && is_slices<range_type>) {
      first_part::encode(range_.range(), first, last, out);
    } else if constexpr (first_part::encodes) {
      first_part::encode(range_, first, last, out);
    }
  }

  segment* encode_arguments() {
    if constexpr (!ships || sizeof...(A) == 0) {
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
