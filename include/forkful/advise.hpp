// advise(): is this work worth sharing? Eats a few of its slices to find out.
#pragma once

#include <forkful/advice.hpp>
#include <forkful/detail/collect.hpp>
#include <forkful/detail/prepare.hpp>
#include <forkful/process_pool.hpp>
#include <optional>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

/// Some work, with its types erased: what the probe may do with it.
struct question {
  const job* here =
      nullptr;  ///< eats slices in this process: as they are, or copies of those that the callable changes
  const job* copying = nullptr;  ///< the latter: only makes those copies
  job* shipped = nullptr;        ///< passes slices and results as a process_pool does; null: it cannot
  bool in_place = false;         ///< slices are changed in shared memory: nothing passes
  std::size_t result_bytes = 0;  ///< of one result, where it lies in the caller's vector; 0: there is none
  const char* no_process = "";   ///< why a process_pool cannot do it; empty: it can
  const char* no_snapshot = "";  ///< the same of a snapshot_pool
};

/// Probes it and judges (src/advice/). Throws what a probed slice throws; start_failed, arena_exhausted.
advice answer(const question&);

/// Changes nothing.
struct no_bite {
  template <class T>
  void operator()(T&& /*slice*/) const noexcept {}
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

}  // namespace detail

/// How `map(range, f, args...)`, or for_each where f changes its slices, would go on each kind of pool of as many workers as CPUs to
/// use, and whether it is worth it. Calls f on some of the slices, in this thread and for some milliseconds also in forked copies of
/// the process, for at most 50 ms or 1 % of the whole (but one slice at least), and drops the results. Slices that f changes are
/// copied first: the range stays as it is. The first call since the machine booted measures the machine, too, for 50 ms; the
/// figures are kept in a file (docs/machine.md). Throws what a slice throws, start_failed, arena_exhausted.
template <class Range, class F, class... A>
[[nodiscard]] advice advise(Range&& range, F&& f, const A&... args) {
  using namespace detail;  // NOLINT(google-build-using-namespace): the names below are all of one namespace
  using slices_type = std::remove_reference_t<Range>;
  using callable = callable_of<F>;
  using sent = std::remove_const_t<callable>;
  constexpr bool changes = prepared<present_way, verb::for_each, false, slices_type&, callable, A...>::changes_slices;
  constexpr verb how = changes ? verb::update : verb::probe;
  using result = typename prepared<present_way, how, false, slices_type&, callable, A...>::result;
  using values = collect_values<result, false>;

  auto&& called = as_callable(f);
  armed_question<present_way, how, slices_type, kept_results<result>, values, callable, A...> here(range, called,
                                                                                                   args...);
  keep_results_here<result>(here.work());
  question asked;
  asked.here = &here.work();
  if constexpr (!changes && !std::is_same_v<result, nothing>) asked.result_bytes = sizeof(result);

  [[maybe_unused]] const no_bite none;
  using copies = armed_question<present_way, verb::update, slices_type, kept_results<result>, values, const no_bite>;
  [[maybe_unused]] std::optional<std::conditional_t<changes, copies, char>> copying;
  if constexpr (changes) {
    copying.emplace(range, none);
    keep_results_here<result>(copying->work());
    asked.copying = &copying->work();
    if constexpr (contiguous<slices_type>)
      asked.in_place =
          in_shared_memory(std::ranges::data(range), std::ranges::size(range) * sizeof(*std::ranges::data(range)));
    else if constexpr (is_slices<std::remove_cv_t<slices_type>>)
      asked.in_place = in_shared_memory(range.data(), range.elements() * sizeof(*range.data()));
  }

  using parts = decltype(parts_of<true, false>(std::declval<const indexed<slices_type&>&>()));
  constexpr bool back = result_travels<result>();
  constexpr bool there = parts_travel<parts> && (travels<broadcast_type<A>> && ...);
  if constexpr (ships<sent> && there && back) {
    armed_question<process_way, how, slices_type, encoded_results<result>, collect_values<result, true>, callable, A...>
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
template <class T, class F, class... A>
[[nodiscard]] advice advise(std::initializer_list<T> slices, F&& f, const A&... args) {
  return advise(std::span(slices.begin(), slices.size()), f, args...);
}

}  // namespace forkful
