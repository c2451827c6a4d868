// The few functions through which the templates of shared.hpp reach the arena.
#include <forkful/errors.hpp>
#include <forkful/shared.hpp>

#include "memory/arena.hpp"
#include "os/memory.hpp"

namespace forkful::detail {

void* shared_allocate(std::size_t bytes, std::size_t align) { return arena::here().allocate(bytes, align); }

void shared_deallocate(void* block) noexcept {
  if (arena* its = arena::holding(block)) its->deallocate(block);
}

void* shared_allocate_loose(std::size_t bytes) { return arena::here().allocate_loose(bytes).data(); }

void shared_deallocate_loose(void* data) noexcept {
  if (arena* its = arena::holding(data)) its->deallocate_loose(loose_block::of(data));
}

bool look_at_loose(void* data) {
  arena* const its = arena::holding(data);
  return its != nullptr && its->look_at(loose_block::of(data));
}

void look_away_from_loose(void* data) noexcept {
  if (arena* its = arena::holding(data)) its->look_away(loose_block::of(data));
}

void* private_view(const void* data, std::size_t bytes) noexcept {
  arena* const its = arena::holding(data);
  return its != nullptr ? its->view(data, bytes) : nullptr;
}

void own_view(void* view, std::size_t bytes) noexcept { own_pages(view, bytes); }

void drop_view(void* view, std::size_t bytes) noexcept {
  constexpr std::size_t page_bytes = 4096;
  const std::size_t before = reinterpret_cast<std::uintptr_t>(view) % page_bytes;
  unmap_shared(static_cast<char*>(view) - before, before + bytes);
}

bool in_shared_memory(const void* address, std::size_t bytes) noexcept {
  const arena* its = arena::holding(address);
  return its != nullptr && its->contains(address, bytes);
}

std::span<std::byte> shared_block(const void* address) noexcept {
  const arena* its = arena::holding(address);
  return its != nullptr ? its->block_around(address) : std::span<std::byte>();
}

void refuse_to_resize() {
  throw wrong_process{
      "A shared_vector was to change its length in a process that does not own its elements: a worker sees the "
      "caller's vector through a borrowed handle. Resize it in the process that made it, or let the worker return a "
      "shared_vector of its own."};
}

}  // namespace forkful::detail

namespace forkful {

void trim() noexcept { detail::arena::trim_all(); }

}  // namespace forkful
