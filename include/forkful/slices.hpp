// Ranges to hand to verbs: indices(n), slices(range, k), slices_of(range, length), zip(a, b, ...).
//
// Each borrows an lvalue and owns an rvalue, like the verbs themselves. All are random access and know their size.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

/// Walks anything that has operator[] by index. The range must outlive it.
///
/// A nested class, because the namespaces of a template's arguments are searched for functions and those of the template around a
/// nested class are not: an element type that can be made of anything (std::filesystem::path, nlohmann::json) would be asked
/// whether it can be made of this iterator, in the middle of the compiler finding out whether this is one. For the same reason it
/// says everything that std::iterator_traits would have to find out.
template <class Range>
struct walked_by_index {
  class iterator {
   public:
    using reference = decltype(std::declval<const Range&>()[0]);
    using value_type = std::remove_cvref_t<reference>;
    using pointer = std::conditional_t<std::is_reference_v<reference>, std::add_pointer_t<reference>, void>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category =
        std::conditional_t<std::is_reference_v<reference>, std::random_access_iterator_tag, std::input_iterator_tag>;

    iterator() noexcept = default;
    iterator(const Range* range, std::size_t at) noexcept : range_(range), at_(at) {}

    reference operator*() const { return (*range_)[at_]; }
    pointer operator->() const
      requires std::is_reference_v<reference>
    {
      return std::addressof(**this);
    }
    reference operator[](difference_type n) const { return *(*this + n); }
    iterator& operator++() noexcept { return *this += 1; }
    iterator& operator--() noexcept { return *this -= 1; }
    iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
    iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
    iterator& operator+=(difference_type n) noexcept {
      at_ = static_cast<std::size_t>(static_cast<difference_type>(at_) + n);
      return *this;
    }
    iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    friend iterator operator+(iterator it, difference_type n) noexcept { return it += n; }
    friend iterator operator+(difference_type n, iterator it) noexcept { return it += n; }
    friend iterator operator-(iterator it, difference_type n) noexcept { return it -= n; }
    friend difference_type operator-(const iterator& a, const iterator& b) noexcept {
      return static_cast<difference_type>(a.at_) - static_cast<difference_type>(b.at_);
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }
    friend auto operator<=>(const iterator& a, const iterator& b) noexcept { return a.at_ <=> b.at_; }

   private:
    const Range* range_ = nullptr;
    std::size_t at_ = 0;
  };
};
template <class Range>
using index_iterator = typename walked_by_index<Range>::iterator;

/// What a slice is as an object of its own: a tuple of references, as zip makes them, is one of values.
template <class T>
struct owned_slice : std::type_identity<T> {};
template <class T>
using owned_member = std::conditional_t<std::is_same_v<T, std::vector<bool>::reference>, bool, std::remove_cvref_t<T>>;
template <class... T>
struct owned_slice<std::tuple<T...>> : std::type_identity<std::tuple<owned_member<T>...>> {};
template <class First, class Second>
  requires(std::is_reference_v<First> || std::is_reference_v<Second>)
struct owned_slice<std::pair<First, Second>>
    : std::type_identity<std::pair<owned_member<First>, owned_member<Second>>> {};

/// A reference to an lvalue, or an rvalue itself. Access is mutable, because a const range need not be iterable.
template <class Range>
class owned_range {
 public:
  explicit owned_range(Range&& range) : range_(std::move(range)) {}
  Range& get() const noexcept { return range_; }

 private:
  mutable std::remove_const_t<Range> range_;
};
template <class Range>
class owned_range<Range&> {
 public:
  explicit owned_range(Range& range) noexcept : range_(&range) {}
  Range& get() const noexcept { return *range_; }

 private:
  Range* range_;
};

inline constexpr std::size_t no_limit = SIZE_MAX;
struct not_walked {};

/// Any input range, addressed by index: a reference to an lvalue (Range is then `T&`), or the range itself. What cannot be
/// addressed by index gets a list of its iterators, what can be walked only once a list of its values.
template <class Range>
class indexed {
  static_assert(std::ranges::input_range<Range>,
                "forkful: the first argument of a verb must be a range of slices: indices(n) is one of numbers");
  static constexpr bool direct = std::ranges::random_access_range<Range> && std::ranges::sized_range<Range>;
  static constexpr bool forward = std::ranges::forward_range<Range>;
  using stored_type = std::conditional_t<direct, char,
                                         std::conditional_t<forward, std::vector<std::ranges::iterator_t<Range>>,
                                                            std::vector<std::ranges::range_value_t<Range>>>>;

 public:
  using value_type = typename owned_slice<std::ranges::range_value_t<Range>>::type;
  static constexpr bool walks = !direct;
  /// Without an end of its own: a walk of it alone would never be over.
  static constexpr bool endless = std::is_same_v<std::ranges::sentinel_t<Range>, std::unreachable_sentinel_t>;

  explicit indexed(Range&& slices) : range_(std::forward<Range>(slices)) {
    static_assert(
        !endless,
        "forkful: this range has no end, and a verb runs all of its slices before it returns: take as many as are "
        "wanted (std::views::take, forkful::indices(n)), zip it with a range that ends, or use imap, which reads as "
        "results are taken");
    if constexpr (!endless) walk(no_limit);
  }
  /// Not walked yet: see walk_together.
  indexed(Range&& slices, not_walked /*yet*/) : range_(std::forward<Range>(slices)) {}
  // Iterators do not survive the move of a view that they point back to (std::views::filter): walked again, which may throw.
  // NOLINTNEXTLINE(performance-noexcept-move-constructor)
  indexed(indexed&& other) : range_(std::move(other.range_)) {
    if constexpr (!direct && !forward)
      stored_ = std::move(other.stored_);
    else if constexpr (!direct)
      walk(other.stored_.size());
  }
  indexed& operator=(indexed&&) = delete;

  [[nodiscard]] std::size_t size() const {
    if constexpr (direct)
      return static_cast<std::size_t>(std::ranges::size(range()));
    else
      return stored_.size();
  }
  decltype(auto) operator[](std::size_t i) const {
    if constexpr (direct)
      return std::ranges::begin(range())[static_cast<std::ranges::range_difference_t<Range>>(i)];
    else if constexpr (forward)
      return *stored_[i];
    else
      return stored_[i];
  }
  std::remove_reference_t<Range>& range() const noexcept { return range_.get(); }

  /// How many there are, if the range knows; else no_limit.
  [[nodiscard]] std::size_t known_size() const {
    if constexpr (std::ranges::sized_range<Range>)
      return static_cast<std::size_t>(std::ranges::size(range()));
    else
      return no_limit;
  }
  /// Looks for one slice after another.
  class walker {
   public:
    explicit walker(indexed& walked) noexcept : walked_(walked) {}
    /// Whether there is another one. (Reading may wait for input: not before the caller asks.)
    bool more() {
      if constexpr (!direct) {
        if (std::exchange(begun_, true))
          ++at();
        else
          begin_at(std::ranges::begin(walked_.range()));
        return at() != std::ranges::end(walked_.range());
      } else {
        return true;
      }
    }
    void keep() {
      if constexpr (!direct && forward)
        walked_.stored_.push_back(at());
      else if constexpr (!direct)
        walked_.stored_.emplace_back(*at());
    }

   private:
    void begin_at(std::ranges::iterator_t<Range> first) {
      if constexpr (forward)
        at_ = std::move(first);
      else
        at_ = std::make_unique<std::ranges::iterator_t<Range>>(std::move(first));
    }
    std::ranges::iterator_t<Range>& at() {
      if constexpr (forward)
        return at_;
      else
        return *at_;
    }

    indexed& walked_;
    // That of an input range need not have a state before the beginning. (GCC takes the inside of a std::optional for uninitialised.)
    std::conditional_t<forward, std::ranges::iterator_t<Range>, std::unique_ptr<std::ranges::iterator_t<Range>>> at_{};
    bool begun_ = false;
  };

 private:
  void walk(std::size_t most) {
    if constexpr (!direct) {
      walker at(*this);
      for (std::size_t n = 0; n != most && at.more(); ++n) at.keep();
    }
  }

  owned_range<Range> range_;
  [[no_unique_address]] stored_type stored_{};
};

/// Walks several ranges as far as the shortest goes: others may have no end.
template <class... Range>
void walk_together(indexed<Range>&... each) {
  const std::size_t most = (std::min)({each.known_size()...});
  std::tuple<typename indexed<Range>::walker...> walkers{typename indexed<Range>::walker{each}...};
  std::apply(
      [most](auto&... at) {
        for (std::size_t n = 0; n != most && (at.more() && ...); ++n) (at.keep(), ...);
      },
      walkers);
}

/// Where slice i begins when n elements are cut in `count` slices whose lengths differ by at most one.
constexpr std::size_t slice_bound(std::size_t n, std::size_t count, std::size_t i) noexcept {
  return count == 0 ? 0 : i * (n / count) + (std::min)(i, n % count);
}

/// How elements are cut in slices.
struct cutting {
  std::size_t elements = 0;
  std::size_t count = 0;   ///< slices
  std::size_t length = 0;  ///< of each but the last, at most `elements`; 0: as nearly the same as can be

  /// Where slice i begins.
  [[nodiscard]] constexpr std::size_t bound(std::size_t i) const noexcept {
    return length == 0 ? slice_bound(elements, count, i) : (std::min)(i * length, elements);
  }
};

/// Throws std::invalid_argument: slices of no length.
[[noreturn]] inline void refuse_no_length() {
  throw std::invalid_argument(
      "forkful: slices_of cuts slices of a given length, which must be at least 1: give it the number of elements of a "
      "slice, or use slices(range, k) for k slices");
}

}  // namespace detail

/// The numbers 0 ... n-1, as slices that take no memory and are never copied.
class index_range {
 public:
  explicit index_range(std::size_t n) noexcept : size_(n) {}
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  std::size_t operator[](std::size_t i) const noexcept { return i; }
  [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<index_range>(this, 0); }
  [[nodiscard]] auto end() const noexcept { return detail::index_iterator<index_range>(this, size_); }

 private:
  std::size_t size_;
};

[[nodiscard]] inline index_range indices(std::size_t n) noexcept { return index_range(n); }

/// A contiguous range cut in spans (see slices and slices_of). It keeps the container in its type, so that a verb knows whether the
/// elements lie in shared memory.
template <class Range>
class slice_range {
 public:
  using element = std::remove_reference_t<std::ranges::range_reference_t<Range>>;

  /// In min(k, n) spans; or, with a length, in spans of so many elements.
  slice_range(Range&& range, std::size_t k, std::size_t length = 0)
      : range_(std::forward<Range>(range)), most_(k), length_(length) {}

  [[nodiscard]] std::size_t size() const { return cut().count; }
  std::span<element> operator[](std::size_t i) const {
    const detail::cutting how = cut();
    const std::size_t first = how.bound(i);
    return {data() + first, how.bound(i + 1) - first};
  }
  [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<slice_range>(this, 0); }
  [[nodiscard]] auto end() const { return detail::index_iterator<slice_range>(this, size()); }

  [[nodiscard]] element* data() const { return std::ranges::data(range_.get()); }
  [[nodiscard]] std::remove_reference_t<Range>& range() const noexcept { return range_.get(); }
  [[nodiscard]] std::size_t elements() const { return static_cast<std::size_t>(std::ranges::size(range_.get())); }
  [[nodiscard]] detail::cutting cut() const {
    const std::size_t n = elements();
    if (length_ == 0) return {n, (std::min)(most_, n), 0};
    const std::size_t length = (std::min)(length_, n);
    return {n, length == 0 ? 0 : n / length + (n % length == 0 ? 0 : 1), length};
  }

 private:
  detail::owned_range<Range> range_;
  std::size_t most_;
  std::size_t length_;
};

/// A contiguous range as min(k, n) spans whose lengths differ by at most one, the longer ones first.
template <class Range>
  requires std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>
[[nodiscard]] slice_range<Range> slices(Range&& range, std::size_t k) {
  return {std::forward<Range>(range), k};
}

/// A contiguous range as spans of `length` elements each, the last one shorter if it does not divide: the rows of an image
/// (`slices_of(pixels, width)`), or bands of whole rows (`slices_of(pixels, 16 * width)`). Verbs treat it as slices(range, k), in place
/// too. Throws std::invalid_argument if length is 0.
template <class Range>
  requires std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>
[[nodiscard]] slice_range<Range> slices_of(Range&& range, std::size_t length) {
  if (length == 0) detail::refuse_no_length();
  return {std::forward<Range>(range), 0, length};
}

/// Several ranges side by side: slice i holds element i of each. As long as the shortest: the others may have no end, and
/// are read no further than that, those given before it by at most one element (to look whether there is one is to read it).
template <class... Ranges>
class zip_range {
 public:
  explicit zip_range(Ranges&&... ranges)
      : ranges_(detail::indexed<Ranges>(std::forward<Ranges>(ranges), detail::not_walked{})...) {
    static_assert(
        !(detail::indexed<Ranges>::endless && ...),
        "forkful: none of the ranges of this zip has an end: one of them must, and as long as the shortest is the zip");
    if constexpr ((detail::indexed<Ranges>::walks || ...)) {
      std::apply([](auto&... each) { detail::walk_together(each...); }, ranges_);
    }
  }

  [[nodiscard]] std::size_t size() const {
    return std::apply([](const auto&... each) { return (std::min)({each.size()...}); }, ranges_);
  }
  std::tuple<decltype(std::declval<const detail::indexed<Ranges>&>()[0])...> operator[](std::size_t i) const {
    return std::apply([i](const auto&... each) { return std::tuple<decltype(each[i])...>(each[i]...); }, ranges_);
  }
  [[nodiscard]] auto begin() const noexcept { return detail::index_iterator<zip_range>(this, 0); }
  [[nodiscard]] auto end() const noexcept { return detail::index_iterator<zip_range>(this, size()); }

  [[nodiscard]] const std::tuple<detail::indexed<Ranges>...>& parts() const noexcept { return ranges_; }

 private:
  std::tuple<detail::indexed<Ranges>...> ranges_;
};

template <class First, class... More>
  requires std::ranges::input_range<First> && (std::ranges::input_range<More> && ...)
[[nodiscard]] zip_range<First, More...> zip(First&& first, More&&... more) {
  return zip_range<First, More...>(std::forward<First>(first), std::forward<More>(more)...);
}

}  // namespace forkful
