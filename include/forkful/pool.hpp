// basic_pool: the verbs, the same on every way of running them.
//
// A pool owns an engine (detail/job.hpp); a verb describes a call and hands it over. Which way it runs is the pool's type.
#pragma once

#include <forkful/detail/collect.hpp>
#include <forkful/detail/prepare.hpp>
#include <forkful/future.hpp>
#include <forkful/imap.hpp>
#include <initializer_list>

namespace [[gnu::visibility("default")]] forkful {

/// Which worker this code runs in, 0 ... size()-1; 0 outside of workers.
[[nodiscard]] unsigned worker_index() noexcept;
/// True while a slice is being run by this thread or process, on every kind of pool.
[[nodiscard]] bool in_worker() noexcept;

/// The verbs. Every one takes a range of slices first, the callable last, then broadcast arguments, which arrive as `const&`
/// behind the slice. All but imap and submit block until the call is done. Thread-safe: calls from several threads share the workers.
///
/// All throw the exception of the failing slice with the lowest index, as the standard class it was and as slice_info;
/// worker_crashed if its worker died; arena_exhausted, start_failed, wrong_process; std::invalid_argument for options that do
/// not fit. The try_ verbs give an outcome a slice instead of throwing for one.
template <class Way>
class verbs {
 public:
  /// f(slice, args...) of every slice, in input order, as many as there are slices. The range is not changed.
  template <class Range, class F, class... A>
  [[nodiscard]] auto map(Range&& range, F&& f, const A&... args) {
    return map_range<false>(std::forward<Range>(range), f, args...);
  }
  template <class T, class F, class... A>
  [[nodiscard]] auto map(std::initializer_list<T> slices, F&& f, const A&... args) {
    return map_range<false>(slices, f, args...);
  }

  /// map over a range of tuples, whose members become the callable's first arguments.
  template <class Range, class F, class... A>
  [[nodiscard]] auto starmap(Range&& range, F&& f, const A&... args) {
    return map_range<true>(std::forward<Range>(range), f, args...);
  }
  template <class T, class F, class... A>
  [[nodiscard]] auto starmap(std::initializer_list<T> slices, F&& f, const A&... args) {
    return map_range<true>(slices, f, args...);
  }

  /// map with the results written straight into `out` (a shared_vector<R> or a span of one): nothing is copied back. Throws
  /// std::invalid_argument if out has not exactly one place a slice, not_shared if workers cannot reach it.
  template <class Out, class Range, class F, class... A>
  void map_into(Out&& out, Range&& range, F&& f, const A&... args) {
    using place = std::remove_reference_t<decltype(*std::ranges::data(out))>;
    static_assert(
        !Way::isolated || detail::may_be_shared<std::remove_cvref_t<Out>>,
        "forkful: map_into writes results where workers can reach them: give it a forkful::shared_vector or a span of "
        "one, or use map");
    detail::prepared<Way, detail::verb::into, false, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                    args...);
    if constexpr (!std::is_void_v<typename decltype(call)::result>) {  // else one error is enough
      call.work().verb = "map_into";
      if constexpr (Way::isolated) call.work().bytes_shared += std::ranges::size(out) * sizeof(place);
      detail::check_room(std::ranges::data(out), std::ranges::size(out), sizeof(place), call.size(), Way::isolated);
      call.run(running(), options_, detail::results_in_place<place>{std::ranges::data(out)},
               static_cast<std::nullptr_t*>(nullptr));
    }
  }
  template <class Out, class T, class F, class... A>
  void map_into(Out&& out, std::initializer_list<T> slices, F&& f, const A&... args) {
    map_into(std::forward<Out>(out), std::span(slices.begin(), slices.size()), f, args...);
  }

  /// As map, but a slice that fails costs one slice.
  template <class Range, class F, class... A>
  [[nodiscard]] auto try_map(Range&& range, F&& f, const A&... args) {
    detail::prepared<Way, detail::verb::map, false, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                   args...);
    using result = typename decltype(call)::result;
    if constexpr (!std::is_void_v<result>) {  // else one error is enough
      detail::collect_outcomes<result, Way::isolated> collector;
      collector.out.reserve(call.size());
      call.work().verb = "try_map";
      call.work().keep_going = true;
      run_for_results<result>(call, collector);
      return std::move(collector.out);
    }
  }
  template <class T, class F, class... A>
  [[nodiscard]] auto try_map(std::initializer_list<T> slices, F&& f, const A&... args) {
    return try_map(std::span(slices.begin(), slices.size()), f, args...);
  }

  /// Calls f on every slice for its effect. `f(T&)` changes slices in place, which on pools of processes needs them in shared
  /// memory; `f(const T&)` and `f(T)` take any range. A slice is never begun again, unless call_options::attempts says so.
  template <class Range, class F, class... A>
  void for_each(Range&& range, F&& f, const A&... args) {
    detail::prepared<Way, detail::verb::for_each, false, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                        args...);
    call.work().verb = "for_each";
    call.run(running(), options_, detail::no_results{}, static_cast<std::nullptr_t*>(nullptr));
  }
  template <class T, class F, class... A>
  void for_each(std::initializer_list<T> slices, F&& f, const A&... args) {
    for_each(std::span(slices.begin(), slices.size()), f, args...);
  }

  template <class Range, class F, class... A>
  [[nodiscard]] std::vector<outcome<void>> try_for_each(Range&& range, F&& f, const A&... args) {
    detail::prepared<Way, detail::verb::for_each, false, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                        args...);
    call.work().verb = "try_for_each";
    call.work().keep_going = true;
    detail::collect_failures collector;
    call.run(running(), options_, detail::no_results{}, &collector);
    return std::move(collector.out);
  }
  template <class T, class F, class... A>
  [[nodiscard]] std::vector<outcome<void>> try_for_each(std::initializer_list<T> slices, F&& f, const A&... args) {
    return try_for_each(std::span(slices.begin(), slices.size()), f, args...);
  }

  /// Copies each slice out, calls f(T&) on the copy, and puts the changed slice back. Finished slices are put back also when
  /// another one fails; the failed one never.
  template <class Range, class F, class... A>
  void update(Range&& range, F&& f, const A&... args) {
    update_range(std::forward<Range>(range), f, nullptr, args...);
  }

  template <class Range, class F, class... A>
  [[nodiscard]] std::vector<outcome<void>> try_update(Range&& range, F&& f, const A&... args) {
    std::vector<outcome<void>> outcomes;
    update_range(std::forward<Range>(range), f, &outcomes, args...);
    return outcomes;
  }

  /// The same results as map, one after another while they are made: input is read only as far as call_options::window allows,
  /// on the caller's thread, so that an endless range takes little memory. A borrowed range must outlive what is returned.
  /// Sized input is chunked as in map, other input in chunks that grow from 1 until one takes 50 µs. Input that has to be waited for (a
  /// pipe) is read slice by slice, and what is done meanwhile is given before more is waited for. Of a slice that fails, the
  /// results before it come first, then its failure is thrown. Arguments are stored as by submit: handles of the
  /// caller's and views go along by address, and what they name must outlive what is returned.
  template <class Range, class F, class... A>
  [[nodiscard]] auto imap(Range&& range, F&& f, A&&... args) {
    return imap_range<false>(std::forward<Range>(range), std::forward<F>(f), std::forward<A>(args)...);
  }
  /// The same in the order in which they are done, as `numbered` results: {index, value}.
  template <class Range, class F, class... A>
  [[nodiscard]] auto imap_unordered(Range&& range, F&& f, A&&... args) {
    return imap_range<true>(std::forward<Range>(range), std::forward<F>(f), std::forward<A>(args)...);
  }

  /// Begins f(args...) on a worker and returns its future. Callable and arguments are copied, or moved, at once - but handles into
  /// shared memory (a shared<T>, shared_vector<T> or shared_string that is an lvalue) and views (std::span, std::string_view) go along
  /// by address: what they name must outlive the future, or the end of the call if the future is dropped. The callable changes it
  /// in place through `shared<T>`, `shared_vector<T>`, `shared_string&` or `std::span<T>`; pools of processes throw not_shared if
  /// such a span lies outside shared memory (of a shared_string that does, they change a copy). If the pool has no room for another
  /// call it waits until it has. A serial_pool runs it at once.
  template <class F, class... A>
  [[nodiscard]] auto submit(F&& f, A&&... args) {
    using parts = detail::submitted_parts<Way, detail::stored_callable<F>, A...>;
    using sent = typename parts::result;
    using result = std::conditional_t<std::is_same_v<sent, detail::nothing>, void, sent>;
    auto made = std::make_shared<parts>(std::forward<F>(f), std::forward<A>(args)...);
    return future<result>(
        std::make_shared<detail::submitted_call<result, parts>>(running(), options_, std::move(made)));
  }

  /// reduce(... reduce(reduce(init, transform(s0, args...)), transform(s1, args...)) ..., transform(sn, args...)), for an
  /// associative reduce(R, R) -> R, where R is init's type. The input is cut in min(n, 4096) blocks, which depend on n only;
  /// each is folded left to right by a worker, and the blocks' results are folded in order by the caller: the same bits for
  /// any number of workers, any chunk, on every pool. Needs a range that knows its size; an empty one gives init.
  template <class Range, class R, class Reduce, class Transform, class... A>
  [[nodiscard]] R transform_reduce(Range&& range, R init, Reduce&& reduce, Transform&& transform, const A&... args) {
    using detail::callable_of;
    using both = std::conditional_t<
        Way::ships,
        detail::folding<R, std::remove_const_t<callable_of<Reduce>>, std::remove_const_t<callable_of<Transform>>>,
        detail::folding<R, callable_of<Reduce>&, callable_of<Transform>&>>;
    auto&& folds = detail::as_callable(reduce);
    auto&& transforms = detail::as_callable(transform);
    both fold{folds, transforms};
    detail::prepared<Way, detail::verb::fold, false, Range, both, A...> call(std::forward<Range>(range), fold, args...);
    call_options whole = options_;
    call.whole_blocks(whole);
    call.work().verb = "transform_reduce";
    detail::collect_folded<R, Way::isolated, callable_of<Reduce>> collector{std::move(init), folds};
    run_for_results<R>(call, collector, whole);
    return std::move(collector.folded);
  }

 protected:
  verbs() noexcept = default;
  verbs(detail::engine* engine, const call_options& options) noexcept : running_(engine), options_(options) {}

  /// Throws pool_closed if the pool was moved elsewhere.
  [[nodiscard]] detail::engine& running() const {
    if (running_ == nullptr) detail::throw_moved_from();
    return *running_;
  }

  detail::engine* running_ = nullptr;
  call_options options_{};

 private:
  // An object as it is, const or not; the pointer that a function's name turns into.
  template <class F>
  using callable = detail::callable_of<F>;

  template <bool Numbered, class Range, class F, class... A>
  auto imap_range(Range&& range, F&& f, A&&... args) {
    using kept = detail::stored_callable<F>;
    constexpr bool star = detail::is_zip<std::remove_cvref_t<Range>>;
    using result = typename detail::prepared<Way, detail::verb::map, star, detail::pulled_range<Range, !Way::isolated>&,
                                             kept, std::remove_cvref_t<A>...>::result;
    using item = std::conditional_t<Numbered, numbered<result>, result>;
    using call = detail::imap_call<Way, item, Numbered, Range, kept, A...>;
    detail::engine& used = running();
    auto made = std::make_shared<call>(std::forward<Range>(range), std::forward<F>(f), std::forward<A>(args)...);
    return imap_results<item>(std::make_unique<detail::imap_stream<item, call>>(used, options_, std::move(made)));
  }

  template <bool Star, class Range, class F, class... A>
  auto map_range(Range&& range, F& f, const A&... args) {
    detail::prepared<Way, detail::verb::map, Star, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                  args...);
    using result = typename decltype(call)::result;
    if constexpr (!std::is_void_v<result>) {  // else one error is enough
      detail::collect_values<result, Way::isolated> collector;
      if constexpr (Star) call.work().verb = "starmap";
      collector.expected = call.size();
      if constexpr (Way::isolated) collector.out.reserve(call.size());
      run_for_results<result>(call, collector);
      return std::move(collector.out);
    }
  }

  template <class Range, class F, class... A>
  void update_range(Range&& range, F& f, std::vector<outcome<void>>* outcomes, const A&... args) {
    detail::prepared<Way, detail::verb::update, false, Range, callable<F>, A...> call(std::forward<Range>(range), f,
                                                                                      args...);
    using result = typename decltype(call)::result;
    call.work().verb = outcomes != nullptr ? "try_update" : "update";
    call.work().keep_going = outcomes != nullptr;
    detail::write_back<result, Way::isolated, Range> collector{call.range(), outcomes};
    run_for_results<result>(call, collector);
  }

  template <class R, class Call, class Collector>
  void run_for_results(Call& call, Collector& collector) {
    run_for_results<R>(call, collector, options_);
  }
  template <class R, class Call, class Collector>
  void run_for_results(Call& call, Collector& collector, const call_options& options) {
    if constexpr (Way::isolated) {
      call.work().results = true;
      call.run(running(), options, detail::encoded_results<R>{}, &collector);
    } else {
      detail::leave_results_here<R>(call.work());
      call.run(running(), options, detail::results_here<R>{}, &collector);
    }
  }
};

/// A pool's verbs with other options for the calls made through it: `pool.with({.chunk = 1}).map(...)`. It borrows the pool.
template <class Way>
class pool_with : public verbs<Way> {
 public:
  pool_with(detail::engine* running, const call_options& options) noexcept : verbs<Way>(running, options) {}
};

/// A pool that runs its verbs one way. `Way` starts the engine, and says how slices pass (Way::passing). Movable; of a
/// moved-from pool, every member throws pool_closed until it is assigned to.
template <class Way>
class basic_pool : public verbs<typename Way::passing> {
 public:
  /// As many workers as CPUs this process may use (affinity mask and cgroup quota). Throws start_failed.
  basic_pool() : basic_pool(pool_options{}) {}
  /// `workers` workers; 0: as above.
  explicit basic_pool(unsigned workers) : basic_pool(pool_options{.workers = workers}) {}
  explicit basic_pool(const pool_options& options) : engine_(Way::start(options)) { this->running_ = engine_.get(); }

  basic_pool(basic_pool&& other) noexcept : engine_(std::move(other.engine_)) {
    this->running_ = std::exchange(other.running_, nullptr);
  }
  basic_pool& operator=(basic_pool&& other) noexcept {
    engine_ = std::move(other.engine_);
    other.running_ = nullptr;
    this->running_ = engine_.get();
    return *this;
  }
  ~basic_pool() = default;

  /// Copies the options; the pool must outlive what it returns.
  [[nodiscard]] pool_with<typename Way::passing> with(const call_options& options) {
    return {&this->running(), options};
  }

  /// Number of workers; 1 for a serial_pool.
  [[nodiscard]] unsigned size() const { return this->running().size(); }

  /// Ends all workers now, whatever they do. Calls that run, and futures that are not done, throw `cancelled`; further verbs
  /// throw `pool_closed` until restart().
  void terminate() { this->running().terminate(); }
  /// Lets submitted work finish (after terminate() there is none), ends all workers and starts new ones, which see the program
  /// as it is now: forked from the caller, also if the first ones came from forkful::init's template, unless
  /// start_method::forkserver insists on that.
  void restart() { this->running().restart(0); }
  /// The same with `workers` workers; 0: as many as CPUs this process may use. A serial_pool always has one.
  void resize(unsigned workers) { this->running().restart(workers != 0 ? workers : detail::cpus_to_use()); }

  /// What happened in the last call that this thread finished on this pool; all zero before the first. By value, thread-safe.
  [[nodiscard]] forkful::report report() const { return detail::last_report(this->running()); }

  /// All calls that ended on this pool since it was made or reset_totals(), added up: of every thread, and futures and imaps once
  /// their last result was taken. `calls` says how many; docs/report.md how each figure is added up. By value, thread-safe; in a
  /// process that inherited the pool by fork it is a copy of what was counted until then. Cost of counting: some 60 ns a call.
  [[nodiscard]] forkful::report totals() const { return detail::total_report(this->running()); }
  /// Begins the total anew: calls that end from now on are in it, whole. Thread-safe.
  void reset_totals() { detail::reset_total(this->running()); }

 private:
  std::unique_ptr<detail::engine> engine_;
};

}  // namespace forkful
