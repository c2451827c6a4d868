// From a verb's arguments to a job: chooses the parts for the range and the pool, and checks what the compiler can check.
#pragma once

#include <forkful/detail/callables.hpp>
#include <forkful/detail/costs.hpp>
#include <forkful/detail/encoding.hpp>
#include <forkful/detail/parts.hpp>
#include <forkful/detail/refusals.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

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
      "forkful: a pointer to a member is not called as f(slice): wrap it in a lambda, such as [](const item& x) { "
      "return x.weight(); }");
  static_assert(
      can_be_sent<sent, ships>,
      "forkful: a callable with captures cannot be sent to workers that already run: pass what it captures as "
      "arguments after the callable, or use a snapshot_pool, whose workers see everything (by_value(f) promises that "
      "the captures are plain values)");

  using range_type = std::remove_cvref_t<Range>;
  using parts_type = decltype(detail::parts_of<sends_slices, Star>(std::declval<const indexed<Range>&>()));
  using all_parts = std::make_index_sequence<std::tuple_size_v<parts_type>>;
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

  using refused = refusals<Verb, Star, Range, sent, parts_type, plan_of<no_results>>;

  template <std::size_t K>
  static constexpr bool changes = plan_of<no_results>::template wants<K> == parameter_kind::change;

 public:
  using result = typename plan_of<no_results>::result;
  static_assert(Verb == verb::for_each || Verb == verb::call || Verb == verb::probe || !std::is_void_v<result>,
                "forkful: map needs a callable that returns something: use for_each for one that returns nothing");

  /// Whether the callable changes some part of its slices.
  static constexpr bool changes_slices = []<std::size_t... K>(std::index_sequence<K...>) {
    return (changes<K> || ...);
  }(all_parts{});

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
    check(all_parts{});
    if constexpr (isolated) {
      refused::check_arguments(args_, std::index_sequence_for<A...>{});
      job_.bytes_shared = bytes_shared_by_slices<Verb>(range_.range()) + (bytes_shared_by(args) + ... + 0);
    }
  }
  prepared(const prepared&) = delete;
  prepared& operator=(const prepared&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return job_.slices; }
  [[nodiscard]] job& work() noexcept { return job_; }
  [[nodiscard]] const indexed<Range>& range() const noexcept { return range_; }

  /// transform_reduce: call_options::chunk counts slices, and a chunk has whole blocks.
  void whole_blocks(call_options& options) const noexcept {
    if (options.chunk == 0 || job_.slices == 0) return;
    const std::size_t block = (job_.items + job_.slices - 1) / job_.slices;
    options.chunk = (options.chunk + block - 1) / block;
  }

  /// What a call needs while it runs: the plan, where workers can read it. `Output` is where the plan's results go.
  template <class Output>
  class armed {
   public:
    /// Fills in the job; `collector.collect(finished)` takes results back, if there is one.
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
      job_.collect = [](void* self, const finished_slices& what) {
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
      if (encodes(all_parts{})) {
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
    if constexpr (isolated) refused::check_slices(range_, before, before + got, all_parts{});
    return got;
  }

  std::size_t encode_slices(std::size_t first, std::size_t last, sink& out) {
    if constexpr (Verb == verb::fold) {
      return detail::encode_slices<Star>(range_, parts_, job_.named(first), job_.named(last), out);
    } else {
      const std::size_t copied = detail::encode_slices<Star>(range_, parts_, first, last, out);
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
      (refused::template check_change<K>(range_), ...);
      if constexpr (!is_pulled<range_type>)
        refused::check_slices(range_, 0, range_.size(), std::index_sequence<K...>{});
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
    if constexpr (sizeof...(K) == 1)
      job_.slice_bytes = bytes_of_slice<isolated, sends_slices>(range_, std::get<0>(parts_));
    if constexpr (Verb == verb::fold) {
      if (job_.slices != 0) job_.slice_bytes *= job_.items / job_.slices;
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

  template <std::size_t... K>
  [[nodiscard]] bool encodes(std::index_sequence<K...> /*parts*/) const noexcept {
    return ((std::tuple_element_t<K, parts_type>::encodes && std::get<K>(parts_).encoded()) || ...);
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
  void collected(const finished_slices& what) {
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
