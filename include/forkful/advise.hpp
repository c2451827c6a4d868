// advise(): is this work worth sharing? Runs a few of its slices to find out.
#pragma once

#include <forkful/advice.hpp>
#include <forkful/detail/collect.hpp>
#include <forkful/detail/prepare.hpp>
#include <forkful/process_pool.hpp>
#include <type_traits>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

/// Some work, with its types erased: what the probe may do with it.
struct question {
  std::size_t slices = 0;
  const job* here = nullptr;  ///< runs slices in this process
  /// Not null: slices are changed, and `here` runs copies. Makes copies of slices [first, first + count); they are its slices
  /// 0 ... count-1 then.
  void (*copy)(void* self, std::size_t first, std::size_t count) = nullptr;
  void* self = nullptr;           ///< handed to it
  std::size_t changed_bytes = 0;  ///< then: that running all slices reads and writes, at least; 0: not known
  job* shipped = nullptr;         ///< passes slices and results as a process_pool does; null: it cannot
  bool in_place = false;          ///< slices are changed in shared memory: nothing passes
  unsigned workers = 0;           ///< at most; 0: as many as CPUs to use
  const char* no_thread = "";     ///< why a thread_pool cannot do it; empty: it can
  const char* no_process = "";    ///< the same of a process_pool
  const char* no_snapshot = "";   ///< the same of a snapshot_pool
};

/// Probes it and judges (src/advice/). Throws what a probed slice throws; start_failed, arena_exhausted.
advice answer(const question&);

/// Copies of some slices of a range, for callables that change what they run.
template <class Range>
class copied_slices {
  using value = std::ranges::range_value_t<Range>;
  struct nothing_stored {};
  template <class T>
  struct elements_of : std::type_identity<nothing_stored> {};
  template <class E, std::size_t N>
  struct elements_of<std::span<E, N>> : std::type_identity<std::vector<std::vector<std::remove_const_t<E>>>> {};

 public:
  using range_type = std::vector<value>;
  explicit copied_slices(Range& range) : from_(range) {}
  copied_slices(const copied_slices&) = delete;
  copied_slices& operator=(const copied_slices&) = delete;
  [[nodiscard]] range_type& range() noexcept { return copies_; }

  static void copy(void* self, std::size_t first, std::size_t count) {
    auto& mine = *static_cast<copied_slices*>(self);
    mine.copies_.clear();
    if constexpr (is_span<value>) mine.elements_.clear();
    for (std::size_t i = first; i < first + count; ++i) {
      if constexpr (is_span<value>) {
        const value one = mine.from_[i];
        mine.elements_.emplace_back(one.begin(), one.end());
        mine.copies_.push_back(value(mine.elements_.back()));
      } else {
        mine.copies_.push_back(value(mine.from_[i]));
      }
    }
  }

 private:
  indexed<Range&> from_;
  range_type copies_{};
  [[no_unique_address]] typename elements_of<value>::type elements_{};
};

template <class Part>
constexpr bool part_travels() {
  using value = typename Part::value_type;
  if constexpr (!Part::encodes)
    return true;
  else if constexpr (is_span<value>)
    return travels<std::remove_const_t<typename value::element_type>>;
  else
    return travels<value>;
}
template <class Parts>
inline constexpr bool parts_travel = false;
template <class... Part>
inline constexpr bool parts_travel<std::tuple<Part...>> = (part_travels<Part>() && ...);

template <class R>
constexpr bool result_travels() {
  if constexpr (is_view<R> || std::is_reference_v<R>)
    return false;
  else
    return verdict_on_result<R>::why == refusal::none;
}

/// A call that is armed and never run as a whole.
template <class Way, verb Verb, class Range, class Output, class Collector, class F, class... A>
class armed_question {
  using call_type = prepared<Way, Verb, false, Range&, F, A...>;

 public:
  armed_question(Range& range, typename call_type::callable_held f, const A&... args)
      : call_(range, f, args...), plan_(call_, Output{}, &collector_) {}
  [[nodiscard]] job& work() noexcept { return call_.work(); }

 private:
  call_type call_;
  Collector collector_{};
  typename call_type::template armed<Output> plan_;
};

/// Takes no results.
struct no_collector {
  void collect(const finished_slices& /*none*/) const noexcept {}
};

/// Says how slices and results would pass to other processes, or why they cannot, and answers.
template <verb How, class Result, class Range, class F, class... A>
advice answer_shipped(question& asked, Range& range, F&& called, const A&... args) {
  using callable = callable_of<F>;
  using sent = std::remove_const_t<callable>;
  using parts = decltype(detail::parts_of<true, false>(std::declval<const indexed<Range&>&>()));
  constexpr bool back = result_travels<Result>();
  constexpr bool there = parts_travel<parts> && (travels<broadcast_type<A>> && ...);
  if constexpr (ships<sent> && there && back) {
    armed_question<process_way, How, Range, encoded_results<Result>, collect_values<Result, true>, callable, A...>
    shipped(range, called, args...);
    asked.shipped = &shipped.work();
    return answer(asked);
  } else {
    if constexpr (!ships<sent>) {
      asked.no_process = "its callable has captures: pass what it captures as arguments after the callable";
    } else if constexpr (!there) {
      asked.no_process = "its slices or arguments cannot travel: give their type a forkful::codec<T>";
    } else {
      asked.no_process = "its results cannot travel: return values that own their data";
    }
    if constexpr (!back) asked.no_snapshot = "its results cannot travel: return values that own their data";
    return answer(asked);
  }
}

}  // namespace detail

/// How `map(range, f, args...)`, or for_each where f changes its slices, would go on each kind of pool of as many workers as CPUs to
/// use, and whether it is worth it. Calls f on some of the slices, in this thread and for some milliseconds also in forked copies of
/// the process, for at most 50 ms or 1 % of the whole (but one slice at least), and drops the results. Slices that f changes are
/// copied first: the range stays as it is. Some of the first calls since the machine booted measure the machine, too, for 50 ms;
/// the figures are stored in a file (docs/machine.md). Throws what a slice throws, start_failed, arena_exhausted.
template <class Range, class F, class... A>
[[nodiscard]] advice advise(Range&& range, F&& f, const A&... args) {
  using namespace detail;  // NOLINT(google-build-using-namespace): the names below are all of one namespace
  using slices_type = std::remove_reference_t<Range>;
  using callable = callable_of<F>;
  constexpr bool changes = prepared<present_way, verb::for_each, false, slices_type&, callable, A...>::changes_slices;
  constexpr verb how = changes ? verb::update : verb::probe;
  using result = typename prepared<present_way, how, false, slices_type&, callable, A...>::result;
  static_assert(!changes || !is_zip<std::remove_cv_t<slices_type>>,
                "forkful: advise() makes copies of the slices that its callable changes, and of zipped ones it cannot: "
                "ask about one range of tuples");

  auto&& called = detail::as_callable(f);
  question asked;
  asked.slices = indexed<slices_type&>(range).size();
  const auto answer_with = [&](const job& here) {
    asked.here = &here;
    return detail::answer_shipped<how, result>(asked, range, called, args...);
  };
  if constexpr (changes) {
    copied_slices<slices_type> copies(range);
    armed_question<present_way, verb::for_each, std::vector<std::ranges::range_value_t<slices_type>>, no_results,
                   no_collector, callable, A...>
    here(copies.range(), called, args...);
    asked.copy = copies.copy;
    asked.self = &copies;
    if constexpr (contiguous<slices_type>) {
      // Of an element that is no larger than a cache line all of it comes from memory.
      constexpr std::size_t line = 64;
      const std::size_t bytes = std::ranges::size(range) * sizeof(*std::ranges::data(range));
      asked.in_place = in_shared_memory(std::ranges::data(range), bytes);
      if constexpr (sizeof(*std::ranges::data(range)) <= line) asked.changed_bytes = bytes;
    } else if constexpr (is_slices<std::remove_cv_t<slices_type>>) {
      asked.in_place = in_shared_memory(range.data(), range.elements() * sizeof(*range.data()));
    }
    return answer_with(here.work());
  } else {
    armed_question<present_way, how, slices_type, results_here<result>, collect_values<result, false>, callable, A...>
    here(range, called, args...);
    leave_results_here<result>(here.work());
    return answer_with(here.work());
  }
}
template <class T, class F, class... A>
[[nodiscard]] advice advise(std::initializer_list<T> slices, F&& f, const A&... args) {
  return advise(std::span(slices.begin(), slices.size()), f, args...);
}

}  // namespace forkful
