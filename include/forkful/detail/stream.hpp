// sink and source: how a value becomes bytes in shared memory and a value again.
//
// Both ends are the same program, so the bytes carry no versions, no byte order and no type tags. Invariants:
// 1. A frame is a chain of segments. What one call writes is never split, so it can be read as a view, in place.
// 2. Everything is aligned by its address (up to 64), on both sides; segments begin at multiples of 64.
// 3. A source believes nothing it reads: each length is checked against the bytes left before anything is allocated,
//    each segment against the memory of the process that wrote it, and nesting is limited.
// 4. Handles into shared memory change owner only after the whole value is written (sink::give), and only in an
//    adopting source.
// A sink or source is used by one thread. The hot paths are a pointer bump; everything else is in src/codec/codec.cpp.
#pragma once

#include <cstdint>
#include <cstring>
#include <forkful/detail/travels.hpp>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace [[gnu::visibility("default")]] forkful {

namespace detail {

inline constexpr std::size_t most_alignment = 64;
inline constexpr unsigned most_nesting = 128;
inline constexpr unsigned char long_count = 255;  // instead of a short count: a long one follows

/// One piece of a frame; the data follows at +64.
struct alignas(most_alignment) segment {
  segment* next;
  std::size_t capacity;  // bytes of data there is room for
  std::size_t used;      // bytes of data written

  char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
  const char* data() const noexcept { return reinterpret_cast<const char*>(this + 1); }
};
static_assert(sizeof(segment) == most_alignment);

/// A segment in memory that is aligned to most_alignment and has room for it and `capacity` bytes.
inline segment* make_segment(void* memory, std::size_t capacity) noexcept {
  return ::new (memory) segment{nullptr, capacity, 0};
}

/// Where a sink gets its segments: `allocate` returns one, 64-aligned, with `capacity` (at least what was wanted)
/// filled in, or throws. `release`, if given, takes back one segment; without it a sink that is destroyed leaves its
/// chain alone.
struct segment_memory {
  void* self = nullptr;
  segment* (*allocate)(void* self, std::size_t capacity_wanted) = nullptr;
  void (*release)(void* self, segment* piece) noexcept = nullptr;
};

/// Segments in ordinary memory, for frames that stay in this process.
segment_memory private_segments() noexcept;

/// What a source believes of memory that another process wrote. Without `owns`, everything.
struct source_bounds {
  std::size_t most_bytes = SIZE_MAX;  // of the whole frame
  void* self = nullptr;
  bool (*owns)(void* self, const void* address, std::size_t bytes) = nullptr;  // never faults
};

/// Throws codec_error: "codec_error: <type> at byte <offset> of its encoding: <what>".
[[noreturn]] void throw_codec_error(const char* what, std::string_view type, std::size_t offset);

inline std::size_t padding(const char* at, std::size_t alignment) noexcept {
  return (std::size_t{0} - reinterpret_cast<std::uintptr_t>(at)) & (alignment - 1);
}

}  // namespace detail

/// Where values are written to. Programs meet it in `forkful::codec<T>::write` only.
class sink {
 public:
  /// A place in the frame to come back to.
  struct position {
    detail::segment* segment = nullptr;
    std::size_t used = 0;
    std::size_t before = 0;
    std::size_t handles = 0;
    std::size_t pointed = 0;
  };

  explicit sink(detail::segment_memory memory) noexcept : memory_(memory) {}
  /// Begins with a piece that is lent to it: the first of the chain, which it never releases.
  sink(detail::segment_memory memory, detail::segment& lent) noexcept : first_(&lent), memory_(memory), lent_(&lent) {
    use(&lent, 0);
  }
  ~sink();
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;

  /// Writes any value that travels. Throws arena_exhausted, or codec_error for a value that cannot travel (a variant
  /// without a value, more than 128 levels of nesting), or what a user's codec throws; then the frame is to be rolled
  /// back.
  template <class T>
  void write(const T& value);

  /// Writes raw bytes, to be read by `source::read(void*, size)` or `source::view(size)`.
  void write(const void* bytes, std::size_t size) {
    if (size != 0) std::memcpy(extend(size, 1), bytes, size);
  }

  /// Contiguous uninitialised room for `bytes`, which count as written. `align` is a power of two, at most 64.
  char* extend(std::size_t bytes, std::size_t align = 1) {
    const std::size_t room = static_cast<std::size_t>(end_ - next_);
    const std::size_t skip = detail::padding(next_, align);
    if (skip <= room && bytes - 1 < room - skip) [[likely]] {  // false for 0 bytes
      char* at = next_ + skip;
      next_ = at + bytes;
      return at;
    }
    return extend_elsewhere(bytes);
  }

  /// The same in a piece of memory that nothing else lies in, aligned to 64. `bytes` is not 0.
  char* extend_alone(std::size_t bytes);

  /// Hint: about so many bytes follow.
  void reserve(std::size_t bytes) noexcept;

  /// Bytes written so far, alignment included.
  std::size_t size() const noexcept { return before_ + used(); }
  /// The same without handles and pointers into shared memory: what was copied.
  std::size_t copied() const noexcept { return size() - pointed_; }

  // What follows is for forkful's back ends.

  /// Writes a result. Handles in it (shared_vector, shared) lose their contents to the frame once the whole value is
  /// written. If anything throws, the frame is as before and the handles keep what they had.
  template <class T>
  void give(T& value) {
    const position start = mark();
    const bool was = std::exchange(giving_, true);
    try {
      write(std::as_const(value));
    } catch (...) {
      giving_ = was;
      rollback(start);
      throw;
    }
    giving_ = was;
    if (!was && !handles_.empty()) release_handles();
  }

  /// Says in the frame itself how far it goes, for the process that reads it should the writer die. Cost: a store.
  void publish() noexcept {
    if (current_ != nullptr) current_->used = used();
  }

  position mark() const noexcept { return {current_, used(), before_, handles_.size(), pointed_}; }
  /// Drops everything written since the mark; later segments are kept for reuse.
  void rollback(position to) noexcept;
  /// Drops the end of the room that was extended last, from `to` on, and publishes the rest. Takes no memory; a writer that dies in
  /// here leaves a frame that goes at least as far as `to`.
  void cut_back(char* to) noexcept;

  /// The frame written so far; null if nothing was. It stays the sink's.
  detail::segment* first() noexcept;
  /// The frame, which is the caller's from now on; the sink is as new.
  detail::segment* take() noexcept;

  /// For codecs of handles: asks for `release(object)` once the value is written; does nothing outside `give`. The
  /// object must be part of the value given, not a temporary.
  void on_release(void* object, void (*release)(void*) noexcept) {
    if (giving_) handles_.push_back({object, release});
  }

  /// Room for a word or three that only point at data: not counted as copied.
  char* extend_pointer(std::size_t bytes, std::size_t align) {
    const std::size_t start = size();
    char* const at = extend(bytes, align);
    pointed_ += size() - start;
    return at;
  }

  void enter(std::string_view type) {
    if (++depth_ > detail::most_nesting) too_deep(type);
  }
  void leave() noexcept { --depth_; }

 private:
  struct given {
    void* object;
    void (*release)(void*) noexcept;
  };

  std::size_t used() const noexcept {
    return current_ == nullptr ? 0 : static_cast<std::size_t>(next_ - current_->data());
  }
  char* extend_elsewhere(std::size_t bytes);
  void use(detail::segment* piece, std::size_t used) noexcept;
  void release_handles() noexcept;
  [[noreturn]] void too_deep(std::string_view type);

  char* next_ = nullptr;  // null, or in current_
  char* end_ = nullptr;
  std::size_t before_ = 0;  // bytes used in the segments before current_
  detail::segment* first_ = nullptr;
  detail::segment* current_ = nullptr;
  detail::segment_memory memory_;
  detail::segment* lent_ = nullptr;
  std::size_t hint_ = 0;
  std::size_t pointed_ = 0;
  unsigned depth_ = 0;
  bool giving_ = false;
  bool alone_ = false;  // what lies in current_
  std::vector<given> handles_;
};

/// Where values are read from. Programs meet it in `forkful::codec<T>::read` only.
class source {
 public:
  /// Reads a frame; `bounds` say what to believe. Throws codec_error if the chain itself is not within them.
  explicit source(const detail::segment* first, detail::source_bounds bounds = {});
  /// Reads one block, aligned to 64 and laid out as a segment's data.
  source(const void* block, std::size_t size) noexcept
      : next_(static_cast<const char*>(block)), end_(next_ + size), total_(size) {}

  /// Reads a T, as it was written. Views (std::string_view, std::span) read from what a string or container wrote point
  /// into the frame and live as long as it. Throws codec_error, naming type and offset, if the bytes are not a T.
  template <class T>
  T read();

  /// Reads into an existing object; the only way to read a C array.
  template <class T>
  void read_into(T& value);

  /// Reads raw bytes, across segments if need be.
  void read(void* bytes, std::size_t size);

  /// The next `bytes` in place, contiguous as they were written. `align` is a power of two, at most 64.
  const char* view(std::size_t bytes, std::size_t align = 1, std::string_view type = "raw bytes") {
    const std::size_t room = static_cast<std::size_t>(end_ - next_);
    const std::size_t skip = detail::padding(next_, align);
    if (skip <= room && bytes - 1 < room - skip) [[likely]] {  // false for 0 bytes
      const char* at = next_ + skip;
      next_ = at + bytes;
      return at;
    }
    return view_elsewhere(bytes, type);
  }

  /// Passes over a T without building it where that is possible.
  template <class T>
  void skip();

  /// Passes over that many bytes, across segments if need be.
  void pass(std::size_t bytes, std::string_view type);

  /// Bytes not read yet, alignment included.
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - next_) + later_; }
  /// Bytes left in this segment: what can be viewed at once.
  std::size_t at_hand() const noexcept { return static_cast<std::size_t>(end_ - next_); }
  /// Bytes read so far, alignment included.
  std::size_t offset() const noexcept { return total_ - remaining(); }

  // What follows is for forkful's back ends and the codecs of handles.

  /// Whether handles read from here become owners of what they point at (false: they borrow it).
  bool adopting() const noexcept { return adopting_; }
  void adopting(bool on) noexcept { adopting_ = on; }
  /// Bytes behind the handles that were adopted: results that came without a copy.
  std::size_t adopted() const noexcept { return adopted_; }

  /// Reads how many elements follow, each at least `least` bytes. Throws if so many cannot.
  std::size_t count(std::size_t least, std::string_view type);

  struct run {
    const char* at;
    std::size_t count;
  };
  /// Reads an array of bitwise elements in place, wherever it is: in the frame, or elsewhere in shared memory. With
  /// `plain` false (elements that are not bitwise) only the latter will do.
  run elements(std::size_t size, std::size_t align, bool plain, std::string_view type) {
    std::uint64_t count = 0;
    if (plain && size == 1) count = static_cast<unsigned char>(*view(1, 1, type));
    if (!plain || size != 1 || count == detail::long_count)
      std::memcpy(&count, view(sizeof(count), plain && size == 1 ? 1 : alignof(std::uint64_t), type), sizeof(count));
    if (plain && count != 0 && count <= at_hand() / size) [[likely]]
      return {view(count * size, align, type), count};
    return elements_elsewhere(count, size, align, plain, type);
  }
  /// Reads and checks a handle to elements of `size` bytes.
  detail::handle handle(std::size_t size, std::size_t align, std::string_view type);

  void enter(std::string_view type) {
    if (++depth_ > detail::most_nesting) too_deep(type);
  }
  void leave() noexcept { --depth_; }
  /// Whether reading failed: then it is not known where the next value begins.
  bool misread() const noexcept { return misread_; }
  void misread(bool yes) noexcept { misread_ = yes; }
  [[noreturn]] void fail(const char* what, std::string_view type) const {
    misread_ = true;
    detail::throw_codec_error(what, type, offset());
  }

 private:
  [[noreturn]] void too_deep(std::string_view type);
  const char* view_elsewhere(std::size_t bytes, std::string_view type);
  run elements_elsewhere(std::uint64_t count, std::size_t size, std::size_t align, bool plain, std::string_view type);
  bool advance();
  bool owns(const void* address, std::size_t bytes) const;
  std::size_t check(const detail::segment* piece) const;

  const char* next_ = nullptr;
  const char* end_ = nullptr;
  const detail::segment* following_ = nullptr;
  std::size_t later_ = 0;  // bytes in the segments after this one
  std::size_t total_ = 0;
  detail::source_bounds bounds_{};
  unsigned depth_ = 0;
  bool adopting_ = false;
  std::size_t adopted_ = 0;
  mutable bool misread_ = false;
};

namespace detail {

/// What one user's codec wrote: its length, then its bytes. Whatever `codec<T>::read` does, the next value is read from where
/// it begins.
class stretch {
 public:
  stretch(source& in, std::string_view type);
  stretch(const stretch&) = delete;
  stretch& operator=(const stretch&) = delete;
  ~stretch();
  /// Throws codec_error unless everything that was written was read, and no more.
  void end();

 private:
  void go_to_end() noexcept;

  source& in_;
  source start_;
  std::size_t bytes_;
  std::string_view type_;
  bool ended_ = false;
};

}  // namespace detail

}  // namespace forkful
