#include "block.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <forkful/shared.hpp>
#include <map>
#include <unordered_set>
#include <utility>

namespace forkful::python {

namespace {

struct worker_pins {
  std::uint64_t said = 0;  // with which of its frames
  std::vector<std::uint64_t> blocks;
};

// Of one process: in a child nothing of it counts. Never destroyed, because that would be after the interpreter.
struct state {
  std::unordered_set<char*> looked_at;         // blocks of others that there are objects of
  std::map<pid_t, worker_pins> pins;           // by worker
  std::vector<std::shared_ptr<block>> marked;  // to be given
  std::unordered_set<char*> to_free;           // let go of here, and pinned
  std::unordered_set<char*> to_look_away;      // the same, of what nobody took
};
state& here() {
  static std::uint64_t of = detail::this_process();
  static state* mine = new state;
  if (const std::uint64_t process = detail::this_process(); of != process) {
    static std::vector<state*>& left_alone = *new std::vector<state*>;  // the parent's, in a child
    left_alone.push_back(mine);
    mine = new state;
    of = process;
  }
  return *mine;
}

bool pinned(const state& mine, char* data) {
  const auto address = reinterpret_cast<std::uint64_t>(data);
  return std::any_of(mine.pins.begin(), mine.pins.end(), [&](const auto& one) {
    const auto& blocks = one.second.blocks;
    return std::find(blocks.begin(), blocks.end(), address) != blocks.end();
  });
}

void free_what_can_be(state& mine) {
  const auto let_go = [&](char* one, void (*how)(void*)) {
    if (pinned(mine, one)) return false;
    how(one);
    return true;
  };
  std::erase_if(mine.to_free, [&](char* one) { return let_go(one, detail::shared_deallocate_loose); });
  std::erase_if(mine.to_look_away, [&](char* one) { return let_go(one, detail::look_away_from_loose); });
}

}  // namespace

block::block(std::size_t bytes)
    : data_(static_cast<char*>(detail::shared_allocate_loose(std::max<std::size_t>(bytes, 1)))),
      bytes_(bytes),
      owner_(detail::this_process()),
      made_here_(true) {
  Py_BEGIN_ALLOW_THREADS;
  std::memset(data_, 0, bytes_);
  Py_END_ALLOW_THREADS;
}

block::block(char* data, std::size_t bytes) : data_(data), bytes_(bytes), owner_(0) {
  // One that was let go of here and comes back from the worker that pinned it.
  if (here().to_free.erase(data_) != 0) {
    owner_ = detail::this_process();
  } else if (!take()) {
    here().looked_at.insert(data_);
    looked_at_ = here().to_look_away.erase(data_) != 0 || (collected != nullptr && detail::look_at_loose(data_));
  }
}

block::~block() {
  if (owner_ == 0) {
    here().looked_at.erase(data_);
    look_away();
  } else if (owned()) {
    state& mine = here();
    if (!mine.pins.empty()) forget_the_dead();
    if (pinned(mine, data_)) {
      mine.to_free.insert(data_);
    } else {
      detail::shared_deallocate_loose(data_);
    }
  }
}

bool block::owned() const noexcept { return owner_ == detail::this_process(); }

void block::mark(std::shared_ptr<block> one) { here().marked.push_back(std::move(one)); }

std::size_t block::marks() noexcept { return here().marked.size(); }

void block::unmark(std::size_t from) noexcept { here().marked.resize(std::min(from, here().marked.size())); }

void block::give_marked(detail::chunk_io& with) {
  state& mine = here();
  std::sort(mine.marked.begin(), mine.marked.end());
  for (auto one = mine.marked.begin(); one != mine.marked.end();) {
    const auto next = std::upper_bound(one, mine.marked.end(), *one);
    mine.looked_at.insert((*one)->data_);
    with.give(with, (*one)->data_, (*one).use_count() > next - one);
    (*one)->owner_ = 0;
    one = next;
  }
  mine.marked.clear();
}

bool block::adopt() {
  return owned() || take();  // it may be there twice
}

// From what came with the results that are being collected, or with some that nobody took.
bool block::take() {
  if (collected == nullptr || collected->keep == nullptr) return false;
  // In front of the data is what the worker made it with.
  void* const kept = collected->keep(collected->keeper, data_);
  if (kept == nullptr) return false;
  if (static_cast<char*>(kept) + detail::before_loose != data_) {  // a damaged frame: it is memory of another kind
    detail::shared_deallocate(kept);
    return false;
  }
  owner_ = detail::this_process();
  look_away();
  here().looked_at.erase(data_);
  return true;
}

void block::look_away() noexcept {
  if (!std::exchange(looked_at_, false)) return;
  state& mine = here();
  if (owner_ == 0 && pinned(mine, data_)) {  // it was an argument as well
    mine.to_look_away.insert(data_);
  } else {
    detail::look_away_from_loose(data_);
  }
}

std::vector<std::uint64_t> block::referred_to() {
  std::vector<std::uint64_t> all;
  for (char* const one : here().looked_at) all.push_back(reinterpret_cast<std::uint64_t>(one));
  for (const std::shared_ptr<block>& one : here().marked) all.push_back(reinterpret_cast<std::uint64_t>(one->data_));
  return all;
}

bool block::pins_are_known() noexcept { return !here().pins.empty(); }

void block::pinned_by(pid_t worker, std::uint64_t count, std::vector<std::uint64_t> blocks) {
  state& mine = here();
  worker_pins& pins = mine.pins[worker];
  if (count < pins.said) return;  // frames may be read in another order
  pins = {count, std::move(blocks)};
  free_what_can_be(mine);
}

void block::forget_the_dead() {
  state& mine = here();
  std::erase_if(mine.pins, [](const auto& one) { return kill(one.first, 0) != 0 && errno == ESRCH; });
  free_what_can_be(mine);
}

}  // namespace forkful::python
