// The workloads that src/advice may be tuned by.
#include <omp.h>

#include <cmath>
#include <numeric>
#include <random>
#include <span>
#include <thread>

#include "advice/course.hpp"
#include "format/fmt.hpp"

namespace advice_bench {

namespace {

struct parcel {
  std::size_t steps = 0;
  std::vector<char> load;
};

[[gnu::noinline]] double sum_of(std::span<const double> part) { return std::accumulate(part.begin(), part.end(), 0.0); }

void equal_slices(course& on) {
  for (const double all : {30e-6, 150e-6, 600e-6, 3e-3, 20e-3}) {
    for (const double each : {200e-9, 2e-6, 20e-6, 200e-6, 2e-3}) {
      const auto count = static_cast<std::size_t>(all / each);
      if (count < 3) continue;
      const std::vector<std::size_t> steps(count, steps_in(each));
      on.map(fmt::format("equal {} x {}", count, text_of(each)), steps, [](std::size_t n) { return chew(n); });
    }
  }
}

void uneven_slices(course& on) {
  std::mt19937_64 random(7);
  for (const double mean : {5e-6, 20e-6, 50e-6, 500e-6}) {
    constexpr std::size_t count = 60;
    std::vector<std::size_t> linear(count), exponential(count), bimodal(count), giant(count);
    std::exponential_distribution<double> lengths(1);
    for (std::size_t i = 0; i < count; ++i) {
      linear[i] = steps_in(2 * mean * (static_cast<double>(i) + 0.5) / count);
      exponential[i] = steps_in(mean * lengths(random));
      bimodal[i] = steps_in(i % 10 == 3 ? 5.3 * mean : 0.53 * mean);
      giant[i] = steps_in(i == 0 ? mean * count / 2 : mean / 2);
    }
    for (const auto& [name, steps] :
         {std::pair{"linear", linear}, {"exponential", exponential}, {"bimodal", bimodal}, {"giant", giant}}) {
      on.map(fmt::format("{} {} x {}", name, count, text_of(mean)), steps, [](std::size_t n) { return chew(n); });
    }
  }
}

void copied_slices(course& on) {
  for (const std::size_t bytes : {std::size_t{1'000}, std::size_t{60'000}, std::size_t{1'000'000}}) {
    for (const double each : {1e-6, 30e-6, 500e-6}) {
      const std::size_t count = bytes > 100'000 ? 16 : 100;
      const std::vector<parcel> parcels(count, parcel{steps_in(each), std::vector<char>(bytes, 'c')});
      on.map(fmt::format("copied {} x {} B, {}", count, bytes, text_of(each)), parcels, [](const parcel& one) {
        parcel finished = one;
        finished.steps = static_cast<std::size_t>(chew(one.steps));
        return finished;
      });
    }
  }
}

void numbers_in_place(course& on) {
  for (const std::size_t count : {std::size_t{10'000}, std::size_t{100'000}, std::size_t{400'000},
                                  std::size_t{1'000'000}, std::size_t{5'000'000}}) {
    forkful::shared_vector<double> table(count, 1e9);
    on.in_place(fmt::format("in place {} x 8 sqrt", count), table, [](double& x) {
      for (int i = 0; i < 8; ++i) x = std::sqrt(x);
    });
    on.in_place(fmt::format("in place {} x +1", count), table, [](double& x) { x += 1; });
    on.map(fmt::format("sums of {} numbers", count), forkful::slices(table, 16),
           [](std::span<const double> part) { return sum_of(part); });
  }
}

void sleeping_slices(course& on) {
  for (const auto& [count, time] : {std::pair<std::size_t, int>{4, 300}, {20, 300}, {8, 2000}}) {
    on.map(fmt::format("sleep {} x {}us", count, time), std::vector<int>(count, time), [](int microseconds) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      return microseconds;
    });
  }
}

}  // namespace

void tuned_workloads(course& on) {
  equal_slices(on);
  uneven_slices(on);
  copied_slices(on);
  numbers_in_place(on);
  sleeping_slices(on);
}

void tuned_parallel_workloads(course& on) {
  for (const double each : {1e-3, 5e-3}) {
    on.map(
        fmt::format("OpenMP inside, 12 x {}", text_of(each)), std::vector<std::size_t>(12, steps_in(each)),
        [](std::size_t n) {
          double sum = 0;
#pragma omp parallel for reduction(+ : sum)
          for (int i = 0; i < 64; ++i) sum += chew(n / 64);
          return sum;
        },
        true);
  }
}

}  // namespace advice_bench
