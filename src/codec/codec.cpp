// The cold paths of sink and source: new segments, rollback, the checks of what another process wrote, and errors.
//
// A sink owns its chain until take(); segments after the current one are empty and kept for reuse (after a rollback).
// A source owns nothing. The chain it walks may be damaged in any way: every segment is checked before it is touched.
#include <algorithm>
#include <forkful/codec.hpp>
#include <forkful/errors.hpp>
#include <new>
#include <string>

#include "os/breakpoint.hpp"

namespace forkful {
namespace detail {
namespace {

constexpr std::size_t first_capacity = 1024 - sizeof(segment);
constexpr std::size_t doubling_ends = std::size_t{1} << 20;

constexpr const char* short_of_bytes =
    "the bytes end before the value does: what was written is another type, the write and read of a forkful::codec do "
    "not match, or the memory was overwritten";
constexpr const char* too_many =
    "it claims more elements than the bytes left can hold: what was written is another type, the write and read of a "
    "forkful::codec do not match, or the memory was overwritten";
constexpr const char* outside = "it points outside the memory it was written in, which must have been overwritten";

constexpr const char* nested = "it is nested more than 128 levels deep: flatten it";

}  // namespace

void throw_codec_error(const char* what, std::string_view type, std::size_t offset) {
  std::string sentence(type);
  sentence += " at byte ";
  sentence += std::to_string(offset);
  sentence += " of its encoding: ";
  sentence += what;
  throw codec_error(sentence);
}

segment_memory private_segments() noexcept {
  return {nullptr,
          [](void*, std::size_t capacity) {
            return make_segment(::operator new(sizeof(segment) + capacity, std::align_val_t{most_alignment}), capacity);
          },
          [](void*, segment* piece) noexcept { ::operator delete(piece, std::align_val_t{most_alignment}); }};
}

}  // namespace detail

// ---- sink ----

using detail::segment;

sink::~sink() {
  if (memory_.release == nullptr) return;
  for (segment* piece = first_; piece != nullptr;) {
    segment* const next = piece->next;
    if (piece != lent_) memory_.release(memory_.self, piece);
    piece = next;
  }
}

void sink::use(segment* piece, std::size_t used) noexcept {
  current_ = piece;
  next_ = piece->data() + used;
  end_ = piece->data() + piece->capacity;
  alone_ = false;
}

char* sink::extend_elsewhere(std::size_t bytes) {
  if (bytes == 0) return next_;
  publish();
  const std::size_t finished = size();
  segment* next = current_ == nullptr ? first_ : current_->next;
  if (next == nullptr || next->capacity < bytes) {
    const std::size_t doubled = current_ == nullptr || alone_
                                    ? detail::first_capacity
                                    : std::clamp(2 * current_->capacity, detail::first_capacity, detail::doubling_ends);
    segment* const made = memory_.allocate(memory_.self, std::max({bytes, doubled, hint_}));
    made->next = next;
    (current_ == nullptr ? first_ : current_->next) = made;
    next = made;
  }
  hint_ = 0;
  before_ = finished;
  use(next, bytes);
  return next->data();
}

char* sink::extend_alone(std::size_t bytes) {
  publish();
  const std::size_t finished = size();
  segment* const made = memory_.allocate(memory_.self, bytes);
  segment*& link = current_ == nullptr ? first_ : current_->next;
  made->next = link;
  link = made;
  before_ = finished;
  use(made, bytes);
  end_ = next_;  // should there be more room
  alone_ = true;
  return made->data();
}

void sink::reserve(std::size_t bytes) noexcept {
  if (bytes > static_cast<std::size_t>(end_ - next_)) hint_ = bytes;
}

void sink::rollback(position to) noexcept {
  handles_.resize(to.handles);
  before_ = to.before;
  pointed_ = to.pointed;
  for (segment* piece = to.segment == nullptr ? first_ : to.segment->next; piece != nullptr; piece = piece->next)
    piece->used = 0;
  if (to.segment == nullptr) {
    current_ = nullptr;
    next_ = end_ = nullptr;
  } else {
    use(to.segment, to.used);
  }
  if (first_ != nullptr) detail::breakpoint(detail::point::broken_off);  // null: in take()
}

void sink::cut_back(char* to) noexcept {
  next_ = to;
  publish();
  detail::breakpoint(detail::point::broken_off);
}

segment* sink::first() noexcept {
  publish();
  return first_;
}

segment* sink::take() noexcept {
  publish();
  segment* const chain = first_;
  first_ = nullptr;
  rollback({});
  return chain;
}

void sink::release_handles() noexcept {
  for (const given& one : handles_) one.release(one.object);
  handles_.clear();
}

void sink::too_deep(std::string_view type) {
  --depth_;
  detail::throw_codec_error(detail::nested, type, size());
}

// ---- source ----

source::source(const segment* first, detail::source_bounds bounds) : following_(first), bounds_(bounds) {
  // Brent's algorithm: a chain that bites its own tail meets the segment that waits for it.
  const segment* waiting = nullptr;
  std::size_t steps = 0;
  std::size_t limit = 1;
  for (const segment* piece = first; piece != nullptr; piece = piece->next) {
    if (piece == waiting) detail::throw_codec_error(detail::outside, "the chain of segments", total_);
    if (++steps == limit) {
      waiting = piece;
      limit *= 2;
    }
    total_ += check(piece);
    if (total_ > bounds_.most_bytes)
      detail::throw_codec_error("it is longer than it can be", "the chain of segments", total_);
  }
  later_ = total_;
  advance();
}

bool source::owns(const void* address, std::size_t bytes) const {
  return bounds_.owns == nullptr || bounds_.owns(bounds_.self, address, bytes);
}

// The bytes used in a segment that is within bounds; throws if it is not.
std::size_t source::check(const segment* piece) const {
  const bool aligned = detail::padding(reinterpret_cast<const char*>(piece), alignof(segment)) == 0;
  if (!aligned || !owns(piece, sizeof(segment)) || piece->used > piece->capacity ||
      piece->used > std::size_t{PTRDIFF_MAX} - sizeof(segment) || !owns(piece, sizeof(segment) + piece->used)) {
    detail::throw_codec_error(detail::outside, "the chain of segments", offset());
  }
  return piece->used;
}

// To the next segment that holds anything; false if there is none.
bool source::advance() {
  while (following_ != nullptr) {
    const std::size_t used = check(following_);
    if (used > later_) detail::throw_codec_error(detail::outside, "the chain of segments", offset());
    next_ = following_->data();
    end_ = next_ + used;
    later_ -= used;
    following_ = following_->next;
    if (used != 0) return true;
  }
  return false;
}

void source::too_deep(std::string_view type) {
  --depth_;
  fail(detail::nested, type);
}

const char* source::view_elsewhere(std::size_t bytes, std::string_view type) {
  if (bytes == 0) return next_;
  // One write is never split: if this does not fit in the rest of the segment, there must be no rest.
  if (next_ != end_ || !advance()) fail(detail::short_of_bytes, type);
  if (bytes > static_cast<std::size_t>(end_ - next_)) fail(detail::short_of_bytes, type);
  const char* const at = next_;  // the data of a segment is aligned to the most there is
  next_ += bytes;
  return at;
}

void source::read(void* bytes, std::size_t size) {
  if (size > remaining()) fail(detail::short_of_bytes, "raw bytes");
  for (auto* to = static_cast<char*>(bytes); size != 0;) {
    if (next_ == end_ && !advance()) fail(detail::short_of_bytes, "raw bytes");
    const std::size_t part = std::min(size, static_cast<std::size_t>(end_ - next_));
    std::memcpy(to, next_, part);
    to += part;
    next_ += part;
    size -= part;
  }
}

void source::pass(std::size_t bytes, std::string_view type) {
  if (bytes > remaining()) fail(detail::short_of_bytes, type);
  while (bytes != 0) {
    if (next_ == end_ && !advance()) fail(detail::short_of_bytes, type);
    const std::size_t part = std::min(bytes, static_cast<std::size_t>(end_ - next_));
    next_ += part;
    bytes -= part;
  }
}

namespace detail {

stretch::stretch(source& in, std::string_view type)
    : in_(in),
      start_(in),
      bytes_(load<std::uint64_t>(in.view(sizeof(std::uint64_t), alignof(std::uint64_t), type))),
      type_(type) {
  if (bytes_ > in.remaining()) in.fail(short_of_bytes, type);
  start_ = in;
}

stretch::~stretch() {
  if (!ended_) go_to_end();
}

void stretch::go_to_end() noexcept {
  in_ = start_;
  in_.misread(true);
  try {
    in_.pass(bytes_, type_);
  } catch (...) {
    // The frame itself is damaged: whatever is read next says so.
  }
}

void stretch::end() {
  const std::size_t read = in_.offset() - start_.offset();
  if (read == bytes_) {
    ended_ = true;
    return;
  }
  in_.fail(read < bytes_ ? "its codec reads less than it writes: compare codec::write and codec::read"
                         : "its codec reads more than it writes: compare codec::write and codec::read",
           type_);
}

}  // namespace detail

std::size_t source::count(std::size_t least, std::string_view type) {
  const auto n = detail::load<std::uint64_t>(view(sizeof(std::uint64_t), alignof(std::uint64_t), type));
  if (n > remaining() / least) fail(detail::too_many, type);
  return n;
}

namespace {

bool in_one_block(const char* data, std::size_t bytes) noexcept {
  const auto block = detail::shared_block(data);
  return !block.empty() &&
         bytes <= block.size() - static_cast<std::size_t>(data - reinterpret_cast<char*>(block.data()));
}

// What is adopted will be freed: it must be a whole block.
bool is_block(const void* data) noexcept { return detail::shared_block(data).data() == data; }

}  // namespace

// None; or not in this segment; or elsewhere in shared memory; or more than there can be.
source::run source::elements_elsewhere(std::uint64_t n, std::size_t size, std::size_t align, bool plain,
                                       std::string_view type) {
  if ((n & detail::elsewhere) != 0) {
    n &= ~detail::elsewhere;
    const auto address = detail::load<std::uintptr_t>(view(sizeof(std::uintptr_t), alignof(std::uintptr_t), type));
    const auto* at = reinterpret_cast<const char*>(address);
    if (n > (SIZE_MAX >> 1) / size || detail::padding(at, align) != 0 || !in_one_block(at, n * size))
      fail(detail::outside, type);
    return {at, n};
  }
  if (!plain && n != 0) {
    fail(
        "its elements own memory of their own and are not in shared memory, so they cannot be read in place: take a "
        "std::vector by const reference instead of a std::span, or keep them in a forkful::shared_vector",
        type);
  }
  if (n > remaining() / size) fail(detail::too_many, type);
  return {n == 0 ? nullptr : view(n * size, align, type), n};
}

detail::handle source::handle(std::size_t size, std::size_t align, std::string_view type) {
  const auto to = detail::load<detail::handle>(view(sizeof(detail::handle), alignof(detail::handle), type));
  if (to.data == nullptr) return {};
  const bool sound = to.size <= to.capacity && to.capacity <= (SIZE_MAX >> 1) / size &&
                     detail::padding(static_cast<const char*>(to.data), align) == 0 &&
                     in_one_block(static_cast<const char*>(to.data), to.capacity * size) &&
                     (!adopting_ || (owns(to.data, to.capacity * size) && is_block(to.data)));
  if (!sound) fail(detail::outside, type);
  if (adopting_) adopted_ += to.size * size;
  return to;
}

}  // namespace forkful
