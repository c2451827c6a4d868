// What is known of some work before it is done: how many slices, how long they take, what has to be copied.
//
// A plain description: measured by the probe, or given on the command line. Times are seconds, sizes bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace forkful::detail {

// How long slices take, by index.
class lengths {
 public:
  // Every slice the same.
  static lengths equal(std::size_t slices, double each);
  // As measured: `at[i]` is the index of a sampled slice (ascending, at least one), `took[i]` its time. Between samples the
  // trend is followed; what is left varies as the samples do.
  static lengths sampled(std::size_t slices, const std::vector<std::size_t>& at, const std::vector<double>& took);
  // By shape, with that mean: `linear` grows from nothing to twice the mean, `exponential` varies as an exponential
  // distribution does, `bimodal` has one slice in ten that takes ten times as long as the others, `giant` one slice, the first,
  // that takes as long as all others together.
  enum class shape { equal, linear, exponential, bimodal, giant };
  static lengths shaped(std::size_t slices, double mean, shape);

  // Of slices [first, last) together. The same at every call: variation depends on the index only. Cost: at most 64 steps.
  [[nodiscard]] double sum(std::size_t first, std::size_t last) const;
  [[nodiscard]] double mean() const;
  // The longest that is to be expected among all.
  [[nodiscard]] double longest() const;
  // All of them, `factor` times as long.
  [[nodiscard]] lengths scaled(double factor) const;

 private:
  std::size_t slices_ = 0;
  shape shape_ = shape::equal;
  double mean_ = 0;
  std::vector<std::size_t> at_{};    // sampled: where the trend was seen
  std::vector<double> trend_{};      // and how high it was
  std::vector<double> variation_{};  // sampled: what slices take, over their trend; averages 1
};

// What a slice takes to cross between processes. Nothing where it is read in place.
struct passing {
  double bytes = 0;   // copied
  double encode = 0;  // seconds on the sending side, allocation included
  double decode = 0;  // seconds on the receiving side
};

struct workload {
  std::size_t slices = 0;
  lengths time{};            // of the callable alone, each slice by itself on the machine
  double inner_threads = 1;  // how many cores one slice keeps busy: more than 1, it is parallel already
  double cpu_share = 1;      // of a slice's time in which it wants a core; the rest it sleeps or waits
  double traffic = 0;        // bytes a second that one slice streams through memory while it runs
  double slowdown = 1;       // times as long as alone when every core eats, as measured; 1: not known, `traffic` tells
  passing in{};              // one slice
  passing out{};             // one result
  double broadcast_bytes = 0;   // once a call and worker
  std::size_t asked_chunk = 0;  // call_options::chunk
};

}  // namespace forkful::detail
