// Pools in a child where something is scarce or forbidden: results must be right, or the refusal one clear sentence.
//
// Owns nothing. The child reports how it went by its exit status, and the sentence in shared memory: it may not be
// allowed to print.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <forkful/forkful.hpp>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "faults/killing.hpp"

namespace forkful_tests {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;

template <class Pool>
std::size_t count_run(Pool& pool) {
  const auto finished = pool.map(indices(100), [](std::size_t i) { return std::to_string(i); });
  std::size_t right = 0;
  for (std::size_t i = 0; i < finished.size(); ++i) right += finished[i] == std::to_string(i) ? 1 : 0;
  return right;
}

enum outcome : int { worked = 0, start_refused = 40, exhausted = 41, wrong = 42, unclear = 43 };

inline bool is_a_sentence(const std::string& what) { return what.size() > 60 && what.find('%') == std::string::npos; }

// The sentence.
using sentence = std::array<char, 500>;

// A forked child has the arena of its parent's earlier tests in its address space: this unmaps it, for limits on that.
inline void forget_inherited_arenas() {
  std::ifstream maps("/proc/self/maps");
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> found;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:forkful") == std::string::npos) continue;
    std::size_t dash = 0;
    const auto begin = std::stoull(line, &dash, 16);
    found.emplace_back(begin, std::stoull(line.substr(dash + 1), nullptr, 16));
  }
  for (const auto& [begin, end] : found) munmap(reinterpret_cast<void*>(begin), end - begin);
}

// Pools in a process where something is scarce: results must be right, or the refusal clear.
template <class Body>
int told(Body body, sentence& said) {
  const auto keep = [&](const std::exception& error) { std::string(error.what()).copy(said.data(), said.size() - 1); };
  try {
    return body() ? worked : wrong;
  } catch (const forkful::start_failed& error) {
    keep(error);
    return is_a_sentence(error.what()) ? start_refused : unclear;
  } catch (const forkful::arena_exhausted& error) {
    keep(error);
    return is_a_sentence(error.what()) ? exhausted : unclear;
  } catch (const std::exception& error) {
    keep(error);
    return unclear;
  }
}

inline bool pools_work() {
  process_pool pool{2};
  snapshot_pool once{2};
  shared_vector<double> table(10'000, 4.0);
  pool.for_each(table, [](double& x) { x /= 2; });
  return count_run(pool) == 100 && count_run(once) == 100 && std::count(table.begin(), table.end(), 2.0) == 10'000;
}

}  // namespace forkful_tests
