// What an address in the arena belongs to, read from the span table alone: arena::block_size, block_around
// and owned_by.
//
// The last two judge what other processes wrote (docs/protocol.md, 11): they look at span words, never at the memory itself, and
// believe no word further than the table reaches.
#include <cstdint>
#include <span>

#include "memory/arena.hpp"

namespace forkful::detail {

std::size_t arena::block_size(const void* block) const noexcept {
  const span_word word = spans_.word(spans_.index(block));
  return word.kind() == span_kind::small ? class_bytes(static_cast<unsigned>(word.detail()))
                                         : word.detail() * span_bytes;
}

std::span<std::byte> arena::block_around(const void* data) const noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const auto begin = reinterpret_cast<std::uintptr_t>(spans_.address(0));
  if (address < begin || address - begin >= spans_.count() * span_bytes) return {};
  std::size_t span = (address - begin) / span_bytes;
  span_word word = spans_.word(span);
  if (word.free()) return {};

  if (word.kind() == span_kind::small) {
    if (word.detail() >= size_classes) return {};
    const std::size_t block = class_bytes(static_cast<unsigned>(word.detail()));
    const std::size_t place = (address - begin) % span_bytes / block;
    if (place >= span_bytes / block) return {};
    return {spans_.address(span) + place * block, block};
  }
  const unsigned slot = word.slot();
  const std::size_t distance = word.kind() == span_kind::part ? word.detail() : 0;
  if (distance > span) return {};
  span -= distance;
  word = spans_.word(span);
  if (word.slot() != slot || word.kind() != span_kind::run || word.detail() > spans_.count() - span ||
      word.detail() <= distance)
    return {};
  return {spans_.address(span), word.detail() * span_bytes};
}

bool arena::owned_by(unsigned slot, const void* data, std::size_t bytes) const noexcept {
  const std::span<std::byte> block = block_around(data);
  if (block.empty() || spans_.word(spans_.index(block.data())).slot() != slot) return false;
  const auto used = static_cast<std::size_t>(static_cast<const std::byte*>(data) - block.data());
  return bytes <= block.size() - used;
}

}  // namespace forkful::detail
