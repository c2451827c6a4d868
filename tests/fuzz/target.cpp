#include "fuzz/target.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <forkful/codec.hpp>
#include <forkful/errors.hpp>
#include <forkful/shared.hpp>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace forkful_tests {

// A handle that counts instead of freeing.
struct loose_handle {
  forkful::detail::handle to{};
};

// A codec of the user's own, with all that a source offers: a count that it chose, raw bytes across segments, values.
struct crate {
  std::string label;
  std::vector<std::uint16_t> bottles;
  bool operator==(const crate&) const = default;
};

struct nothing {
  bool operator==(const nothing&) const = default;
};

}  // namespace forkful_tests

template <>
struct forkful::codec<forkful_tests::crate> {
  static void write(sink& out, const forkful_tests::crate& value) {
    out.write(value.label);
    out.write(static_cast<std::uint8_t>(value.bottles.size()));
    out.write(value.bottles.data(), (value.bottles.size() & 0xff) * sizeof(std::uint16_t));
  }
  static forkful_tests::crate read(source& in) {
    forkful_tests::crate value;
    value.label = in.read<std::string>();
    value.bottles.resize(in.read<std::uint8_t>());
    in.read(value.bottles.data(), value.bottles.size() * sizeof(std::uint16_t));
    return value;
  }
};

template <>
struct forkful::codec<forkful_tests::nothing> {
  static void write(sink&, const forkful_tests::nothing&) {}
  static forkful_tests::nothing read(source&) { return {}; }
};

template <>
struct forkful::detail::handle_codec<forkful_tests::loose_handle> {
  using element = std::uint32_t;
  static handle describe(const forkful_tests::loose_handle& value) noexcept { return value.to; }
  static void release(forkful_tests::loose_handle& value) noexcept { value.to = {}; }
  static forkful_tests::loose_handle borrow(handle from) noexcept { return {from}; }
  static forkful_tests::loose_handle adopt(handle from) noexcept;
};

namespace forkful_tests {

namespace {

using forkful::codec_error;
using forkful::sink;
using forkful::source;
using forkful::detail::segment;

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

// ---- Memory that the writer of a frame is said to own ----

// Blocks of a chain, and one block of shared memory that handles may point into.
struct owned_memory {
  std::vector<std::pair<const char*, std::size_t>> blocks;

  static bool owns(void* self, const void* address, std::size_t bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    for (const auto& [begin, size] : static_cast<owned_memory*>(self)->blocks) {
      const std::uintptr_t offset = at - reinterpret_cast<std::uintptr_t>(begin);
      if (offset < size && bytes <= size - offset) return true;
    }
    return false;
  }
};

// Two blocks of shared memory: the reader's, and the writer's, which handles may be adopted from.
char* block(bool of_writer) {
  static auto* const readers = static_cast<char*>(forkful::detail::shared_allocate(4096, 64));
  static auto* const writers = static_cast<char*>(forkful::detail::shared_allocate(1024, 64));
  return of_writer ? writers : readers;
}

owned_memory* adopting_from = nullptr;

}  // namespace
}  // namespace forkful_tests

forkful_tests::loose_handle forkful::detail::handle_codec<forkful_tests::loose_handle>::adopt(handle from) noexcept {
  using namespace forkful_tests;
  if (from.data != nullptr && (adopting_from == nullptr || from.data != block(true) ||
                               !owned_memory::owns(adopting_from, from.data, from.capacity * 4)))
    broken("what is adopted is a whole block of the writer's");
  return {from};
}

namespace forkful_tests {
namespace {

// ---- Types ----

enum class colour : std::uint8_t { red, green };

struct point {
  std::int32_t x, y;
  bool operator==(const point&) const = default;
};

struct deep {
  std::string name;
  std::optional<std::vector<std::optional<std::string>>> notes;
  std::map<std::string, std::vector<point>> places;
  std::variant<std::monostate, int, std::string, std::vector<crate>> any;
  std::pair<colour, std::tuple<std::uint8_t, std::u16string>> odd;
  bool operator==(const deep&) const = default;
};

struct tree {
  std::uint16_t leaf = 0;
  std::vector<tree> branches;
  bool operator==(const tree&) const = default;
};

using one_of_everything =
    std::tuple<deep, std::set<std::string>, std::unordered_map<int, std::string>, tree, std::deque<bool>,
               std::vector<bool>, std::array<std::string, 3>, std::list<nothing>>;

void look_at(char byte) {
  [[maybe_unused]] static volatile char seen;
  seen = byte;
}
// Of a view as long as the arena, which is sound, only the ends.
void look_at_all(const void* data, std::size_t bytes) {
  constexpr std::size_t enough = 4096;
  const auto* const text = static_cast<const char*>(data);
  for (std::size_t i = 0; i < std::min(bytes, enough); ++i) look_at(text[i]);
  if (bytes > enough) look_at(text[bytes - 1]);
}

// What was decoded is a good value: it comes back from its own encoding.
template <class T>
void comes_back(const T& value) {
  sink out(forkful::detail::private_segments());
  out.write(value);
  source in(out.first());
  if (!(in.read<T>() == value)) broken("a value comes back from its encoding as it was");
  if (in.remaining() != 0) broken("a value is read as far as it was written");
}

template <class T>
void read_value(source& in) {
  comes_back(in.read<T>());
}

template <class T>
void read_span(source& in) {
  const auto view = in.read<std::span<const T>>();
  look_at_all(view.data(), view.size_bytes());
}

template <class T>
void skip_value(source& in) {
  in.skip<T>();
  if (in.remaining() != 0) in.skip<std::uint8_t>();
}

void read_text_view(source& in) {
  const auto view = in.read<std::string_view>();
  look_at_all(view.data(), view.size());
}

void read_borrowed(source& in) {
  const auto table = in.read<forkful::shared_vector<std::uint32_t>>();
  look_at_all(table.data(), table.size() * sizeof(std::uint32_t));
}

void read_handles(source& in) {
  for (const loose_handle& one : in.read<std::vector<loose_handle>>()) look_at_all(one.to.data, one.to.capacity * 4);
}

void read_keeping(source& in) {
  std::vector<std::string> keep;
  for (const std::string& each : forkful::detail::read_span<std::string>(in, keep))
    look_at_all(each.data(), each.size());
}

// As the parent does with what workers say.
void read_failure(source& in) {
  const auto failure = in.read<forkful::slice_failure>();
  try {
    forkful::detail::rethrow(failure);
  } catch (const std::exception& error) {
    look_at_all(error.what(), std::strlen(error.what()));
    if (dynamic_cast<const forkful::slice_info*>(&error) == nullptr) broken("a failure names its slice");
  }
}

void read_many(source& in) {
  while (in.remaining() != 0) {
    const std::size_t before = in.remaining();
    look_at_all(in.view(1), 1);
    if (in.remaining() >= before) broken("reading makes progress");
  }
}

struct reader {
  void (*read)(source&);
  bool adopts;
};

constexpr std::array readers{
    reader{read_value<std::string>, false},
    reader{read_value<std::vector<std::string>>, false},
    reader{read_value<std::map<std::string, int>>, false},
    reader{read_value<std::variant<int, std::string, std::vector<std::uint16_t>>>, false},
    reader{read_value<std::optional<std::string>>, false},
    reader{read_value<deep>, false},
    reader{read_value<crate>, false},
    reader{read_value<std::vector<crate>>, false},
    reader{read_value<tree>, false},
    reader{read_value<one_of_everything>, false},
    reader{read_value<std::filesystem::path>, false},
    reader{read_value<std::forward_list<point>>, false},
    reader{read_value<std::unordered_map<std::string, std::vector<std::string>>>, false},
    reader{read_value<std::bitset<70>>, false},
    reader{read_span<std::uint64_t>, false},
    reader{read_span<point>, false},
    reader{skip_value<std::vector<std::string>>, false},
    reader{skip_value<std::vector<std::uint64_t>>, false},
    reader{read_text_view, false},
    reader{read_borrowed, false},
    reader{read_handles, false},
    reader{read_handles, true},
    reader{read_keeping, false},
    reader{read_failure, false},
    reader{read_many, false},
};

// ---- Frames ----

class bytes_of {
 public:
  bytes_of(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  std::uint8_t next() {
    if (left_ == 0) return 0;
    --left_;
    return *at_++;
  }
  [[nodiscard]] std::size_t left() const { return left_; }
  void take(void* to, std::size_t size) {
    std::memcpy(to, at_, size);
    at_ += size;
    left_ -= size;
  }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
};

// What is wrong with the chain of segments, in the upper bits of the second byte.
enum damage : unsigned { none, rings, dangles, too_much_used, misaligned, ends_outside, damages };

// A word whose upper half says "cake" becomes a pointer into a shared block, as far as its lower half says.
constexpr std::uint64_t pointer_mark = 0x63616b65;
constexpr std::uint64_t of_writer = 0x8000;

struct chain {
  struct free_block {
    void operator()(char* block) const { ::operator delete(block, std::align_val_t{64}); }
  };
  std::vector<std::unique_ptr<char, free_block>> blocks;
  owned_memory owned;
  segment* first = nullptr;

  void add(bytes_of& input, std::size_t size) {
    auto* const memory = static_cast<char*>(::operator new(sizeof(segment) + size, std::align_val_t{64}));
    blocks.emplace_back(memory);
    owned.blocks.emplace_back(memory, sizeof(segment) + size);
    auto* const piece = new (memory) segment{nullptr, size, size};
    input.take(piece->data(), size);
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, piece->data() + at, 8);
      if (word >> 32 != pointer_mark) continue;
      word = reinterpret_cast<std::uintptr_t>(block((word & of_writer) != 0)) + (word & 0x7fff);
      std::memcpy(piece->data() + at, &word, 8);
    }
    if (first == nullptr) {
      first = piece;
    } else {
      last->next = piece;
    }
    last = piece;
  }

  void break_it(unsigned how, std::uint8_t where) {
    if (first == nullptr) return;
    segment* piece = first;
    for (std::size_t steps = where % blocks.size(); steps != 0; --steps) piece = piece->next;
    switch (how) {
      case rings:
        last->next = piece;
        break;
      case dangles:
        piece->next = reinterpret_cast<segment*>(std::uintptr_t{where} << 12 | 64);
        break;
      case too_much_used:
        piece->used += 1 + where;
        piece->capacity = where % 2 == 0 ? piece->used : SIZE_MAX;
        break;
      case misaligned:
        piece->next = reinterpret_cast<segment*>(piece->data() + where % 63 + 1);
        break;
      case ends_outside:
        piece->used = piece->capacity = SIZE_MAX - where;
        break;
      default:
        break;
    }
  }

  segment* last = nullptr;
};

}  // namespace

fate decode(const std::uint8_t* input, std::size_t bytes) {
  bytes_of in(input, bytes);
  const reader& how = readers[in.next() % readers.size()];
  const std::uint8_t shape = in.next();
  const std::uint8_t where = in.next();
  const unsigned pieces = 1 + shape % 4;
  std::array<std::uint8_t, 4> sizes{};
  for (std::uint8_t& size : sizes) size = in.next();
  chain frame;
  for (unsigned i = 0; i + 1 < pieces; ++i) frame.add(in, std::min<std::size_t>(sizes[i], in.left()));
  frame.add(in, in.left());
  frame.break_it(shape / 4 % (2 * damages), where);  // half of them not at all
  frame.owned.blocks.emplace_back(block(true), 1024);

  fate became = fate::chain_refused;
  try {
    source from(frame.first, {std::size_t{1} << 20, &frame.owned, owned_memory::owns});
    became = fate::refused;
    from.adopting(how.adopts);
    adopting_from = how.adopts ? &frame.owned : nullptr;
    how.read(from);
    if (from.offset() > bytes) broken("no more is read than there is");
    became = fate::decoded;
  } catch (const codec_error&) {
  }
  adopting_from = nullptr;
  return became;
}

// ---- Values ----

namespace {

template <class T>
struct maker;

template <class T>
T make(bytes_of& in) {
  return maker<T>{}(in);
}

template <class T>
  requires std::is_integral_v<T>
struct maker<T> {
  T operator()(bytes_of& in) const {
    if constexpr (std::is_same_v<T, bool>) return in.next() % 2 != 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = value << 8 | in.next();
    return static_cast<T>(value);
  }
};
template <class T>
struct many {
  T operator()(bytes_of& in) const {
    T made;
    for (unsigned n = in.next() % 8; n != 0 && in.left() != 0; --n)
      made.insert(made.end(), make<std::remove_const_t<typename T::value_type>>(in));
    return made;
  }
};
template <class L>
struct maker<std::basic_string<L>> : many<std::basic_string<L>> {};
template <class T>
struct maker<std::vector<T>> : many<std::vector<T>> {};
template <class T>
struct maker<std::deque<T>> : many<std::deque<T>> {};
template <class T>
struct maker<std::list<T>> : many<std::list<T>> {};
template <class T>
struct maker<std::set<T>> : many<std::set<T>> {};
template <class K, class T>
struct maker<std::map<K, T>> : many<std::map<K, T>> {};
template <class K, class T>
struct maker<std::unordered_map<K, T>> : many<std::unordered_map<K, T>> {};
template <class A, class B>
struct maker<std::pair<A, B>> {
  std::pair<A, B> operator()(bytes_of& in) const { return {make<std::remove_const_t<A>>(in), make<B>(in)}; }
};
template <class... T>
struct maker<std::tuple<T...>> {
  std::tuple<T...> operator()(bytes_of& in) const { return {make<T>(in)...}; }
};
template <class T>
struct maker<std::optional<T>> {
  std::optional<T> operator()(bytes_of& in) const {
    if (in.next() % 2 == 0) return std::nullopt;
    return make<T>(in);
  }
};
template <>
struct maker<std::monostate> {
  std::monostate operator()(bytes_of&) const { return {}; }
};
template <class... T>
struct maker<std::variant<T...>> {
  std::variant<T...> operator()(bytes_of& in) const {
    using any = std::variant<T...>;
    constexpr std::array<any (*)(bytes_of&), sizeof...(T)> makers{[](bytes_of& from) { return any(make<T>(from)); }...};
    return makers[in.next() % makers.size()](in);
  }
};
template <class T, std::size_t N>
struct maker<std::array<T, N>> {
  std::array<T, N> operator()(bytes_of& in) const {
    std::array<T, N> made;
    for (T& each : made) each = make<T>(in);
    return made;
  }
};
template <>
struct maker<colour> {
  colour operator()(bytes_of& in) const { return static_cast<colour>(in.next()); }
};
template <>
struct maker<point> {
  point operator()(bytes_of& in) const { return {make<std::int32_t>(in), make<std::int32_t>(in)}; }
};
template <>
struct maker<nothing> {
  nothing operator()(bytes_of&) const { return {}; }
};
template <>
struct maker<crate> {
  crate operator()(bytes_of& in) const { return {make<std::string>(in), make<std::vector<std::uint16_t>>(in)}; }
};
template <>
struct maker<tree> {
  tree operator()(bytes_of& in) const {
    static unsigned depth = 0;
    tree made{make<std::uint16_t>(in), {}};
    if (depth < 40) {
      ++depth;
      made.branches = make<std::vector<tree>>(in);
      --depth;
    }
    return made;
  }
};
template <>
struct maker<deep> {
  deep operator()(bytes_of& in) const {
    return {make<decltype(deep::name)>(in), make<decltype(deep::notes)>(in), make<decltype(deep::places)>(in),
            make<decltype(deep::any)>(in), make<decltype(deep::odd)>(in)};
  }
};

// An input that decodes as the `which`-th reader's type.
template <class T>
std::string seed(std::size_t which, const T& value) {
  sink out(forkful::detail::private_segments());
  out.write(value);
  std::string input(7, '\0');
  input[0] = static_cast<char>(which);
  source in(out.first());
  std::string body(in.remaining(), '\0');
  in.read(body.data(), body.size());
  return input + body;
}

// A handle or a view of something in the shared block.
std::string seed_of_pointer(std::size_t which, const std::vector<std::uint64_t>& words) {
  std::string input(7, '\0');
  input[0] = static_cast<char>(which);
  return input.append(reinterpret_cast<const char*>(words.data()), words.size() * 8);
}

std::vector<std::string> make_seeds() {
  const crate box{"cake", {1, 2, 3, 4, 5}};
  const deep value{"name",
                   {{"a note", std::nullopt, ""}},
                   {{"here", {{1, 2}, {3, 4}}}, {"there", {}}},
                   std::vector{box, box},
                   {colour::green, {7, u"letters"}}};
  const tree oak{1, {{2, {}}, {3, {{4, {}}, {5, {}}}}}};
  const std::vector<std::string> words{"one", "", std::string(60, 'x'), "four"};
  const std::uint64_t in_block = pointer_mark << 32;
  const std::uint64_t elsewhere = forkful::detail::elsewhere;
  const std::uint64_t letters = elsewhere | 100;  // not aligned, behind a byte
  forkful::slice_failure failure;
  failure.what = "what it said";
  failure.type = "std::system_error";
  failure.base = 13;
  failure.frames = words;
  return {
      seed(0, std::string("a slice of cake")),
      seed(1, words),
      seed(2, std::map<std::string, int>{{"one", 1}, {"two", 2}}),
      seed(3, std::variant<int, std::string, std::vector<std::uint16_t>>(std::vector<std::uint16_t>{1, 2, 3})),
      seed(4, std::optional<std::string>("cream")),
      seed(5, value),
      seed(6, box),
      seed(7, std::vector{box, box, box}),
      seed(8, oak),
      seed(9, one_of_everything{value,
                                {"a", "b"},
                                {{1, "one"}},
                                oak,
                                {true, false},
                                {true, true, false},
                                {"x", "y", "z"},
                                std::list<nothing>(3)}),
      seed(10, std::filesystem::path("/a/path")),
      seed(11, std::forward_list<point>{{1, 2}, {3, 4}}),
      seed(12, std::unordered_map<std::string, std::vector<std::string>>{{"words", words}}),
      seed(13, std::bitset<70>(12345)),
      seed(14, std::vector<std::uint64_t>{1, 2, 3, 4}),
      seed_of_pointer(14, {elsewhere | 4, in_block | 1024}),
      seed(15, std::vector<point>{{1, 2}, {3, 4}}),
      seed(16, words),
      seed(17, std::vector<std::uint64_t>{1, 2, 3, 4}),
      seed(18, std::string("read in place")),
      seed_of_pointer(18, {letters << 8 | forkful::detail::long_count, letters >> 56, in_block | 8}),
      seed_of_pointer(19, {in_block | 1024, 10, 20}),
      seed_of_pointer(20, {2, in_block | 64, 10, 20, in_block | 0, 0, 1}),
      seed_of_pointer(21, {2, in_block | of_writer, 10, 20, 0, 0, 0}),
      seed(22, words),
      seed(23, failure),
      seed(24, std::string(300, 'y')),
  };
}

}  // namespace

std::size_t round_trip(const std::uint8_t* input, std::size_t bytes) {
  bytes_of in(input, bytes);
  std::size_t made = 0;
  do {
    comes_back(make<one_of_everything>(in));
    ++made;
  } while (in.left() != 0 && made < 64);
  return made;
}

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all = make_seeds();
  return all;
}

}  // namespace forkful_tests
