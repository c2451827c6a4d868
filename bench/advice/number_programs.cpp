// Real programs on numbers.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "advice/course.hpp"
#include "format/fmt.hpp"

namespace advice_bench {

namespace {

bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; std::uint64_t{d} * d <= n; ++d)
    if (n % d == 0) return false;
  return n > 1;
}

unsigned collatz(std::uint64_t n) {
  unsigned steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

// A row of a picture of the Mandelbrot set, so many wide and high.
std::vector<std::uint8_t> mandelbrot_row(std::size_t y, std::size_t size) {
  std::vector<std::uint8_t> row(size);
  for (std::size_t x = 0; x != size; ++x) {
    const std::complex<double> c(3.0 * static_cast<double>(x) / static_cast<double>(size) - 2.2,
                                 3.0 * static_cast<double>(y) / static_cast<double>(size) - 1.5);
    std::complex<double> z = 0;
    while (row[x] != 100 && std::norm(z) < 4) {
      z = z * z + c;
      ++row[x];
    }
  }
  return row;
}

// Ways to place the other queens on a board of n when the first one stands in that column.
unsigned queens(unsigned n, unsigned column) {
  struct board {
    unsigned n;
    unsigned place(unsigned row, unsigned columns, unsigned left, unsigned right) const {
      if (row == n) return 1;
      unsigned found = 0;
      for (unsigned free = ((1U << n) - 1) & ~(columns | left | right); free != 0; free &= free - 1) {
        const unsigned queen = free & (~free + 1);
        found += place(row + 1, columns | queen, (left | queen) << 1, (right | queen) >> 1);
      }
      return found;
    }
  };
  const unsigned queen = 1U << column;
  return board{n}.place(1, queen, queen << 1, queen >> 1);
}

struct option {
  double price, strike, years, volatility, value;
};

void black_scholes(option& one) {
  const auto normal = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  const double spread = one.volatility * std::sqrt(one.years);
  const double d =
      (std::log(one.price / one.strike) + (0.03 + one.volatility * one.volatility / 2) * one.years) / spread;
  one.value = one.price * normal(d) - one.strike * std::exp(-0.03 * one.years) * normal(d - spread);
}

using point = std::array<float, 8>;

// The nearest of 16 centres that lie on a line.
std::uint8_t nearest(const point& of) {
  std::uint8_t best = 0;
  float least = 1e30F;
  for (std::uint8_t k = 0; k != 16; ++k) {
    float sum = 0;
    for (const float x : of) sum += (x - static_cast<float>(k)) * (x - static_cast<float>(k));
    if (sum < least) {
      least = sum;
      best = k;
    }
  }
  return best;
}

double integral(std::size_t part, std::size_t steps) {
  double sum = 0;
  for (std::size_t i = 0; i != steps; ++i) {
    const double x = static_cast<double>(part) + (static_cast<double>(i) + 0.5) / static_cast<double>(steps);
    sum += std::sin(x) * std::exp(-x / 10);
  }
  return sum / static_cast<double>(steps);
}

// One frequency of a signal.
double spectrum(std::span<const double> signal, std::size_t frequency) {
  std::complex<double> sum = 0;
  for (std::size_t i = 0; i != signal.size(); ++i)
    sum += signal[i] * std::polar(1.0, -2 * M_PI * static_cast<double>(frequency * i % signal.size()) /
                                           static_cast<double>(signal.size()));
  return std::abs(sum);
}

// The largest value that fits into a knapsack of that size.
unsigned knapsack(std::size_t size) {
  std::vector<unsigned> best(size + 1);
  for (unsigned item = 1; item != 40; ++item)
    for (std::size_t room = size; room >= item * 7 % 31 + 3; --room)
      best[room] = std::max(best[room], best[room - (item * 7 % 31 + 3)] + item * 13 % 29);
  return best[size];
}

void search(course& on) {
  for (const std::uint32_t count : {2'000U, 40'000U}) {
    std::vector<std::uint32_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 1'000'000U);
    on.map(fmt::format("primes among {}", count), numbers, [](std::uint32_t n) { return is_prime(n); });
    on.map(fmt::format("Collatz of {}", count), numbers, [](std::uint32_t n) { return collatz(n); });
  }
  for (const unsigned n : {8U, 10U}) {
    on.map(fmt::format("{} queens", n), forkful::indices(n),
           forkful::by_value([n](std::size_t column) { return queens(n, static_cast<unsigned>(column)); }));
  }
  for (const std::size_t sizes : {std::size_t{60}, std::size_t{400}}) {
    on.map(fmt::format("{} knapsacks", sizes), forkful::indices(sizes), [](std::size_t i) { return knapsack(40 + i); });
  }
}

void calculus(course& on) {
  for (const std::size_t steps : {std::size_t{300}, std::size_t{20'000}}) {
    on.map(fmt::format("integral, 40 x {}", steps), forkful::indices(40),
           forkful::by_value([steps](std::size_t part) { return integral(part, steps); }));
  }
  for (const std::size_t size : {std::size_t{64}, std::size_t{300}}) {
    on.map(fmt::format("Mandelbrot {}", size), forkful::indices(size),
           forkful::by_value([size](std::size_t y) { return mandelbrot_row(y, size); }));
  }
  for (const std::size_t length : {std::size_t{128}, std::size_t{600}}) {
    forkful::shared_vector<double> signal(length);
    for (std::size_t i = 0; i != length; ++i) signal[i] = std::cos(static_cast<double>(i * i));
    const std::span<const double> all(signal.data(), signal.size());
    on.map(fmt::format("spectrum of {}", length), forkful::indices(length),
           forkful::by_value([all](std::size_t frequency) { return spectrum(all, frequency); }));
  }
}

void tables(course& on) {
  for (const std::size_t count : {std::size_t{1'000}, std::size_t{60'000}}) {
    forkful::shared_vector<option> options(count, option{100, 95, 0.5, 0.2, 0});
    on.in_place(fmt::format("price {} options", count), options, black_scholes);
    std::vector<point> points(count);
    for (std::size_t i = 0; i != count; ++i) points[i].fill(static_cast<float>(i % 16));
    on.map(fmt::format("nearest of {} points", count), points, [](const point& one) { return nearest(one); });
    forkful::shared_vector<std::uint32_t> numbers(8 * count);
    on.map(fmt::format("shuffle and sort {} numbers", numbers.size()), forkful::slices(numbers, 16),
           [](std::span<std::uint32_t> part) {
             std::uint32_t state = 1;
             for (std::uint32_t& each : part) each = state = state * 1664525 + 1013904223;
             std::sort(part.begin(), part.end());
             return part.front();
           });
  }
}

}  // namespace

void number_programs(course& on) {
  search(on);
  calculus(on);
  tables(on);
}

}  // namespace advice_bench
