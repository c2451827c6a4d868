// What a process has, and pools that come and go in every way: what the leak tests and the soak share. Owns nothing.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <forkful/forkful.hpp>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "faults/killing.hpp"

namespace forkful_tests {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;

struct belongings {
  std::vector<std::string> descriptors = names_in("/proc/self/fd");
  std::vector<pid_t> children = children_of(getpid());
  std::vector<std::string> shm = names_in("/dev/shm");
  std::vector<std::string> tmp = names_in("/tmp");
};

inline std::size_t resident_kilobytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

// Whether so many pools left names behind, with forkful in them, that were not there before. Other programs come and go in these
// folders, and tests beside this one: only as many as these pools would leave are theirs.
inline bool left_by(std::size_t pools, const std::vector<std::string>& now, const std::vector<std::string>& before) {
  const auto is_new = [&](const std::string& name) {
    return name.find("forkful") != std::string::npos && std::find(before.begin(), before.end(), name) == before.end();
  };
  return static_cast<std::size_t>(std::count_if(now.begin(), now.end(), is_new)) > pools / 20;
}

struct tally {
  std::size_t pools = 0;
  std::size_t exceptions = 0;
  std::size_t crashes = 0;
};

inline void one_pool(std::size_t round, tally& count) {
  ++count.pools;
  try {
    process_pool pool{1 + static_cast<unsigned>(round % 3)};
    switch (round % 6) {
      case 0:
        return;  // dropped unused
      case 1: {
        const auto finished = pool.map(indices(50), [](std::size_t i) { return std::string(100 * i, 'x'); });
        if (finished.size() != 50) throw std::logic_error("results are missing");
        return;
      }
      case 2:
        pool.for_each(indices(50), [](std::size_t i) {
          if (i == 20) throw std::runtime_error("slice");
        });
        return;
      case 3:
        pool.for_each(indices(50), [](std::size_t i) {
          if (i == 20) raise(SIGKILL);
        });
        return;
      case 4: {
        shared_vector<double> table(30'000, 2.0);
        const auto tables = pool.map(indices(4), [](std::size_t i) { return shared_vector<double>(20'000 * i); });
        pool.for_each(table, [](double& x) { x *= 2; });
        throw std::runtime_error("in the caller, with the pool and shared memory alive");
      }
      default: {
        const std::string ending = "_eaten";
        snapshot_pool once{2};
        once.for_each(indices(50), [&](std::size_t i) {
          if (i == 20) raise(SIGSEGV);
          return ending.size() + i;
        });
      }
    }
  } catch (const std::runtime_error& error) {
    ++count.exceptions;
    if (dynamic_cast<const forkful::worker_crashed*>(&error) != nullptr) ++count.crashes;
  }
}

}  // namespace forkful_tests
