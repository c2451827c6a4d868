// A program whose other headers define small words as macros: those of Qt, X11, Windows ports, R, C's complex numbers and old POSIX.
// Standard headers come first, as they do in such programs; forkful's must not use any of these words.
#include <bits/stdc++.h>
#include <complex.h>

// Qt
#define emit
#define slots
#define signals public
#define foreach(a, b) for (a : b)
#define forever for (;;)
// X11
#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Success 0
#define Always 2
#define Above 0
#define Below 1
#define Complex 0
#define CursorShape 0
#define FocusIn 9
#define FocusOut 10
#define KeyPress 2
#define Unsorted 0
// Windows ports
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define small char
#define near
#define far
#define interface struct
#define IN
#define OUT
#define OPTIONAL
#define ERROR 0
#define CALLBACK
#define DELETE 1
#define GetObject GetObjectA
#define SendMessage SendMessageA
#define Yield()
// R
#define length Rf_length
#define warning Rf_warning
#define isNull Rf_isNull
// POSIX and GNU
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define major(x) (x)
#define minor(x) (x)
#define _T(x) x
// Arduino, and hand-made ones
#define PI 3.14

#include <forkful/forkful.hpp>

#undef min
#undef max

namespace {

struct item {
  int layers;
  std::string name;
};

}  // namespace

int main() {
  forkful::process_pool pool(2U);
  const std::vector<item> items{{1, "sponge"}, {2, "cream"}};
  const auto more = pool.map(items, [](const item& c) { return item{c.layers + 1, c.name + "!"}; });
  const forkful::shared_vector<double> table(100, 4.0);
  pool.for_each(forkful::slices_of(table, 7), [](std::span<double> part) { part[0] += 1; });
  pool.submit([](const forkful::shared_vector<double>& all) { all[1] = 9; }, table).get();
  const auto some = pool.try_map(items, [](const item& c) {
    if (c.layers == 2) throw std::out_of_range("two");
    return c.layers;
  });
  double sum = pool.transform_reduce(forkful::indices(100), 0.0, std::plus<>{},
                                     [](std::size_t i) { return static_cast<double>(i); });
  for (const std::size_t i :
       pool.imap(forkful::zip(forkful::indices(3), items), [](std::size_t i, const auto& /*item*/) { return i; }))
    sum += static_cast<double>(i);
  return more[1].name == "cream!" && table[98] > 4.5 && table[1] > 8.5 && !some[1] && sum > 4950.5 ? 0 : 1;
}
