// The result of one slice of try_map, try_for_each, try_update: a value, or why there is none.
//
// Invariant: an outcome that was not moved from holds either a value or a failure. The failure is stored behind a
// pointer, so that an outcome<double> is 24 bytes and ten million good ones cost no more than that.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include <forkful/errors.hpp>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

/// Throws the std::logic_error of a failure() that does not exist.
[[noreturn]] void no_failure();

}  // namespace detail

/// The value that a slice returned, or its failure. R may be move-only and needs no default constructor.
/// Copying shares the failure. Concurrent reads are safe.
template <class R>
class [[nodiscard]] outcome {
 public:
  using value_type = R;

  /// A slice that returned `value`.
  outcome(R value) : state_{std::in_place_index<1>, std::move(value)} {}

  /// A slice that returned R(args...), made in place.
  template <class... Args>
  explicit outcome(std::in_place_t /*tag*/, Args&&... args)
      : state_{std::in_place_index<1>, std::forward<Args>(args)...} {}

  /// A slice that failed.
  static outcome failed(slice_failure failure) {
    return outcome{failure_tag{}, std::make_shared<const slice_failure>(std::move(failure))};
  }

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 1; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. Throws the failure if there is none: the standard class it was and slice_info, as map would.
  [[nodiscard]] R& value() & {
    check();
    return **this;
  }
  [[nodiscard]] const R& value() const& {
    check();
    return **this;
  }
  [[nodiscard]] R&& value() && {
    check();
    return *std::move(*this);
  }

  /// The value, or `other` if the slice failed.
  template <class U>
  [[nodiscard]] R value_or(U&& other) const& {
    return has_value() ? **this : static_cast<R>(std::forward<U>(other));
  }
  template <class U>
  [[nodiscard]] R value_or(U&& other) && {
    return has_value() ? *std::move(*this) : static_cast<R>(std::forward<U>(other));
  }

  /// The value, unchecked: there must be one.
  [[nodiscard]] R& operator*() & noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] const R& operator*() const& noexcept { return *std::get_if<1>(&state_); }
  [[nodiscard]] R&& operator*() && noexcept { return std::move(*std::get_if<1>(&state_)); }
  [[nodiscard]] R* operator->() noexcept { return std::get_if<1>(&state_); }
  [[nodiscard]] const R* operator->() const noexcept { return std::get_if<1>(&state_); }

  /// Why there is no value. Throws std::logic_error if there is one, or if this outcome was moved from.
  [[nodiscard]] const slice_failure& failure() const {
    const auto* failure = std::get_if<0>(&state_);
    if (failure == nullptr || *failure == nullptr) detail::no_failure();
    return **failure;
  }

 private:
  struct failure_tag {};
  outcome(failure_tag /*tag*/, std::shared_ptr<const slice_failure> failure)
      : state_{std::in_place_index<0>, std::move(failure)} {}

  void check() const {
    if (!has_value()) detail::rethrow(failure());
  }

  std::variant<std::shared_ptr<const slice_failure>, R> state_;
};

/// Whether a slice that returns nothing succeeded. Default: it did.
template <>
class [[nodiscard]] outcome<void> {
 public:
  using value_type = void;

  outcome() = default;
  // Copies only: a failure that was moved away would read as success.
  outcome(const outcome&) = default;
  outcome& operator=(const outcome&) = default;
  ~outcome() = default;

  /// A slice that failed.
  static outcome failed(slice_failure failure) {
    outcome result;
    result.failure_ = std::make_shared<const slice_failure>(std::move(failure));
    return result;
  }

  [[nodiscard]] bool has_value() const noexcept { return failure_ == nullptr; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws the failure, if there is one.
  void value() const {
    if (!has_value()) detail::rethrow(*failure_);
  }
  void operator*() const noexcept {}

  /// Why the slice failed. Throws std::logic_error if it did not.
  [[nodiscard]] const slice_failure& failure() const {
    if (has_value()) detail::no_failure();
    return *failure_;
  }

 private:
  std::shared_ptr<const slice_failure> failure_;
};

}  // namespace forkful
