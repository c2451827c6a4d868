// How each kind of value is laid out in a frame: the writer and the reader of every kind, side by side.
//
// Owns nothing. Layout, by kind:
//   bitwise                the bytes of the object, aligned
//   string, container      number of elements; then one aligned array of them if bitwise, else each in turn
//   string_view, span      the same; or, of data in shared memory, a number with its top bit set and a pointer
//   optional / variant     one byte: engaged / one byte (or two): index; then the value
//   path                   its native string
//   handle                 pointer, size and capacity
//   array, pair, tuple,
//   aggregate              each part in turn
// A number of elements is a word. Of bitwise elements of one byte, as a string's, it is a byte if it is less than 255, else that
// byte and a word that need not be aligned: short strings are many, and what they cost is mostly memory that another core
// wrote last.
// So whatever has bitwise elements can be read as any other such container, or in place as a view. An element of a
// container takes at least one byte (a user's codec that writes none gets a filler), which bounds what a damaged count
// can make us do.
#pragma once

#include <forkful/detail/stream.hpp>
#include <iterator>
#include <memory>
#include <new>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

inline constexpr std::uint64_t elsewhere = std::uint64_t{1} << 63;
template <class E>
inline constexpr bool short_counts = bitwise<E> && sizeof(E) == 1;

template <class T>
inline constexpr std::size_t wire_align = alignof(T) < most_alignment ? alignof(T) : most_alignment;

// sink::enter and leave, source::enter and leave.
template <class Stream>
struct level {
  level(Stream& stream, std::string_view type) : stream_(stream) { stream_.enter(type); }
  ~level() { stream_.leave(); }
  level(const level&) = delete;
  level& operator=(const level&) = delete;

 private:
  Stream& stream_;
};

template <class T>
constexpr std::size_t least_bytes();

template <class>
inline constexpr std::size_t least_sum = 0;
template <template <class...> class List, class... T>
inline constexpr std::size_t least_sum<List<T...>> = (std::size_t{0} + ... + least_bytes<std::remove_cv_t<T>>());

template <class T>
struct array_traits {
  using element = typename T::value_type;
  static constexpr std::size_t size = std::tuple_size_v<T>;
};
template <class E, std::size_t N>
struct array_traits<E[N]> {
  using element = E;
  static constexpr std::size_t size = N;
};

/// The fewest bytes a T can take in a frame.
template <class T>
constexpr std::size_t least_bytes() {
  constexpr kind k = kind_of<T>;
  if constexpr (k == kind::user)
    return sizeof(std::uint64_t);
  else if constexpr (k == kind::bitwise)
    return sizeof(T);
  else if constexpr (k == kind::handle)
    return sizeof(handle);
  else if constexpr (k == kind::optional || k == kind::variant)
    return 1;
  else if constexpr (k == kind::array)
    return array_traits<T>::size * least_bytes<std::remove_cv_t<typename array_traits<T>::element>>();
  else if constexpr (k == kind::tuple)
    return least_sum<T>;
  else if constexpr (k == kind::aggregate)
    return least_sum<field_types<T>>;
  else if constexpr (k == kind::path)
    return least_bytes<typename T::string_type>();
  else
    return short_counts<std::remove_cv_t<typename T::value_type>> ? 1 : sizeof(std::uint64_t);
}

template <class T>
inline constexpr bool needs_filler = least_bytes<T>() == 0;
template <class T>
inline constexpr std::size_t element_bytes = needs_filler<T> ? 1 : least_bytes<T>();

template <class T>
T load(const char* at) {
  if constexpr (std::is_same_v<T, bool>) {
    return *at != 0;  // a bool of any other value must not come into being
  } else {
    alignas(T) unsigned char bytes[sizeof(T)];
    std::memcpy(bytes, at, sizeof(T));
    return static_cast<T&&>(*std::launder(reinterpret_cast<T*>(bytes)));
  }
}

// ---- writing ----

template <class T>
void write_element(sink& out, const T& value) {
  if constexpr (needs_filler<T>) out.write(std::byte{});
  out.write(value);
}

template <class T>
std::size_t count_of(const T& c) {
  if constexpr (requires { c.size(); })
    return c.size();
  else
    return static_cast<std::size_t>(std::distance(c.begin(), c.end()));
}

// What stands where a short count would, then the word, unaligned.
inline constexpr std::size_t long_count_bytes = 1 + sizeof(std::uint64_t);
inline void put_long_count(char* at, std::uint64_t n) noexcept {
  *at = static_cast<char>(long_count);
  std::memcpy(at + 1, &n, sizeof(n));
}

template <class E>
void write_count(sink& out, std::uint64_t n) {
  if constexpr (short_counts<E>) {
    if (n < long_count) {
      *out.extend(1) = static_cast<char>(n);
      return;
    }
    put_long_count(out.extend(long_count_bytes), n);
  } else {
    out.write(n);
  }
}

template <class T>
void write_container(sink& out, const T& c) {
  using element = std::remove_cv_t<typename T::value_type>;
  const std::size_t n = detail::count_of(c);
  write_count<element>(out, n);
  if constexpr (bitwise<element>) {
    if (n == 0) return;
    char* at = out.extend(n * sizeof(element), wire_align<element>);
    if constexpr (requires {
                    { c.data() } -> std::convertible_to<const element*>;
                  }) {
      std::memcpy(at, c.data(), n * sizeof(element));
    } else {
      for (auto it = c.begin(); it != c.end(); ++it, at += sizeof(element)) {
        const element& value = *it;  // of a vector<bool>, a temporary
        std::memcpy(at, std::addressof(value), sizeof(element));
      }
    }
  } else {
    const level deeper(out, type_name<T>());
    for (auto it = c.begin(); it != c.end(); ++it) {
      if constexpr (mapping<T>) {
        detail::write_element(out, it->first);
        out.write(it->second);
      } else {
        detail::write_element<element>(out, *it);
      }
    }
  }
}

template <class T>
void write_view(sink& out, const T& view) {
  const std::size_t bytes = view.size() * sizeof(*view.data());
  if (bytes != 0 && in_shared_memory(view.data(), bytes)) {
    const std::uint64_t count = view.size() | elsewhere;
    const auto address = reinterpret_cast<std::uintptr_t>(view.data());
    if constexpr (short_counts<std::remove_cv_t<typename T::value_type>>) {
      put_long_count(out.extend_pointer(long_count_bytes, 1), count);
    } else {
      std::memcpy(out.extend_pointer(sizeof(count), alignof(std::uint64_t)), &count, sizeof(count));
    }
    std::memcpy(out.extend_pointer(sizeof(address), alignof(std::uintptr_t)), &address, sizeof(address));
  } else {
    detail::write_container(out, view);
  }
}

template <class T>
using variant_index = std::conditional_t<(std::variant_size_v<T> < 256), std::uint8_t, std::uint16_t>;

template <class T>
void write_value(sink& out, const T& value) {
  constexpr kind k = kind_of<T>;
  if constexpr (k == kind::user) {
    const level deeper(out, type_name<T>());
    char* const length = out.extend(sizeof(std::uint64_t), alignof(std::uint64_t));
    const std::uint64_t before = out.size();
    codec<T>::write(out, value);
    const std::uint64_t bytes = out.size() - before;
    std::memcpy(length, &bytes, sizeof(bytes));
  } else if constexpr (k == kind::bitwise) {
    std::memcpy(out.extend(sizeof(T), wire_align<T>), std::addressof(value), sizeof(T));
  } else if constexpr (k == kind::handle) {
    const handle to = handle_codec<T>::describe(value);
    std::memcpy(out.extend_pointer(sizeof(handle), alignof(handle)), &to, sizeof(handle));
    // Only a result is given away, and a result is an object of the worker's own, never a constant.
    out.on_release(const_cast<T*>(std::addressof(value)),
                   [](void* object) noexcept { handle_codec<T>::release(*static_cast<T*>(object)); });
  } else if constexpr (k == kind::path) {
    out.write(value.native());
  } else if constexpr (k == kind::text_view || k == kind::span) {
    detail::write_view(out, value);
  } else if constexpr (k == kind::text || k == kind::sequence || k == kind::set || k == kind::map) {
    detail::write_container(out, value);
  } else if constexpr (k == kind::optional) {
    out.write(value.has_value());
    if (value) out.write(*value);
  } else if constexpr (k == kind::variant) {
    if (value.valueless_by_exception()) {
      throw_codec_error("a variant without a value cannot travel: give it one first", type_name<T>(), out.size());
    }
    out.write(static_cast<variant_index<T>>(value.index()));
    std::visit([&out](const auto& alternative) { out.write(alternative); }, value);
  } else if constexpr (k == kind::array) {
    for (const auto& element : value) out.write(element);
  } else if constexpr (k == kind::tuple) {
    std::apply([&out](const auto&... part) { (out.write(part), ...); }, value);
  } else if constexpr (k == kind::aggregate) {
    detail::for_each_field(value, [&out](const auto& field) { out.write(field); });
  }
}

// ---- reading ----

template <class T>
T read_element(source& in) {
  if constexpr (needs_filler<T>) in.view(1, 1, type_name<T>());
  return in.read<T>();
}

/// How many elements to make room for before any is decoded: a damaged count must not allocate more than a few times
/// the bytes that are left.
template <class E>
std::size_t believable(const source& in, std::size_t count) {
  const std::size_t most = (8 * in.remaining() + 4096) / sizeof(E);
  return count < most ? count : most;
}

template <class T, class E>
void append(T& c, typename T::iterator& last, E&& value) {
  if constexpr (keyed<T>)
    c.emplace_hint(c.end(), std::forward<E>(value));
  else if constexpr (requires { c.before_begin(); })
    last = c.emplace_after(last, std::forward<E>(value));
  else
    c.emplace_back(std::forward<E>(value));
}

template <class T>
typename T::iterator before_first(T& c) {
  if constexpr (requires { c.before_begin(); })
    return c.before_begin();
  else
    return c.begin();
}

template <class T>
T read_container(source& in) {
  using element = std::remove_cv_t<typename T::value_type>;
  T c;
  auto last = detail::before_first(c);
  if constexpr (bitwise<element>) {
    const source::run run = in.elements(sizeof(element), wire_align<element>, true, type_name<T>());
    if constexpr (alignof(element) <= most_alignment && std::is_copy_constructible_v<element> && requires {
                    { c.data() } -> std::convertible_to<const element*>;
                  }) {
      const auto* from = reinterpret_cast<const element*>(run.at);
      if (run.count != 0) c.assign(from, from + run.count);
    } else {
      if constexpr (requires { c.reserve(run.count); }) c.reserve(run.count);
      for (std::size_t i = 0; i < run.count; ++i) detail::append(c, last, load<element>(run.at + i * sizeof(element)));
    }
  } else {
    const level deeper(in, type_name<T>());
    const std::size_t n = in.count(element_bytes<element>, type_name<T>());
    if constexpr (requires { c.reserve(n); }) c.reserve(believable<element>(in, n));
    for (std::size_t i = 0; i < n; ++i) {
      if constexpr (mapping<T>) {
        auto key = read_element<typename T::key_type>(in);
        c.emplace_hint(c.end(), std::move(key), in.read<typename T::mapped_type>());
      } else {
        detail::append(c, last, read_element<element>(in));
      }
    }
  }
  return c;
}

template <class T, std::size_t At = 0>
T read_alternative(source& in, std::size_t index) {
  if constexpr (At == std::variant_size_v<T>) {
    in.fail("no such alternative: the bytes are not what was written", type_name<T>());
  } else {
    if (index == At) return T(std::in_place_index<At>, in.read<std::variant_alternative_t<At, T>>());
    return read_alternative<T, At + 1>(in, index);
  }
}

template <class T>
T read_array(source& in) {
  if constexpr (std::is_default_constructible_v<T> && std::is_move_assignable_v<T>) {
    T value{};
    in.read_into(value);
    return value;
  } else {
    return [&in]<std::size_t... At>(std::index_sequence<At...>) {
      return T{{(void(At), in.read<std::remove_cv_t<typename T::value_type>>())...}};
    }(std::make_index_sequence<std::tuple_size_v<T>>{});
  }
}

// Braces, because they evaluate in order.
template <class T>
struct read_parts {
  template <template <class...> class List, class... E>
  T operator()(source& in, std::type_identity<List<E...>>) const {
    return T{in.read<std::remove_cv_t<E>>()...};
  }
};

template <class T>
T read_value(source& in) {
  constexpr kind k = kind_of<T>;
  if constexpr (k == kind::user) {
    const level deeper(in, type_name<T>());
    stretch mine(in, type_name<T>());
    T value = codec<T>::read(in);
    mine.end();
    return value;
  } else if constexpr (k == kind::bitwise) {
    return load<T>(in.view(sizeof(T), wire_align<T>, type_name<T>()));
  } else if constexpr (k == kind::handle) {
    using element = typename handle_codec<T>::element;
    const handle to = in.handle(sizeof(element), alignof(element), type_name<T>());
    return in.adopting() ? handle_codec<T>::adopt(to) : handle_codec<T>::borrow(to);
  } else if constexpr (k == kind::text) {
    using letter = typename T::value_type;
    const source::run run = in.elements(sizeof(letter), alignof(letter), true, type_name<T>());
    return run.count == 0 ? T() : T(reinterpret_cast<const letter*>(run.at), run.count);
  } else if constexpr (k == kind::path) {
    return T(in.read<typename T::string_type>());
  } else if constexpr (k == kind::text_view || k == kind::span) {
    using pointer = decltype(std::declval<const T&>().data());
    using element = std::remove_cv_t<typename T::value_type>;
    static_assert(alignof(element) <= most_alignment,
                  "forkful: elements aligned to more than 64 bytes cannot be read in place");
    const source::run run = in.elements(sizeof(element), alignof(element), bitwise<element>, type_name<T>());
    if constexpr (requires { T::extent; }) {
      if (T::extent != std::dynamic_extent && run.count != T::extent)
        in.fail("its length is another than its type's", type_name<T>());
    }
    // A span of mutable elements gets the frame's: no other value has those.
    return T(reinterpret_cast<pointer>(const_cast<char*>(run.at)), run.count);
  } else if constexpr (k == kind::sequence || k == kind::set || k == kind::map) {
    return read_container<T>(in);
  } else if constexpr (k == kind::optional) {
    if (!in.read<bool>()) return std::nullopt;
    return T(std::in_place, in.read<std::remove_cv_t<typename T::value_type>>());
  } else if constexpr (k == kind::variant) {
    return read_alternative<T>(in, in.read<variant_index<T>>());
  } else if constexpr (k == kind::array) {
    return read_array<T>(in);
  } else if constexpr (k == kind::tuple) {
    return read_parts<T>{}(in, std::type_identity<T>{});
  } else if constexpr (has_array_member<field_types<T>>) {
    T value{};
    detail::for_each_field(value, [&in](auto& field) { in.read_into(field); });
    return value;
  } else {
    return read_parts<T>{}(in, std::type_identity<field_types<T>>{});
  }
}

/// Reads what a span or container of T wrote as a span: in place where that is possible, else decoded into `keep`.
template <class T>
std::span<T> read_span(source& in, std::vector<T>& keep) {
  if constexpr (!bitwise<T>) {
    source ahead = in;
    if (((ahead.template read<std::uint64_t>)() & elsewhere) == 0) {
      keep = in.read<std::vector<T>>();
      return keep;
    }
  }
  return in.read<std::span<T>>();
}

}  // namespace detail

template <class T>
void sink::write(const T& value) {
  detail::require_travels<T>();
  if constexpr (detail::travels<T>) detail::write_value(*this, value);
}

template <class T>
T source::read() {
  detail::require_travels<T>();
  if constexpr (detail::travels<T>)
    return detail::read_value<std::remove_cv_t<T>>(*this);
  else
    __builtin_unreachable();  // does not compile, and one error is enough
}

template <class T>
void source::read_into(T& value) {
  if constexpr (detail::kind_of<T> == detail::kind::array) {
    for (auto& element : value) read_into(element);
  } else if constexpr (std::is_array_v<T>) {
    const char* from = view(sizeof(T), detail::wire_align<T>, detail::type_name<T>());
    std::memcpy(value, from, sizeof(T));
  } else {
    value = read<T>();
  }
}

template <class T>
void source::skip() {
  constexpr detail::kind k = detail::kind_of<T>;
  if constexpr (k == detail::kind::bitwise) {
    view(sizeof(T), detail::wire_align<T>, detail::type_name<T>());
  } else if constexpr (k == detail::kind::user) {
    const auto bytes =
        detail::load<std::uint64_t>(view(sizeof(std::uint64_t), alignof(std::uint64_t), detail::type_name<T>()));
    pass(bytes, detail::type_name<T>());
  } else if constexpr (k == detail::kind::text) {
    elements(sizeof(typename T::value_type), alignof(typename T::value_type), true, detail::type_name<T>());
  } else if constexpr (k == detail::kind::sequence || k == detail::kind::set || k == detail::kind::map) {
    using element = std::remove_cv_t<typename T::value_type>;
    if constexpr (detail::bitwise<element>) {
      elements(sizeof(element), detail::wire_align<element>, true, detail::type_name<T>());
    } else {
      read<T>();
    }
  } else {
    read<T>();
  }
}

}  // namespace forkful
