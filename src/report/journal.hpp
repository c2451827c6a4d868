// What a program has reported so far, in memory that outlives it: the reporter process reads it when the program has ended, however
// that was.
//
// Owns nothing; lies in a shared mapping of its own, at the same address in both. One process writes (any thread, behind a mutex
// of the process), append only; the other reads when the writer has ended, or waits for it.
//
// Invariants:
// 1. A finished call counts when `finished` is raised with release, after its frame is whole. Nothing before it is written again.
// 2. A live call's entries count up to `count` of the side that `side` names; thinning fills the other side first. A kill
//    between two stores leaves an entry that is too short, never one that was not written.
// 3. Full is full: what does not fit is counted in `dropped`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <forkful/codec.hpp>
#include <forkful/report.hpp>
#include <vector>

#include "measure/recorder.hpp"

namespace forkful::detail {

// A call that is under way: which one, and the chunks that came back.
struct live_call {
  static constexpr std::size_t most = recorder::most;
  struct side {
    std::atomic<std::uint64_t> count;
    std::array<timeline_chunk, most> chunks;
  };
  std::atomic<std::uint32_t> taken;  // 2 once the members below are set
  std::uint64_t pool;
  std::uint64_t call;
  std::int64_t began;
  std::uint64_t slices;
  std::uint32_t workers;
  std::array<char, 16> way;
  std::array<char, 20> verb;
  std::atomic<std::uint64_t> deaths;
  std::atomic<std::uint32_t> current;  // which side
  std::array<side, 2> sides;

  void put(std::size_t index, const timeline_chunk& one, std::size_t count) noexcept;
  void replace(const std::vector<timeline_chunk>& all) noexcept;
};

struct journal {
  static constexpr std::size_t most_finished = 65'536;
  static constexpr std::size_t most_live = 16;
  static constexpr std::size_t bytes = std::size_t{256} << 20;  // for frames

  std::atomic<std::uint64_t> finished;
  std::atomic<std::uint64_t> dropped;
  std::uint64_t used;  // of `memory`
  std::array<segment*, most_finished> frames;
  std::array<live_call, most_live> live;
  alignas(64) std::array<std::byte, bytes> memory;

  // The writer's side. Safe among threads of one process only because callers lock.
  void add(const report&) noexcept;
  // A place for a call under way; null: there is none left.
  live_call* begin(const report& begun) noexcept;

  // The reader's side: finished calls, then those that were under way, by their numbers.
  [[nodiscard]] std::vector<report> all() const;
};

}  // namespace forkful::detail
