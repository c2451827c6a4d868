// Made-up workloads by which the advice is judged, and never tuned: other lengths, numbers, sizes and shapes than in tuned.cpp.
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <span>
#include <thread>

#include "advice/course.hpp"
#include "format/fmt.hpp"

namespace advice_bench {

namespace {

void equal_slices(course& on) {
  for (const double all : {80e-6, 400e-6, 1.5e-3, 9e-3}) {
    for (const double each : {400e-9, 6e-6, 45e-6, 700e-6}) {
      const auto count = static_cast<std::size_t>(all / each);
      if (count < 2) continue;
      on.map(fmt::format("judged {} x {}", count, text_of(each)), std::vector<std::size_t>(count, steps_in(each)),
             [](std::size_t n) { return chew(n); });
    }
  }
}

// The length of slice i of n, in any unit.
struct shape {
  const char* name;
  double (*length)(std::size_t i, std::size_t n);
};

constexpr std::array<shape, 7> shapes{{
    {"falling", [](std::size_t i, std::size_t n) { return static_cast<double>(n - i); }},
    {"sawtooth", [](std::size_t i, std::size_t) { return static_cast<double>(1 + i % 16); }},
    {"8 giants first", [](std::size_t i, std::size_t n) { return i < 8 ? static_cast<double>(n) / 16 : 1.0; }},
    {"8 giants amid",
     [](std::size_t i, std::size_t n) { return i >= n / 2 && i < n / 2 + 8 ? static_cast<double>(n) / 16 : 1.0; }},
    {"8 giants last", [](std::size_t i, std::size_t n) { return i + 8 >= n ? static_cast<double>(n) / 16 : 1.0; }},
    {"one in 50 is 50 x", [](std::size_t i, std::size_t) { return i % 50 == 31 ? 50.0 : 1.0; }},
    {"half empty", [](std::size_t i, std::size_t n) { return i < n / 2 ? 0.05 : 1.0; }},
}};

void uneven_slices(course& on) {
  for (const shape& form : shapes) {
    for (const auto& [count, mean] : {std::pair<std::size_t, double>{200, 4e-6}, {200, 60e-6}, {3000, 5e-6}}) {
      std::vector<double> lengths(count);
      for (std::size_t i = 0; i != count; ++i) lengths[i] = form.length(i, count);
      const double sum = std::accumulate(lengths.begin(), lengths.end(), 0.0);
      std::vector<std::size_t> steps(count);
      for (std::size_t i = 0; i != count; ++i)
        steps[i] = steps_in(lengths[i] / sum * mean * static_cast<double>(count));
      on.map(fmt::format("{} {} x {}", form.name, count, text_of(mean)), steps, [](std::size_t n) { return chew(n); });
    }
  }
}

struct parcel {
  std::size_t steps = 0;
  std::vector<int> load;
};

void copied_slices(course& on) {
  for (const std::size_t bytes : {std::size_t{400}, std::size_t{12'000}, std::size_t{250'000}}) {
    for (const double each : {3e-6, 80e-6, 900e-6}) {
      const std::size_t count = each > 500e-6 ? 12 : 60;
      const std::vector<parcel> parcels(count, parcel{steps_in(each), std::vector<int>(bytes / sizeof(int), 1)});
      on.map(fmt::format("in {} x {} B, {}", count, bytes, text_of(each)), parcels,
             [](const parcel& one) { return chew(one.steps) + one.load.back(); });
    }
    for (const double each : {10e-6, 200e-6}) {
      const std::size_t count = 40;
      const std::vector<std::size_t> steps(count, steps_in(each));
      on.map(fmt::format("out {} x {} B, {}", count, bytes, text_of(each)), steps,
             forkful::by_value([bytes](std::size_t n) {
               return std::vector<float>(bytes / sizeof(float), static_cast<float>(chew(n)));
             }));
    }
  }
}

void numbers_in_place(course& on) {
  for (const std::size_t count : {std::size_t{30'000}, std::size_t{250'000}, std::size_t{2'000'000}}) {
    forkful::shared_vector<double> table(count, 1e3);
    on.in_place(fmt::format("in place {} x exp log", count), table, [](double& x) { x = std::exp(std::log(x)); });
    on.in_place(fmt::format("in place {} x * 1.5", count), table, [](double& x) { x *= 1.0000001; });
    on.map(fmt::format("norms of {} numbers", count), forkful::slices(table, 10), [](std::span<const double> part) {
      return std::sqrt(std::inner_product(part.begin(), part.end(), part.begin(), 0.0));
    });
  }
}

void sleeping_slices(course& on) {
  for (const auto& [count, time] : {std::pair<std::size_t, int>{3, 1000}, {40, 150}, {10, 700}}) {
    on.map(fmt::format("wait {} x {}us", count, time), std::vector<int>(count, time), [](int microseconds) {
      std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
      return microseconds;
    });
  }
}

}  // namespace

void judged_workloads(course& on) {
  equal_slices(on);
  uneven_slices(on);
  copied_slices(on);
  numbers_in_place(on);
  sleeping_slices(on);
}

void judged_parallel_workloads(course& on) {
  for (const double each : {2e-3, 8e-3}) {
    on.map(
        fmt::format("OpenMP for, 9 x {}", text_of(each)), std::vector<std::size_t>(9, steps_in(each)),
        [](std::size_t n) {
          double most = 0;
#pragma omp parallel for reduction(max : most)
          for (int i = 0; i < 32; ++i) most = std::max(most, chew(n / 32));
          return most;
        },
        true);
  }
}

}  // namespace advice_bench
