// What is known of work before it is done: how many slices, how long they take, what has to be copied.
//
// A plain description: measured by the probe, or given on the command line. Times are seconds, sizes bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace forkful::detail {

// How long slices take, by index: a trend, which is followed in straight lines, times a variation about it, which repeats after a
// while, plus single slices that are unlike all others. All of that has sums in closed form, so a call of 10^8 slices costs no
// more than one of ten.
class [[gnu::visibility("default")]] lengths {
 public:
  lengths() = default;
  // Every slice the same.
  static lengths equal(std::size_t slices, double each);
  // As measured: `at[i]` is the index of a sampled slice (ascending, at least one), `took[i]` its time. Between samples the
  // trend is followed, where they show one; what is left varies as the samples do. A sample longer than all others together is
  // taken for the only one of its kind. Where nine slices of ten were sampled, and they are no more than 1024, each has its own time.
  static lengths sampled(std::size_t slices, const std::vector<std::size_t>& at, const std::vector<double>& took);
  // By shape, with that mean: `linear` grows from nothing to twice the mean, `exponential` varies as an exponential
  // distribution does, `bimodal` has one slice in ten that takes ten times as long as the others, `giant` one slice, the first,
  // that takes as long as all others together.
  enum class shape { equal, linear, exponential, bimodal, giant };
  static lengths shaped(std::size_t slices, double mean, shape);

  // Of slices [first, last) together. The same at every call: variation depends on the index only. Additive, up to rounding.
  // Cost: logarithmic in the number of samples.
  [[nodiscard]] double sum(std::size_t first, std::size_t last) const;
  [[nodiscard]] double mean() const;
  // The longest that is to be expected among all.
  [[nodiscard]] double longest() const;
  // The same of slices [first, last).
  [[nodiscard]] double longest(std::size_t first, std::size_t last) const;
  // All of them, `factor` times as long.
  [[nodiscard]] lengths scaled(double factor) const;

 private:
  struct knot {  // from here to the next knot slice i takes height + slope * (i - from), times its variation
    std::size_t from = 0;
    double height = 0;
    double slope = 0;
    double before = 0;  // sum of all slices before
  };
  struct single {
    std::size_t at = 0;
    double more = 0;  // than the trend says
  };

  lengths(std::size_t slices, std::vector<knot> trend, std::vector<double> variation, std::vector<single> singles);
  static lengths in_order(std::size_t slices, const std::vector<std::size_t>& at, const std::vector<double>& took);
  [[nodiscard]] std::vector<knot>::const_iterator line_of(std::size_t slice) const;
  [[nodiscard]] double up_to(std::size_t end) const;
  [[nodiscard]] double of_line(const knot& line, std::size_t end) const;
  [[nodiscard]] double varied(std::size_t end) const;
  [[nodiscard]] double varied_by_index(std::size_t end) const;
  void scale(double factor);

  std::size_t slices_ = 0;
  std::vector<knot> trend_{};
  std::vector<double> variation_{};  // repeats; averages 1
  std::vector<double> sums_{};       // of it, up to each index
  std::vector<double> moments_{};    // of index times it
  std::vector<single> singles_{};    // ascending
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
  double slowdown = 1;       // times as long as alone when every core runs, as measured; 1: not known, `traffic` holds
  passing in{};              // one slice
  passing out{};             // one result
  double broadcast_bytes = 0;   // once a call and worker
  std::size_t asked_chunk = 0;  // call_options::chunk
};

}  // namespace forkful::detail
