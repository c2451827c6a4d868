// How good the advice was: what came of each workload, and the figures of goals A1 to A4 over all workloads of a list.
#pragma once

#include <string>
#include <vector>

namespace advice_bench {

// What the figures of a workload may be used for. None is in two lists.
enum class list {
  tuned,   // src/advice is tuned by these
  judged,  // made up as well, and looked at by nobody who tunes
  real,    // programs
};

struct result {
  struct prediction {
    std::string of;    // "process"
    double error = 0;  // predicted over measured, less 1
    double noise = 0;  // of the measured time, against itself
  };
  std::string name{};
  list in = list::tuned;
  bool quiet = true;  // others did not disturb it
  std::string said{};
  bool right = false;  // the verdict is true; where nothing was said it is not
  bool said_nothing = false;
  double loop = 0;  // seconds
  double best = 0;  // of the parallel ways
  std::vector<prediction> predicted{};
  double automatic = 0;        // auto_pool over the better of loop and threads; 0: it did not run
  double automatic_noise = 0;  // of the two, the same way against itself
  bool is_parallel = false;    // already
  bool said_parallel = false;

  [[nodiscard]] bool clear() const;
};

double median(const std::vector<double>& all);
// The same way raced against itself: how far the medians of every other time and of those between lie apart, as a share.
double against_itself(const std::vector<double>& times);

void print_score(const std::vector<result>& all);

}  // namespace advice_bench
