// What imap and imap_unordered return: results that are made while they are taken.
#pragma once

#include <forkful/detail/collect.hpp>
#include <forkful/detail/prepare.hpp>
#include <iterator>
#include <memory>
#include <optional>

namespace [[gnu::visibility("default")]] forkful {

/// A result of imap_unordered, with the index of its slice in the input.
template <class R>
struct numbered {
  std::size_t index;
  R value;
};

namespace detail {

/// Throws the std::logic_error of results that were moved from.
[[noreturn]] void no_results_left();

/// A running imap. Everything happens inside next(), on its caller's thread.
template <class Item>
class stream {
 public:
  stream() noexcept = default;
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  virtual ~stream() = default;
  /// The next result; empty at the end. Throws the failure that ends it, after all results before.
  virtual std::optional<Item> next() = 0;
};

}  // namespace detail

/// A range that can be walked once: each step waits for the next result and reads as much input as the window allows.
/// Dropping it half way stops: slices that are being run end by themselves, others are not begun. Movable; used by one
/// thread; the input must live as long as it if it is borrowed, the pool need not. Arguments behind the callable are
/// stored as by submit: what handles and views of the caller's name must live as long as it, too.
template <class Item>
class imap_results {
 public:
  class iterator {
   public:
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() noexcept = default;
    explicit iterator(imap_results* from) noexcept : from_(from) {}
    /// The result, which may be moved from. Valid until the next step.
    Item& operator*() const noexcept { return *from_->current_; }
    Item* operator->() const noexcept { return &*from_->current_; }
    iterator& operator++() {
      from_->current_ = from_->running_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t /*end*/) noexcept { return at.ended(); }

   private:
    [[nodiscard]] bool ended() const noexcept { return !from_->current_.has_value(); }

    imap_results* from_ = nullptr;
  };

  explicit imap_results(std::unique_ptr<detail::stream<Item>> running) : running_(std::move(running)) {}

  /// Waits for the first result. To be called once. Throws std::logic_error if the results were moved elsewhere.
  [[nodiscard]] iterator begin() {
    if (running_ == nullptr) detail::no_results_left();
    current_ = running_->next();
    return iterator(this);
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

 private:
  std::unique_ptr<detail::stream<Item>> running_;
  std::optional<Item> current_;
};

namespace detail {

/// What an imap stores of an argument, which is as it was given. An lvalue that is sent is sent at once; all else is
/// stored, like the callable, and so is what was moved in: handles in it free what they name.
template <bool Ships, class A>
using stored_by_imap =
    std::conditional_t<Ships && std::is_lvalue_reference_v<A>, const std::remove_cvref_t<A>&, broadcast_type<A>>;

/// Takes an argument over: of the caller's handles another one to the same memory, C arrays and all else as an object of the call's.
template <bool Ships, class A>
decltype(auto) store_for_imap(std::remove_reference_t<A>& argument) {
  using bare = std::remove_cvref_t<A>;
  using keeper = broadcast_type<A>;
  if constexpr (Ships && std::is_lvalue_reference_v<A>) {
    return std::as_const(argument);
  } else if constexpr (is_handle<bare> && std::is_lvalue_reference_v<A>) {
    return detail::another<bare>(argument);
  } else if constexpr (std::is_array_v<bare> && !std::is_same_v<keeper, std::string>) {
    return std::to_array(argument);
  } else {
    static_assert(std::is_constructible_v<keeper, A&&>,
                  "forkful: imap keeps its arguments until its last result, and this one cannot be copied: move it in "
                  "with std::move, or keep it in shared memory and pass the handle (forkful::shared<T>)");
    return static_cast<A&&>(argument);
  }
}

/// Everything an imap needs for as long as caller or workers use it: owned by stream and call. A is as it was given.
template <class Way, class Item, bool Numbered, class Range, class F, class... A>
struct imap_call {
  using input = pulled_range<Range, !Way::isolated>;
  static constexpr bool star = is_zip<std::remove_cvref_t<Range>>;
  using call_type = prepared<Way, verb::map, star, input&, F, std::remove_cvref_t<stored_by_imap<Way::ships, A>>...>;
  using result = typename call_type::result;
  using collector_type = std::conditional_t<Numbered, collect_numbered<Item, result, Way::isolated>,
                                            collect_in_turn<result, Way::isolated>>;
  using output = std::conditional_t<Way::isolated, encoded_results<result>, results_here<result>>;

  template <class G>
  imap_call(Range&& range, G&& callable, A&&... arguments)
      : slices(std::forward<Range>(range)),
        f(std::forward<G>(callable)),
        args(detail::store_for_imap<Way::ships, A>(arguments)...),
        call(std::apply([this](const auto&... each) { return call_type(slices, f, each...); }, args)) {
    if constexpr (Way::isolated) {
      call.work().results = true;
    } else {
      leave_results_here<result>(call.work());
    }
    call.work().unordered = Numbered;
    call.work().verb = Numbered ? "imap_unordered" : "imap";
    plan.emplace(call, output{}, &collector);
  }

  input slices;
  F f;
  std::tuple<stored_by_imap<Way::ships, A>...> args;
  call_type call;
  collector_type collector;
  std::optional<typename call_type::template armed<output>> plan;
};

template <class Item, class Call>
class imap_stream final : public stream<Item> {
 public:
  imap_stream(engine& running, const call_options& options, std::shared_ptr<Call> call)
      : call_(std::move(call)),
        engine_(running.number()),
        going_(begin_job(running, call_->call.work(), options, call_)) {}

  std::optional<Item> next() override {
    auto& out = call_->collector.out;
    wait_policy until_there_is_one;
    until_there_is_one.enough = [](void* results) { return !static_cast<decltype(&out)>(results)->empty(); };
    until_there_is_one.asker = &out;
    while (out.empty() && !ended_) ended_ = going_->advance(until_there_is_one);
    if (!out.empty()) {
      std::optional<Item> item(std::move(out.front()));
      out.pop_front();
      ++taken_;
      return item;
    }
    if (!std::exchange(concluded_, true)) {
      going_->happened.slices = taken_;
      conclude_job(engine_, *going_);
    }
    return std::nullopt;
  }

 private:
  std::shared_ptr<Call> call_;
  std::uint64_t engine_;
  std::unique_ptr<ongoing> going_;
  std::size_t taken_ = 0;
  bool ended_ = false;
  bool concluded_ = false;
};

}  // namespace detail
}  // namespace forkful
