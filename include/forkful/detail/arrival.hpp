// How a slice arrives at the callable: what its parameters ask for, and where each part of a slice is read from.
//
// Owns nothing. A *part* is one parameter's worth of a slice: ordinary ranges have one, zip and starmap have several. Each part
// type has a reader, made once a block, whose take<as>(i) yields slice i the way the callable wants it.
#pragma once

#include <forkful/detail/job.hpp>
#include <forkful/slices.hpp>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

// ---- What the callable asks for ----

template <class F>
struct signature {
  static constexpr bool known = false;
};
template <class R, class... P>
struct signature<R (*)(P...)> {
  static constexpr bool known = true;
  using parameters = std::tuple<std::type_identity<P>...>;
};
template <class R, class... P>
struct signature<R (*)(P...) noexcept> : signature<R (*)(P...)> {};
template <class R, class... P>
struct signature<R (*const)(P...)> : signature<R (*)(P...)> {};
template <class R, class... P>
struct signature<R (*const)(P...) noexcept> : signature<R (*)(P...)> {};
template <class M>
struct member_signature;
template <class R, class C, class... P>
struct member_signature<R (C::*)(P...)> : signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct member_signature<R (C::*)(P...) const> : signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct member_signature<R (C::*)(P...) noexcept> : signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct member_signature<R (C::*)(P...) const noexcept> : signature<R (*)(P...)> {};
template <class F>
  requires requires { &F::operator(); }
struct signature<F> : member_signature<decltype(&F::operator())> {};

/// Part of a text, as slices(text, k) cuts it.
template <class T>
inline constexpr bool is_span_of_letters = false;
template <class E, std::size_t N>
inline constexpr bool is_span_of_letters<std::span<E, N>> = std::is_same_v<std::remove_const_t<E>, char>;

/// How a part is to be handed over.
enum class parameter_kind {
  constant,  // const T&, also for callables that do not say (templates)
  value,     // T: may be moved from
  own,       // T&&: an object of the callable's own
  change,    // T&
  text,      // std::string_view, read where it lies
  run,       // std::span<const T>, read where it lies
};

template <class T>
inline constexpr bool textual = false;
template <class Traits, class A>
inline constexpr bool textual<std::basic_string<char, Traits, A>> = true;
template <class Traits>
inline constexpr bool textual<std::basic_string_view<char, Traits>> = true;

template <class P, class T>
constexpr parameter_kind parameter_kind_of() {
  using bare = std::remove_cvref_t<P>;
  constexpr bool changes = std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>;
  if constexpr (std::is_same_v<bare, std::string_view> && (textual<T> || is_span_of_letters<T>)) {
    return parameter_kind::text;
  } else if constexpr (is_span<bare>) {
    if constexpr (!std::is_const_v<typename bare::element_type>)
      return parameter_kind::change;
    else if constexpr (!is_span<T> && std::ranges::contiguous_range<T>)
      return parameter_kind::run;
    else
      return parameter_kind::constant;
  } else if constexpr (changes) {
    return parameter_kind::change;
  } else if constexpr (std::is_lvalue_reference_v<P>) {
    return parameter_kind::constant;
  } else if constexpr (std::is_rvalue_reference_v<P>) {
    return parameter_kind::own;
  } else {
    return parameter_kind::value;
  }
}

template <std::size_t K, class T, class Parameters>
constexpr parameter_kind parameter_kind_at() {
  if constexpr (K < std::tuple_size_v<Parameters>)
    return parameter_kind_of<typename std::tuple_element_t<K, Parameters>::type, T>();
  else
    return parameter_kind::constant;
}

// ---- Where parts are read from ----

template <class E>
std::vector<std::remove_const_t<E>> copy_of(std::span<E> elements) {
  return {elements.begin(), elements.end()};
}

/// An object of the callable's own: a copy; of a handle, another one to the same memory.
template <class T>
T another(const T& value) {
  if constexpr (is_handle<T>) {
    return handle_codec<T>::borrow(handle_codec<T>::describe(value));
  } else {
    static_assert(std::is_copy_constructible_v<T>,
                  "forkful: this callable wants a slice of its own (T, T&& or T&), and slices of this type cannot be "
                  "copied: take const T&, or use for_each, which works in place");
    return T(value);
  }
}

/// In the caller's memory: pools in the caller's process, and snapshots of it.
template <class Range>
struct present_part {
  using value_type = typename indexed<Range>::value_type;
  using range_type = Range;
  static constexpr bool encodes = false;
  static constexpr bool streams = false;
  const indexed<Range>* range;

  struct reader {
    const indexed<Range>* range;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) const {
      // A verb that gives results never changes its input.
      if constexpr (W == parameter_kind::change && !InPlace && is_span<value_type>)
        return detail::copy_of((*range)[i]);
      else if constexpr (W == parameter_kind::change && !InPlace)
        return own((*range)[i]);
      else
        return (*range)[i];
    }

   private:
    // What is made on the fly, or stands for an element, becomes one.
    template <class Slice>
    static value_type own(Slice&& slice) {
      if constexpr (std::is_same_v<Slice, value_type&> || std::is_same_v<Slice, const value_type&>)
        return detail::another<value_type>(slice);
      else
        return value_type(std::forward<Slice>(slice));
    }
  };
  reader open(chunk_io& /*io*/) const noexcept { return {range}; }
  [[nodiscard]] bool encoded() const noexcept { return false; }
};

/// The index itself.
struct counted_part {
  using value_type = std::size_t;
  static constexpr bool encodes = false;
  static constexpr bool streams = false;
  struct reader {
    template <parameter_kind W, bool InPlace>
    std::size_t take(std::size_t i) const noexcept {
      return i;
    }
  };
  reader open(chunk_io& /*io*/) const noexcept { return {}; }
  [[nodiscard]] bool encoded() const noexcept { return false; }
};

/// Bitwise elements, as an array: where they lie in shared memory, or copied into the chunk's frame. A pointer either way.
template <class T>
struct flat_part {
  using value_type = std::remove_const_t<T>;
  static constexpr bool encodes = true;
  static constexpr bool streams = false;
  T* base = nullptr;  // null: encoded

  struct reader {
    T* at;
    std::size_t first;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) const noexcept {
      if constexpr (W == parameter_kind::change && !InPlace)
        return value_type(at[i - first]);
      else if constexpr (W == parameter_kind::change)
        return (at[i - first]);
      else
        return std::as_const(at[i - first]);
    }
  };
  reader open(chunk_io& io) const noexcept {
    if (base != nullptr) return {base, 0};
    return {reinterpret_cast<T*>(const_cast<char*>(io.frame)), io.first};
  }
  [[nodiscard]] bool encoded() const noexcept { return base == nullptr; }

  template <class Range>
  static void encode(const indexed<Range>& range, std::size_t first, std::size_t last, sink& out) {
    std::memcpy(out.extend((last - first) * sizeof(T), alignof(T)), std::ranges::data(range.range()) + first,
                (last - first) * sizeof(T));
  }
};

/// One member of a slice that is a tuple (starmap), in the caller's memory.
template <class Range, std::size_t K>
struct present_member {
  using value_type = std::remove_cvref_t<std::tuple_element_t<K, typename indexed<Range>::value_type>>;
  static constexpr bool encodes = false;
  static constexpr bool streams = false;
  const indexed<Range>* range;

  struct reader {
    const indexed<Range>* range;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) const {
      // Handles are given by value, as in every process: of a constant one there could be no other.
      if constexpr (is_handle<value_type> &&
                    (W == parameter_kind::change || W == parameter_kind::value || W == parameter_kind::own))
        return detail::another<value_type>(std::get<K>((*range)[i]));
      else if constexpr (W == parameter_kind::change || !std::is_lvalue_reference_v<decltype((*range)[i])>)
        return value_type(std::get<K>((*range)[i]));
      else
        return std::get<K>((*range)[i]);
    }
  };
  reader open(chunk_io& /*io*/) const noexcept { return {range}; }
  [[nodiscard]] bool encoded() const noexcept { return false; }
};

/// An argument of submit that goes along by address: a shared_string of the caller's. (A template, because what shares
/// memory with workers has to be distinguished from what was copied for the call.)
template <class T>
struct by_address {
  shared<T> to;  // borrowed: the caller's own, where workers reach it; else a copy that the call owns
};
template <class T>
inline constexpr bool is_by_address = false;
template <class T>
inline constexpr bool is_by_address<by_address<T>> = true;

/// The object behind such an argument.
template <class T>
struct addressed_part {
  using value_type = std::remove_const_t<T>;
  template <parameter_kind W>
  static decltype(auto) given(const shared<T>& to) {
    if constexpr (W == parameter_kind::change && !std::is_const_v<T>)
      return (*to);
    else if constexpr (W == parameter_kind::change || W == parameter_kind::value || W == parameter_kind::own)
      return value_type(*to);
    else
      return std::as_const(*to);
  }
};
template <class Range, std::size_t K, class T>
struct present_addressed : addressed_part<T> {
  static constexpr bool encodes = false;
  static constexpr bool streams = false;
  const indexed<Range>* range;

  explicit present_addressed(const indexed<Range>* in) noexcept : range(in) {}
  struct reader {
    const indexed<Range>* range;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) const {
      return present_addressed::template given<W>(std::get<K>((*range)[i]).to);
    }
  };
  reader open(chunk_io& /*io*/) const noexcept { return {range}; }
  [[nodiscard]] bool encoded() const noexcept { return false; }
};
template <class T>
struct coded_addressed : addressed_part<T> {
  static constexpr bool encodes = true;
  static constexpr bool streams = true;
  struct reader {
    source* in;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t /*i*/) const {
      return coded_addressed::template given<W>(in->read<by_address<T>>().to);
    }
  };
  reader open(chunk_io& io) const noexcept { return {io.in}; }
  void skip(chunk_io& io) const { io.in->skip<by_address<T>>(); }
  [[nodiscard]] bool encoded() const noexcept { return true; }
};

/// Elements of a container in shared memory that are more than bytes (shared_string): never copied.
template <class T>
struct shared_part {
  using value_type = std::remove_const_t<T>;
  static constexpr bool encodes = false;
  static constexpr bool streams = false;
  T* base = nullptr;

  struct reader {
    T* base;
    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) const {
      if constexpr (W == parameter_kind::change && InPlace)
        return (base[i]);
      else if constexpr (W == parameter_kind::change ||
                         (W == parameter_kind::value &&
                          (is_handle<value_type> || std::is_copy_constructible_v<value_type>)))
        return detail::another<value_type>(base[i]);
      else
        return std::as_const(base[i]);
    }
  };
  reader open(chunk_io& /*io*/) const noexcept { return {base}; }
  [[nodiscard]] bool encoded() const noexcept { return false; }
};

/// Everything else: one value after another in the chunk's frame; or, if `base` is set, in shared memory.
template <class T>
struct coded_part {
  using value_type = T;
  static constexpr bool encodes = true;
  static constexpr bool streams = true;
  /// Whether elements of this type can be read where they lie. (Spans are pointers themselves: they are always written.)
  static constexpr bool placeable = shareable<T> && !is_span<T>;
  /// Spans of elements that are more than bytes: unless they lie in shared memory, the elements have to be somewhere.
  static constexpr bool keeps_elements = [] {
    if constexpr (is_span<T>)
      return !bitwise<std::remove_const_t<typename T::element_type>>;
    else
      return false;
  }();
  static auto no_elements() {
    if constexpr (keeps_elements)
      return std::vector<std::remove_const_t<typename T::element_type>>();
    else
      return std::tuple<>();
  }
  using elements_type = decltype(no_elements());
  T* base = nullptr;

  static T next(source& in, [[maybe_unused]] elements_type& elements) {
    if constexpr (keeps_elements)
      return T(detail::read_span(in, elements));
    else
      return in.read<T>();
  }

  struct reader {
    T* base;
    source* in;
    std::optional<T> local{};
    [[no_unique_address]] elements_type elements{};

    template <parameter_kind W, bool InPlace>
    decltype(auto) take(std::size_t i) {
      if constexpr (!placeable) {
        if constexpr (W == parameter_kind::text)
          return in->read<std::string_view>();
        else if constexpr (W == parameter_kind::run)
          return read_run();
        else
          return next(*in, elements);
      } else if constexpr (InPlace && W == parameter_kind::change) {
        return (base[i]);  // the verb has checked that there is a base
      } else if constexpr (W == parameter_kind::text) {
        return base != nullptr ? std::string_view(base[i]) : in->read<std::string_view>();
      } else if constexpr (is_handle<T> &&
                           (W == parameter_kind::change || W == parameter_kind::value || W == parameter_kind::own)) {
        return base != nullptr ? detail::another<T>(base[i]) : in->read<T>();
      } else if constexpr (W == parameter_kind::run || W == parameter_kind::constant ||
                           !std::is_copy_constructible_v<T>) {
        if constexpr (std::is_move_constructible_v<T>)
          return base != nullptr ? std::as_const(base[i]) : std::as_const(local.emplace(in->read<T>()));
        else
          return std::as_const(base[i]);  // it cannot travel, which is said elsewhere
      } else {
        return base != nullptr ? T(base[i]) : in->read<T>();
      }
    }

   private:
    auto read_run() {
      using element = std::remove_const_t<std::remove_reference_t<std::ranges::range_reference_t<const T>>>;
      if constexpr (bitwise<element>)
        return in->read<std::span<const element>>();
      else
        return in->read<T>();
    }
  };
  reader open(chunk_io& io) const noexcept { return {base, io.in}; }
  void skip(chunk_io& io) const {
    if (base != nullptr) return;
    if constexpr (keeps_elements) {
      elements_type passed;
      next(*io.in, passed);
    } else {
      io.in->skip<T>();
    }
  }
  [[nodiscard]] bool encoded() const noexcept { return base == nullptr; }

  template <class Range>
  static void encode(const indexed<Range>& range, std::size_t i, sink& out) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(range[i])>, T>)
      out.write(range[i]);
    else
      out.write(T(range[i]));  // a proxy, as of vector<bool>
  }
};

/// Spans of a container: where it lies in shared memory, or a copy of the spans' elements in the chunk's frame - as one array
/// if the elements are bitwise and nothing else shares the frame, else span by span.
template <class E, bool MayBeShared, bool Streams>
struct sliced_part {
  using bare = std::remove_const_t<E>;
  using value_type = std::span<E>;
  static constexpr bool encodes = true;
  static constexpr bool streams = Streams;
  E* base = nullptr;
  cutting cut{};

  struct reader {
    E* at;  // element `offset` of the container; null: spans come one by one
    std::size_t offset;
    cutting cut;
    source* in;
    std::vector<bare> local{};

    template <parameter_kind W, bool InPlace>
    auto take(std::size_t i) {
      const std::size_t from = cut.bound(i);
      const std::size_t size = cut.bound(i + 1) - from;
      if constexpr (W == parameter_kind::change && !InPlace) {
        if (at == nullptr) return in->read<std::vector<bare>>();
        if constexpr (std::is_copy_constructible_v<bare>)
          return std::vector<bare>(at + (from - offset), at + (from - offset) + size);
        else
          return std::vector<bare>();  // not reached: what cannot be copied out refuses to compile (require_travels)
      } else {
        using out = std::conditional_t<W == parameter_kind::change || MayBeShared, E, const E>;
        if constexpr (Streams) {
          if (at == nullptr) {
            local = in->read<std::vector<bare>>();
            return std::span<out>(local);
          }
        }
        return std::span<out>(at + (from - offset), size);
      }
    }
  };
  reader open(chunk_io& io) const noexcept {
    if (base != nullptr) return {base, 0, cut, io.in};
    if constexpr (Streams)
      return {nullptr, 0, cut, io.in};
    else
      return {reinterpret_cast<E*>(const_cast<char*>(io.frame)), cut.bound(io.first), cut, io.in};
  }
  void skip(chunk_io& io) const {
    if (base == nullptr) io.in->template skip<std::vector<bare>>();
  }
  [[nodiscard]] bool encoded() const noexcept { return base == nullptr; }

  template <class Slices>
  static void encode(const Slices& range, std::size_t first, std::size_t last, sink& out) {
    const cutting how = range.cut();
    const std::size_t from = how.bound(first);
    const std::size_t size = how.bound(last) - from;
    if (size != 0) std::memcpy(out.extend(size * sizeof(E), alignof(E)), range.data() + from, size * sizeof(E));
  }
  template <class Slices>
  static void encode(const Slices& range, std::size_t i, sink& out) {
    const auto slice = range[i];
    out.write(std::vector<bare>(slice.begin(), slice.end()));
  }
};

}  // namespace detail
}  // namespace forkful
