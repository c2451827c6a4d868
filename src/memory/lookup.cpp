// What an address in the arena belongs to, read from the span table alone: arena::block_size and arena::owned_by.
//
// owned_by judges what other processes wrote (docs/protocol.md, 11): it looks at span words, never at the memory itself, and
// believes no word further than the table reaches.
#include <cstdint>

#include "memory/arena.hpp"

namespace forkful::detail {

std::size_t arena::block_size(const void* block) const noexcept {
  const span_word word = spans_.word(spans_.index(block));
  return word.kind() == span_kind::small ? class_bytes(static_cast<unsigned>(word.detail()))
                                         : word.detail() * span_bytes;
}

bool arena::owned_by(unsigned slot, const void* data, std::size_t bytes) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const auto begin = reinterpret_cast<std::uintptr_t>(spans_.address(0));
  if (address < begin || address - begin >= spans_.count() * span_bytes) return false;
  std::size_t span = (address - begin) / span_bytes;
  span_word word = spans_.word(span);
  if (word.free() || word.slot() != slot) return false;

  if (word.kind() == span_kind::small) {
    if (word.detail() >= size_classes) return false;
    const std::size_t block = class_bytes(static_cast<unsigned>(word.detail()));
    const std::size_t offset = (address - begin) % span_bytes;
    const std::size_t used = offset % block;
    return offset / block < span_bytes / block && bytes <= block - used;
  }
  const std::size_t distance = word.kind() == span_kind::part ? word.detail() : 0;
  if (distance > span) return false;
  span -= distance;
  word = spans_.word(span);
  if (word.slot() != slot || word.kind() != span_kind::run || word.detail() > spans_.count() - span) return false;
  const std::size_t end = (span + word.detail()) * span_bytes;
  const std::size_t offset = address - begin;
  return offset < end && bytes <= end - offset;
}

}  // namespace forkful::detail
