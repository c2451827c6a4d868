// future: the result of one submitted call.
#pragma once

#include <chrono>
#include <forkful/detail/collect.hpp>
#include <forkful/detail/prepare.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace [[gnu::visibility("default")]] forkful {

/// For future::cancel: ends the worker that is running it.
struct kill_t {
  explicit kill_t() = default;
};
inline constexpr kill_t kill{};

namespace detail {

/// A submitted call, in the hands of a future.
class submitted {
 public:
  submitted() noexcept = default;
  submitted(const submitted&) = delete;
  submitted& operator=(const submitted&) = delete;
  virtual ~submitted() = default;

  /// Waits until it has ended, or until that time (CLOCK_MONOTONIC nanoseconds; 0: does not wait). True: it has ended.
  bool wait(std::uint64_t until);
  bool cancel(bool kill) { return going_->cancel(kill); }

 protected:
  void conclude() { conclude_job(engine_, *going_); }
  void begin(engine& running, job& work, const call_options& options, std::shared_ptr<void> owner);

 private:
  std::timed_mutex mutex_;  // one thread at a time carries it on
  std::uint64_t engine_ = 0;
  std::uint64_t made_by_ = 0;  // the process
  std::unique_ptr<ongoing> going_;
  bool ended_ = false;
};

template <class R>
class submitted_for : public submitted {
 public:
  /// Once it has ended. Throws its failure.
  virtual R take() = 0;
};

/// Waits until one of them has ended, and returns its place.
std::size_t wait_any_of(submitted* const* calls, std::size_t count);

}  // namespace detail

/// The result of a call that runs elsewhere. Movable; may outlive its pool; all members but get() and moves may be called by
/// several threads at once. Dropping one neither waits nor cancels.
template <class R>
class future {
 public:
  future() noexcept = default;
  explicit future(std::shared_ptr<detail::submitted_for<R>> call) noexcept : call_(std::move(call)) {}

  /// False for one that was default-constructed, moved from, or got.
  [[nodiscard]] bool valid() const noexcept { return call_ != nullptr; }
  /// Waits, and returns the result or throws the failure, once.
  R get() {
    const auto call = std::exchange(call_, nullptr);
    if (call == nullptr) no_call();
    call->wait(~std::uint64_t{0});
    return call->take();
  }
  /// Waits for at most so long. True: get() will not wait.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> time) const {
    using std::chrono::nanoseconds;
    // About a hundred years are for ever; less than nothing is only a look.
    constexpr nanoseconds most = std::chrono::hours(24 * 365 * 100);
    if (time <= std::chrono::duration<Rep, Period>::zero()) return call().wait(0);
    const nanoseconds wait = time < std::chrono::duration_cast<std::chrono::duration<double>>(most)
                                 ? std::chrono::ceil<nanoseconds>(time)
                                 : most;
    const auto until = std::chrono::steady_clock::now().time_since_epoch() + wait;
    return call().wait(static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(until).count()));
  }
  /// Whether get() would not wait. Looks also for workers that have died.
  [[nodiscard]] bool ready() const { return call().wait(0); }
  /// True if no worker had begun it: then get() throws `cancelled`.
  bool cancel() { return call().cancel(false); }
  /// The same, but ends the worker that is running it. False if it was done already.
  bool cancel(kill_t /*kill*/) { return call().cancel(true); }

 private:
  template <class Futures>
  friend std::size_t wait_any(Futures&& futures);

  [[noreturn]] static void no_call() {
    throw std::logic_error(
        "forkful: this future has no result: it was got already, moved from, or never submitted; get() gives it once");
  }
  detail::submitted_for<R>& call() const {
    if (call_ == nullptr) no_call();
    return *call_;
  }

  std::shared_ptr<detail::submitted_for<R>> call_;
};

/// Waits until one of the futures is ready and returns its place in the range. Throws std::invalid_argument for no futures.
template <class Futures>
std::size_t wait_any(Futures&& futures) {
  std::vector<detail::submitted*> calls;
  for (auto& one : futures) calls.push_back(&one.call());
  return detail::wait_any_of(calls.data(), calls.size());
}

namespace detail {

/// One slice: a tuple of the arguments of a submitted call.
template <class Arguments>
class one_slice {
 public:
  explicit one_slice(Arguments&& arguments) : arguments_(std::move(arguments)) {}
  [[nodiscard]] std::size_t size() const noexcept { return 1; }
  const Arguments& operator[](std::size_t /*0*/) const noexcept { return arguments_; }
  [[nodiscard]] auto begin() const noexcept { return index_iterator<one_slice>(this, 0); }
  [[nodiscard]] auto end() const noexcept { return index_iterator<one_slice>(this, 1); }

 private:
  Arguments arguments_;
};

/// How an argument of submit is stored: as it would arrive as a broadcast argument, but a shared_string of the caller's
/// by address.
template <class A>
struct stored_argument : std::type_identity<broadcast_type<A>> {};
template <>
struct stored_argument<shared_string&> : std::type_identity<by_address<shared_string>> {};
template <>
struct stored_argument<const shared_string&> : std::type_identity<by_address<const shared_string>> {};

/// Takes an argument over: handles and shared_strings of the caller's by address, C arrays and all else as an object of the call's.
/// `Isolated`: workers reach nothing but shared memory.
template <bool Isolated, class A>
decltype(auto) store_argument(A& argument) {
  using bare = std::remove_cvref_t<A>;
  using keeper = typename stored_argument<A>::type;
  if constexpr (is_by_address<keeper>) {
    using handle_type = decltype(keeper::to);
    if (!Isolated || in_shared_memory(std::addressof(argument), sizeof(bare)))
      return keeper{handle_type::borrow(std::addressof(argument))};
    return keeper{handle_type(argument)};
  } else if constexpr (is_handle<bare> && std::is_lvalue_reference_v<A>) {
    return detail::another<bare>(argument);
  } else if constexpr (std::is_array_v<bare> && !std::is_same_v<keeper, std::string>) {
    return std::to_array(argument);
  } else {
    static_assert(std::is_constructible_v<keeper, A&&>,
                  "forkful: submit keeps its arguments until the call runs, and this one cannot be copied: move it in "
                  "with std::move, or keep it in shared memory and pass the handle (forkful::shared<T>)");
    return static_cast<A&&>(argument);
  }
}

/// What a submitted call needs for as long as a future or a worker uses it: callable and arguments, owned. A is as it was given.
template <class Way, class F, class... A>
struct submitted_parts {
  using slice = std::tuple<typename stored_argument<A>::type...>;
  using call_type = prepared<Way, verb::call, true, const one_slice<slice>&, F>;
  using result = typename call_type::result;
  using output = std::conditional_t<Way::isolated, encoded_results<result>, results_here<result>>;

  template <class G>
  explicit submitted_parts(G&& callable, A&&... args)
      : arguments(slice(detail::store_argument<Way::isolated, A>(args)...)),
        f(std::forward<G>(callable)),
        call(arguments, f) {
    if constexpr (Way::isolated) {
      call.work().results = true;
    } else {
      leave_results_here<result>(call.work());
    }
    call.work().verb = "submit";
    plan.emplace(call, output{}, &collector);
  }

  one_slice<slice> arguments;
  std::remove_const_t<F> f;
  call_type call;
  collect_values<result, Way::isolated> collector;
  std::optional<typename call_type::template armed<output>> plan;
};

template <class R, class Parts>
class submitted_call final : public submitted_for<R> {
 public:
  submitted_call(engine& running, const call_options& options, std::shared_ptr<Parts> parts)
      : parts_(std::move(parts)) {
    this->begin(running, parts_->call.work(), options, parts_);
  }
  R take() override {
    this->conclude();
    if constexpr (!std::is_void_v<R>) return std::move(parts_->collector.out.front());
  }

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace detail
}  // namespace forkful
