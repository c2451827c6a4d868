// Callables: whether they can be sent to workers that already run, where their code lies, and how they are stored.
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
template <class R, class Reduce, class Transform>
inline constexpr bool ships<folding<R, Reduce, Transform>> = ships<Reduce> && ships<Transform>;

/// Of no pool that sends its callables, or one that can be sent. A concept, so that the compiler names the callable.
template <class F, bool Sent>
concept can_be_sent = static_cast<bool>(!Sent || ships<F> || std::is_member_pointer_v<F>);

/// An object as it is, const or not; the pointer that a function's name turns into.
template <class F>
using callable_of =
    std::conditional_t<std::is_function_v<std::remove_reference_t<F>>, std::decay_t<F>, std::remove_reference_t<F>>;
/// The same as an object to store.
template <class F>
using stored_callable = std::remove_const_t<callable_of<F>>;

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

}  // namespace detail
}  // namespace forkful
