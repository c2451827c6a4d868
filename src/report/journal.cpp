#include "report/journal.hpp"

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

namespace forkful::detail {

namespace {

template <std::size_t N>
void copy_text(std::string_view text, std::array<char, N>& to) noexcept {
  to.fill('\0');
  text.copy(to.data(), N - 1);
}

// All that is known of a call that was not finished: its chunks.
report of_live(const live_call& one) {
  report r;
  r.finished = false;
  r.has_timeline = true;
  r.pool = one.pool;
  r.call = one.call;
  r.began = std::chrono::nanoseconds(one.began);
  r.slices = one.slices;
  r.workers = one.workers;
  r.way = one.way.data();
  r.verb = one.verb.data();
  r.deaths = one.deaths.load(std::memory_order_relaxed);
  r.per_worker.resize(r.workers);
  for (unsigned worker = 0; worker < r.workers; ++worker) r.per_worker[worker].worker = worker;
  const live_call::side& side = one.sides[one.current.load(std::memory_order_acquire) % 2];
  const std::size_t count = std::min<std::size_t>(side.count.load(std::memory_order_acquire), live_call::most);
  for (std::size_t i = 0; i < count; ++i) {
    const timeline_chunk& chunk = side.chunks[i];
    if (chunk.worker >= r.workers) continue;
    worker_row& row = r.per_worker[chunk.worker];
    row.slices += chunk.count;
    row.chunks += chunk.merged;
    row.time.pass_in += chunk.pass_in;
    row.time.pass_out += chunk.pass_out;
    row.time.compute += chunk.end - chunk.begin - chunk.pass_in - chunk.pass_out - chunk.idle;
    r.chunks += chunk.merged;
    r.wall = std::max(r.wall, chunk.end);
    r.recorded.thinned = r.recorded.thinned || chunk.merged > 1;
    r.recorded.chunks.push_back(chunk);
  }
  for (worker_row& row : r.per_worker) row.time.idle = r.wall - row.time.sum();
  r.caller.idle = r.wall;
  std::sort(r.recorded.chunks.begin(), r.recorded.chunks.end(), [](const timeline_chunk& a, const timeline_chunk& b) {
    return std::pair(a.worker, a.begin) < std::pair(b.worker, b.begin);
  });
  return r;
}

}  // namespace

void live_call::put(std::size_t index, const timeline_chunk& one, std::size_t count) noexcept {
  side& now = sides[current.load(std::memory_order_relaxed)];
  now.chunks[index] = one;
  now.count.store(count, std::memory_order_release);
}

void live_call::replace(const std::vector<timeline_chunk>& all) noexcept {
  const std::uint32_t other = 1 - current.load(std::memory_order_relaxed);
  side& next = sides[other];
  std::copy(all.begin(), all.end(), next.chunks.begin());
  next.count.store(all.size(), std::memory_order_relaxed);
  // release: the entries are whole before they are what counts.
  current.store(other, std::memory_order_release);
}

void journal::add(const report& one) noexcept {
  const std::uint64_t count = finished.load(std::memory_order_relaxed);
  const std::uint64_t before = used;
  try {
    if (count == most_finished) throw std::bad_alloc();
    sink out({this,
              [](void* self, std::size_t capacity) {
                auto& mine = *static_cast<journal*>(self);
                const std::uint64_t size = (sizeof(segment) + capacity + 63) / 64 * 64;
                if (size > bytes - mine.used) throw std::bad_alloc();
                return make_segment(&mine.memory[std::exchange(mine.used, mine.used + size)], capacity);
              },
              [](void* /*self*/, segment* /*piece*/) noexcept {}});
    out.write(one);
    frames[count] = out.take();
    // release: the frame before the count.
    finished.store(count + 1, std::memory_order_release);
  } catch (...) {
    used = before;
    dropped.fetch_add(1, std::memory_order_relaxed);
  }
}

live_call* journal::begin(const report& begun) noexcept {
  for (live_call& one : live) {
    std::uint32_t free = 0;
    if (!one.taken.compare_exchange_strong(free, 1, std::memory_order_acquire)) continue;
    one.pool = begun.pool;
    one.call = begun.call;
    one.began = begun.began.count();
    one.slices = begun.slices;
    one.workers = begun.workers;
    copy_text(begun.way, one.way);
    copy_text(begun.verb, one.verb);
    one.deaths.store(0, std::memory_order_relaxed);
    one.current.store(0, std::memory_order_relaxed);
    one.sides[0].count.store(0, std::memory_order_relaxed);
    one.taken.store(2, std::memory_order_release);
    return &one;
  }
  return nullptr;
}

std::vector<report> journal::all() const {
  std::vector<report> calls;
  // acquire: pairs with the release in add().
  const std::uint64_t count = finished.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < count; ++i) {
    source in(frames[i]);
    calls.push_back(in.read<report>());
  }
  for (const live_call& one : live) {
    if (one.taken.load(std::memory_order_acquire) != 2) continue;
    const auto same = [&](const report& other) { return other.call == one.call; };
    // The call had finished; the program was killed before it gave back its place.
    if (std::none_of(calls.begin(), calls.end(), same)) calls.push_back(of_live(one));
  }
  std::sort(calls.begin(), calls.end(), [](const report& a, const report& b) { return a.call < b.call; });
  return calls;
}

}  // namespace forkful::detail
