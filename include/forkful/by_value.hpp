// by_value: a callable with captures that may be sent to workers which already run.
#pragma once

#include <type_traits>
#include <utility>

namespace [[gnu::visibility("default")]] forkful {

/// The explicit promise that a callable's captures are plain values: neither pointers nor references, whatever they look like.
/// Such a callable may be sent to workers that already run.
template <class F>
struct by_value_callable {
  F f;
  template <class... A>
  decltype(auto) operator()(A&&... args)
    requires std::is_invocable_v<F&, A...>
  {
    return f(std::forward<A>(args)...);
  }
  template <class... A>
  decltype(auto) operator()(A&&... args) const
    requires std::is_invocable_v<const F&, A...>
  {
    return f(std::forward<A>(args)...);
  }
};
template <class F>
[[nodiscard]] by_value_callable<std::decay_t<F>> by_value(F&& f) {
  static_assert(
      std::is_trivially_copyable_v<std::decay_t<F>>,
      "forkful: by_value needs captures that are plain values (numbers, structs of numbers): pass strings and "
      "containers as arguments after the callable");
  return {std::forward<F>(f)};
}

}  // namespace forkful
