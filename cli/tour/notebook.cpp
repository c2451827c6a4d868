// The notebook is a shared_vector of lines, claimed by an atomic count.
#include "tour/notebook.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <forkful/pool.hpp>
#include <forkful/shared.hpp>
#include <memory>
#include <string>

namespace tour {

namespace {

struct line {
  std::array<char, 40> slice;
  std::size_t length;
  std::size_t eater;
  bool by_friend;
  std::int64_t from;  // nanoseconds of the steady clock, which all
  std::int64_t to;    // processes share; 0 while it is being eaten
};

struct book {
  forkful::shared_vector<line> lines;
  forkful::shared<std::atomic<std::size_t>> used{std::size_t{0}};
  std::size_t page = 0;
  pid_t you = getpid();
};
std::unique_ptr<book> open_book;

std::int64_t now() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace

void open_notebook(std::size_t lines) {
  open_book = std::make_unique<book>();
  open_book->lines.resize(lines);
}

void turn_page() {
  open_book->page =
      std::min(open_book->used->load(), open_book->lines.size());
}

bite::bite(std::string_view slice) noexcept
    : line_(open_book->used->fetch_add(1)) {
  if (line_ >= open_book->lines.size()) return;
  line& mine = open_book->lines[line_];
  mine.length = std::min(slice.size(), mine.slice.size());
  std::copy_n(slice.begin(), mine.length, mine.slice.begin());
  mine.by_friend = getpid() != open_book->you;
  mine.eater = forkful::worker_index();
  mine.from = now();
}

bite::~bite() {
  if (line_ < open_book->lines.size())
    open_book->lines[line_].to = now();
}

namespace {

std::vector<cli::bite> read_notes() {
  const book& read = *open_book;
  const std::size_t end =
      std::min(read.used->load(), read.lines.size());
  std::vector<cli::bite> bites;
  for (std::size_t i = read.page; i < end; ++i) {
    const line& note = read.lines[i];
    bites.push_back({.slice = {note.slice.data(), note.length},
                     .eater = note.eater,
                     .by_friend = note.by_friend,
                     .lost = note.to == 0,
                     .from = std::chrono::nanoseconds{note.from},
                     .to = std::chrono::nanoseconds{note.to}});
  }
  return bites;
}

/// Nobody wrote down when a lost bite ended: it is drawn until its eater's
/// place was taken again, or else until everybody was done.
void end_lost_bites(std::vector<cli::bite>& bites) {
  for (cli::bite& lost : bites) {
    if (!lost.lost) continue;
    for (const cli::bite& other : bites)
      lost.to = std::max({lost.to, lost.from, other.to});
    for (const cli::bite& next : bites)
      if (next.eater == lost.eater && next.from > lost.from)
        lost.to = std::min(lost.to, next.from);
  }
}

void number_slices(std::vector<cli::bite>& bites) {
  std::vector<std::string> names;
  names.reserve(bites.size());
  for (const cli::bite& each : bites) names.push_back(each.slice);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (cli::bite& each : bites) {
    const auto found =
        std::lower_bound(names.begin(), names.end(), each.slice);
    each.number = static_cast<std::size_t>(found - names.begin());
  }
}

}  // namespace

std::vector<cli::bite> notes() {
  std::vector<cli::bite> bites = read_notes();
  end_lost_bites(bites);
  number_slices(bites);
  return bites;
}

}  // namespace tour
