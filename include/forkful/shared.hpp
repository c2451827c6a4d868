// Containers in the memory that all workers see at the same address: shared_vector, shared<T>, shared_string, shared_allocator.
//
// Owns the contents of shared_vector and shared<T>. Invariants:
// 1. The process that made the contents frees them: a handle in a process's own memory frees only in the process that
//    filled it, so a copy that a forked child inherited does nothing. A handle that itself lies in shared memory (a row
//    of a matrix of shared_vectors) belongs to what contains it: any worker that changes or destroys it there does so
//    for all processes.
// 2. const is shallow, as with std::span: a const handle cannot change where or how many, the elements stay mutable.
// 3. Elements keep all their memory in shared memory too (detail::shareable).
#pragma once

#include <algorithm>
#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <forkful/detail/travels.hpp>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

void* shared_allocate(std::size_t bytes, std::size_t align);
void shared_deallocate(void* block) noexcept;
/// Memory that a worker may hand over with its results (chunk_io::give): until then it is freed when the worker dies. Aligned to 64. Throws
/// as shared_allocate() does. Outside of workers, and once it is handed over, it is its owner's, to be freed by the second of these; what a
/// worker frees so is free at once.
void* shared_allocate_loose(std::size_t bytes);
void shared_deallocate_loose(void* data) noexcept;
/// Such memory of a worker, which has given it and which this process has not taken: while this process looks at it, it is not freed, also if
/// its results are dropped and the worker ends. Once at a time. False: it is no worker's of this process. Throws std::bad_alloc.
bool look_at_loose(void* data);
void look_away_from_loose(void* data) noexcept;
/// Bytes in front of memory of shared_allocate_loose(), where the block begins that it lies in.
inline constexpr std::size_t before_loose = 128;
/// A private view of shared memory that stays taken as long as the view: copy on write, so what is written there no other process sees. Null:
/// the system refuses it (address space, too many mappings). Cost: a system call, and no copy. `own_view` makes all of it this process's own:
/// then the memory behind it may be freed. It must be called before a fork: what a child has not written it would read in the memory behind
/// it, whatever becomes of that. `drop_view` with the same bytes.
void* private_view(const void* data, std::size_t bytes) noexcept;
void own_view(void* view, std::size_t bytes) noexcept;
void drop_view(void* view, std::size_t bytes) noexcept;
bool in_shared_memory(const void* address, std::size_t bytes) noexcept;
std::uint64_t this_process() noexcept;
[[noreturn]] void refuse_to_resize();  // throws wrong_process

}  // namespace detail

/// Gives all shared memory that is not in use back to the kernel now: what this process and all of its workers, idle or
/// at work, have freed and hold for reuse. Without it that happens to what no call has needed for a second, when the
/// next call of a process_pool or snapshot_pool ends. Blocks up to 32 KiB stay, and a page of each larger one. The
/// next calls are slower by what it takes to get the memory again (0.3 to 1 ms a MB). In a worker: only what that
/// worker has freed.
///
/// Thread-safe. Cost: a look at each 64 KiB of shared memory, and a system call for each block that is given back. Does nothing
/// where there is no shared memory yet.
void trim() noexcept;

/// Puts a standard container's elements in shared memory: `std::deque<int, forkful::shared_allocator<int>>`. Stateless, all
/// are equal. For workers to see the container, the container object has to lie in shared memory too: hold it in a `shared<T>`.
///
/// allocate: throws arena_exhausted, or start_failed if it is the first use of shared memory and none can be mapped.
/// Thread-safe. Small blocks cost about what malloc costs; blocks above 32 KiB are rounded up to multiples of 64 KiB.
/// What a worker frees becomes free when its slice is done.
template <class T>
struct shared_allocator {
  using value_type = T;
  using is_always_equal = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;

  constexpr shared_allocator() noexcept = default;
  template <class U>
  constexpr shared_allocator(const shared_allocator<U>& /*other*/) noexcept {}

  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > (std::numeric_limits<std::size_t>::max)() / 2 / sizeof(T)) throw std::bad_array_new_length{};
    return static_cast<T*>(detail::shared_allocate(n * sizeof(T), alignof(T)));
  }
  void deallocate(T* block, std::size_t /*n*/) noexcept { detail::shared_deallocate(block); }

  template <class U>
  friend constexpr bool operator==(const shared_allocator& /*a*/, const shared_allocator<U>& /*b*/) noexcept {
    return true;
  }
};

/// A string whose characters lie in shared memory (short ones inside the object, as with std::string).
using shared_string = std::basic_string<char, std::char_traits<char>, shared_allocator<char>>;

/// Set to true for a class of yours that keeps all its memory in shared memory (members behind `private`, say), to allow it
/// as an element of shared containers.
template <class T>
inline constexpr bool enable_shared = false;

template <class T>
class shared_vector;
template <class T>
class shared;

namespace detail {

template <class T>
inline constexpr bool is_shared_handle = false;
template <class T>
inline constexpr bool is_shared_handle<shared_vector<T>> = true;
template <class T>
inline constexpr bool is_shared_handle<shared<T>> = true;

template <class T>
inline constexpr bool allocates_shared = false;
template <class T>
  requires requires { typename T::allocator_type; }
inline constexpr bool allocates_shared<T> =
    std::is_same_v<typename T::allocator_type, shared_allocator<typename T::allocator_type::value_type>>;

// Lock-free atomics work across processes.
template <class T>
inline constexpr bool is_shareable_atomic = false;
template <class T>
inline constexpr bool is_shareable_atomic<std::atomic<T>> = bitwise<T> && std::atomic<T>::is_always_lock_free;

template <class T, class... Seen>
constexpr bool is_shareable();

template <class List, class... Seen>
inline constexpr bool all_shareable = false;
template <template <class...> class List, class... T, class... Seen>
inline constexpr bool all_shareable<List<T...>, Seen...> = (is_shareable<std::remove_cv_t<T>, Seen...>() && ...);

// Seen are the types T was found in: one met again inside itself (a tree) adds nothing.
template <class T, class... Seen>
constexpr bool is_shareable() {
  if constexpr ((std::is_same_v<T, Seen> || ...))
    return true;
  else if constexpr (enable_shared<T> || enable_bitwise<T> || is_shared_handle<T> || is_shareable_atomic<T>)
    return true;
  else if constexpr (bitwise<T>)
    return true;
  else if constexpr (is_string<T>)
    return allocates_shared<T>;
  else if constexpr (std::is_bounded_array_v<T>)
    return is_shareable<std::remove_cv_t<std::remove_extent_t<T>>, Seen..., T>();
  else if constexpr (is_std_array<T> || is_optional<T>)
    return is_shareable<typename T::value_type, Seen..., T>();
  else if constexpr (is_variant<T> || is_tuple<T>)
    return all_shareable<T, Seen..., T>;
  else if constexpr (iterable<T>)
    return allocates_shared<T> && is_shareable<typename T::value_type, Seen..., T>();
  else if constexpr (kind_of<T> == kind::aggregate)
    return all_shareable<field_types<T>, Seen..., T>;
  else
    return false;
}

/// True if a T may lie in shared memory: it travels bitwise, or keeps what it owns in shared memory as well.
template <class T>
inline constexpr bool shareable = is_shareable<std::remove_cv_t<T>>();

/// Which process frees what a handle points to. Not copied with the handle: moving says which owns it next.
class ownership {
 public:
  constexpr ownership() noexcept = default;  // no process: borrowed, or empty
  static ownership mine() noexcept { return ownership{this_process()}; }
  // True if the handle at `self` may free or resize its contents in this process.
  [[nodiscard]] bool holds(const void* self) const noexcept {
    return owner_ != 0 && (owner_ == this_process() || in_shared_memory(self, 1));
  }
  // What a handle gets that takes over from the one at `self`.
  [[nodiscard]] ownership moved_from(const void* self) const noexcept { return holds(self) ? mine() : ownership{}; }

 private:
  constexpr explicit ownership(std::uint64_t owner) noexcept : owner_{owner} {}
  std::uint64_t owner_ = 0;
};

}  // namespace detail

/// A vector in shared memory: the elements are at the same address in every worker, whether the pool was made before or
/// after. Passing one to a verb passes a pointer. Move-only; `const` is shallow.
///
/// Not thread-safe beyond what std::vector is; different elements may be changed by different workers at once. Growing
/// throws arena_exhausted; changing the length of a handle whose contents belong to another process (a worker's handle to
/// the caller's vector) throws wrong_process. A worker may return one: ownership moves to the caller, nothing is copied.
template <class T>
class shared_vector {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using iterator = T*;
  using const_iterator = const T*;

  /// Empty; touches no shared memory.
  shared_vector() noexcept = default;
  /// n value-initialised elements (zeros). Costs one pass over the memory, as do the following.
  explicit shared_vector(size_type n) {
    fill(n, [&](T* at) { ::new (static_cast<void*>(at)) T(); });
  }
  shared_vector(size_type n, const T& value) {
    fill(n, [&](T* at) { ::new (static_cast<void*>(at)) T(value); });
  }
  shared_vector(std::initializer_list<T> values) : shared_vector(values.begin(), values.end()) {}
  /// Elements constructed, explicitly if need be, from what the iterators yield: shared_strings from std::strings, say.
  template <std::input_iterator Iterator, std::sentinel_for<Iterator> S>
    requires std::constructible_from<T, std::iter_reference_t<Iterator>>
  shared_vector(Iterator first, S last) {
    if constexpr (std::forward_iterator<Iterator>) {
      const auto n = static_cast<size_type>(std::ranges::distance(first, last));
      fill(n, [&](T* at) {
        ::new (static_cast<void*>(at)) T(*first);
        ++first;
      });
    } else {
      shared_vector grown;
      for (; first != last; ++first) grown.emplace_back(*first);
      take(grown);
    }
  }
  template <std::ranges::input_range R>
    requires(!std::same_as<std::remove_cvref_t<R>, shared_vector> &&
             std::constructible_from<T, std::ranges::range_reference_t<R>>)
  explicit shared_vector(R&& range) : shared_vector(std::ranges::begin(range), std::ranges::end(range)) {}

  shared_vector(shared_vector&& other) noexcept { take(other); }
  shared_vector& operator=(shared_vector&& other) noexcept {
    if (this == &other) return *this;
    shared_vector old;
    old.take(*this);
    take(other);
    return *this;
  }
  shared_vector(const shared_vector&) = delete;
  shared_vector& operator=(const shared_vector&) = delete;
  /// Frees the elements if they belong to this process or the handle lies in shared memory, else does nothing.
  ~shared_vector() {
    if (data_ == nullptr || !owner_.holds(this)) return;
    std::destroy_n(data_, size_);
    detail::shared_deallocate(data_);
  }

  [[nodiscard]] T& operator[](size_type i) const noexcept { return data_[i]; }
  /// Throws std::out_of_range.
  [[nodiscard]] T& at(size_type i) const {
    if (i >= size_) throw std::out_of_range{"forkful: shared_vector::at: the index is not below size()"};
    return data_[i];
  }
  [[nodiscard]] T& front() const noexcept { return data_[0]; }
  [[nodiscard]] T& back() const noexcept { return data_[size_ - 1]; }
  [[nodiscard]] T* data() const noexcept { return data_; }
  [[nodiscard]] T* begin() const noexcept { return data_; }
  [[nodiscard]] T* end() const noexcept { return data_ + size_; }
  [[nodiscard]] const T* cbegin() const noexcept { return data_; }
  [[nodiscard]] const T* cend() const noexcept { return data_ + size_; }
  /// Also by conversion, to span<T> and span<const T>: a shared_vector is a contiguous range.
  [[nodiscard]] std::span<T> span() const noexcept { return {data_, size_}; }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] size_type size() const noexcept { return size_; }
  [[nodiscard]] size_type capacity() const noexcept { return capacity_; }
  [[nodiscard]] static constexpr size_type max_size() noexcept {
    return (std::numeric_limits<size_type>::max)() / 2 / sizeof(T);
  }

  /// Amortised constant. References and spans into the vector end when it grows.
  template <class... Args>
  T& emplace_back(Args&&... args) {
    if (size_ == capacity_) return grow_by_one(std::forward<Args>(args)...);
    ::new (static_cast<void*>(data_ + size_)) T(std::forward<Args>(args)...);
    return data_[size_++];
  }
  void push_back(const T& value) { emplace_back(value); }
  void push_back(T&& value) { emplace_back(std::move(value)); }
  void pop_back() {
    check_owned();
    --size_;
    std::destroy_at(data_ + size_);
  }
  void clear() {
    if (data_ == nullptr) return;
    check_owned();
    const size_type had = std::exchange(size_, 0);
    std::destroy_n(data_, had);
  }
  /// New elements are value-initialised.
  void resize(size_type n) {
    resize_with(n, [](T* at) { ::new (static_cast<void*>(at)) T(); });
  }
  void resize(size_type n, const T& value) {
    resize_with(n, [&](T* at) { ::new (static_cast<void*>(at)) T(value); });
  }
  void reserve(size_type n) {
    if (n > capacity_) move_to(allocate(n), n);
  }
  void swap(shared_vector& other) noexcept { std::swap(*this, other); }
  friend void swap(shared_vector& a, shared_vector& b) noexcept { a.swap(b); }

  /// Element by element.
  friend bool operator==(const shared_vector& a, const shared_vector& b)
    requires std::equality_comparable<T>
  {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

  /// A handle to elements that stay another handle's: it frees nothing and cannot change its length.
  [[nodiscard]] static shared_vector borrow(T* data, size_type size) noexcept {
    shared_vector handle;
    handle.data_ = data;
    handle.size_ = handle.capacity_ = size;
    return handle;
  }
  /// A handle that owns elements another process's handle has released.
  [[nodiscard]] static shared_vector adopt(T* data, size_type size, size_type capacity) noexcept {
    shared_vector handle = borrow(data, size);
    handle.capacity_ = capacity;
    handle.owner_ = detail::ownership::mine();
    return handle;
  }
  /// Leaves the handle empty and the elements to the handle that adopts them.
  T* release() noexcept {
    size_ = capacity_ = 0;
    owner_ = {};
    return std::exchange(data_, nullptr);
  }

 private:
  static T* allocate(size_type n) {
    static_assert(
        detail::shareable<T>,
        "forkful: the elements of a shared_vector keep memory outside shared memory (std::string, std::vector): use "
        "shared_string or shared_vector inside");
    if (n > max_size()) throw std::length_error{"forkful: a shared_vector cannot be that long"};
    return static_cast<T*>(detail::shared_allocate(n * sizeof(T), alignof(T)));
  }

  // Of an empty handle: n elements, each made in place. A throwing constructor leaves nothing behind.
  template <class Make>
  void fill(size_type n, Make make) {
    if (n == 0) return;
    shared_vector made = adopt(allocate(n), 0, n);
    for (T* at = made.data_; made.size_ != n; ++at, ++made.size_) make(at);
    take(made);
  }
  template <class Make>
  void resize_with(size_type n, Make make) {
    if (n == size_) return;
    check_owned();
    if (n > capacity_) {
      // `make` may copy from an element of this vector: it must be made before the old ones go.
      shared_vector grown = adopt(allocate(n), 0, n);
      for (T* at = grown.data_ + size_; at != grown.data_ + n; ++at) make(at);
      move_to(grown.release(), n);
      size_ = n;
      return;
    }
    if (n < size_) {
      const size_type had = std::exchange(size_, n);
      std::destroy(data_ + n, data_ + had);
    }
    while (size_ < n) make(data_ + size_), ++size_;
  }
  template <class... Args>
  T& grow_by_one(Args&&... args) {
    check_owned();
    const size_type wanted = (std::max<size_type>)({2 * capacity_, 64 / sizeof(T), 1});
    shared_vector grown = adopt(allocate(wanted), 0, wanted);
    // First the new element: an argument may be a reference into the old ones.
    ::new (static_cast<void*>(grown.data_ + size_)) T(std::forward<Args>(args)...);
    move_to(grown.release(), wanted);
    return data_[size_++];
  }
  void move_to(T* room, size_type capacity) {
    check_owned();
    static_assert(std::is_nothrow_move_constructible_v<T>,
                  "forkful: the elements of a shared_vector that grows must have a noexcept move constructor");
    std::uninitialized_move_n(data_, size_, room);
    std::destroy_n(data_, size_);
    T* const old = data_;
    data_ = room;
    // A worker killed between the two leaves a capacity that is too small, never one that is too large.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    capacity_ = capacity;
    if (old == nullptr) owner_ = detail::ownership::mine();
    if (old != nullptr) detail::shared_deallocate(old);
  }
  void take(shared_vector& other) noexcept {
    owner_ = other.owner_.moved_from(&other);
    size_ = other.size_;
    capacity_ = other.capacity_;
    data_ = other.release();
  }
  void check_owned() const {
    if (data_ != nullptr && !owner_.holds(this)) detail::refuse_to_resize();
  }

  T* data_ = nullptr;
  size_type size_ = 0;
  size_type capacity_ = 0;
  detail::ownership owner_;
};

template <std::input_iterator Iterator, std::sentinel_for<Iterator> S>
shared_vector(Iterator, S) -> shared_vector<std::iter_value_t<Iterator>>;
template <std::ranges::input_range R>
shared_vector(R&&) -> shared_vector<std::ranges::range_value_t<R>>;

/// One object in shared memory. Passing it to a verb passes a pointer; `->` of a const handle gives mutable access.
/// Move-only; empty only after being moved from. Making one throws what T's constructor throws, and arena_exhausted.
template <class T>
class shared {
 public:
  using element_type = T;

  /// A T made from the arguments, in shared memory.
  template <class... Args>
    requires(std::constructible_from<T, Args...> || requires(Args&&... args) { T{std::forward<Args>(args)...}; }) &&
            (!(sizeof...(Args) == 1 && (std::same_as<std::remove_cvref_t<Args>, shared> && ...)))
  explicit shared(Args&&... args) {
    static_assert(detail::shareable<T>,
                  "forkful: the object of a shared<T> keeps memory outside shared memory (std::string, std::vector): "
                  "use shared_string or shared_vector inside");
    void* const room = detail::shared_allocate(sizeof(T), alignof(T));
    try {
      if constexpr (std::constructible_from<T, Args...>)
        object_ = ::new (room) T(std::forward<Args>(args)...);
      else
        object_ = ::new (room) T{std::forward<Args>(args)...};
    } catch (...) {
      detail::shared_deallocate(room);
      throw;
    }
    owner_ = detail::ownership::mine();
  }
  shared(shared&& other) noexcept { take(other); }
  shared& operator=(shared&& other) noexcept {
    if (this == &other) return *this;
    shared old{nothing{}};
    old.take(*this);
    take(other);
    return *this;
  }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;
  /// Frees the object if it belongs to this process or the handle lies in shared memory, else does nothing.
  ~shared() {
    if (object_ == nullptr || !owner_.holds(this)) return;
    std::destroy_at(object_);
    detail::shared_deallocate(const_cast<std::remove_const_t<T>*>(object_));
  }

  [[nodiscard]] T& operator*() const noexcept { return *object_; }
  [[nodiscard]] T* operator->() const noexcept { return object_; }
  [[nodiscard]] T* get() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  void swap(shared& other) noexcept { std::swap(*this, other); }
  friend void swap(shared& a, shared& b) noexcept { a.swap(b); }

  /// A handle to an object that stays another handle's: it frees nothing.
  [[nodiscard]] static shared borrow(T* object) noexcept {
    shared handle{nothing{}};
    handle.object_ = object;
    return handle;
  }
  /// A handle that owns an object another process's handle has released.
  [[nodiscard]] static shared adopt(T* object) noexcept {
    shared handle = borrow(object);
    if (object != nullptr) handle.owner_ = detail::ownership::mine();
    return handle;
  }
  /// Leaves the handle empty and the object to the handle that adopts it.
  T* release() noexcept {
    owner_ = {};
    return std::exchange(object_, nullptr);
  }

 private:
  struct nothing {};
  explicit shared(nothing /*empty*/) noexcept {}
  void take(shared& other) noexcept {
    owner_ = other.owner_.moved_from(&other);
    object_ = other.release();
  }

  T* object_ = nullptr;
  detail::ownership owner_;
};

template <class T>
shared(T) -> shared<T>;

namespace detail {

// How the codec passes them: as what they point to.
template <class T>
struct handle_codec<shared_vector<T>> {
  using element = T;
  static handle describe(const shared_vector<T>& value) noexcept {
    return {const_cast<std::remove_const_t<T>*>(value.data()), value.size(), value.capacity()};
  }
  static void release(shared_vector<T>& value) noexcept { value.release(); }
  static shared_vector<T> borrow(handle from) noexcept {
    return shared_vector<T>::borrow(static_cast<T*>(from.data), from.size);
  }
  static shared_vector<T> adopt(handle from) noexcept {
    return shared_vector<T>::adopt(static_cast<T*>(from.data), from.size, from.capacity);
  }
};

template <class T>
struct handle_codec<shared<T>> {
  using element = T;
  static handle describe(const shared<T>& value) noexcept {
    const std::size_t one = value ? 1 : 0;
    return {const_cast<std::remove_const_t<T>*>(value.get()), one, one};
  }
  static void release(shared<T>& value) noexcept { value.release(); }
  static shared<T> borrow(handle from) noexcept { return shared<T>::borrow(static_cast<T*>(from.data)); }
  static shared<T> adopt(handle from) noexcept { return shared<T>::adopt(static_cast<T*>(from.data)); }
};

}  // namespace detail
}  // namespace forkful

template <>
struct std::hash<forkful::shared_string> {
  std::size_t operator()(const forkful::shared_string& text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
