// The real oneTBB and OpenBLAS inside workers use as many threads as pool_options::inner_threads says, whether the
// caller or a slice loaded them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <forkful/forkful.hpp>
#include <stdexcept>
#include <vector>

#include "faults/killing.hpp"
#include "support/in_child.hpp"

namespace {

using forkful::indices;
using forkful_tests::in_child;
using forkful_tests::watchdog;

template <class Function>
Function function_in(const char* library, const char* name, int scope) {
  void* const module = dlopen(library, RTLD_NOW | scope);
  void* const function = module == nullptr ? nullptr : dlsym(module, name);
  if (function == nullptr) throw std::runtime_error(dlerror());
  return reinterpret_cast<Function>(function);
}

struct threads {
  int allowed = 0;
  int used = 0;
  bool operator==(const threads&) const = default;
};

threads use_tbb(int scope) {
  const int used = function_in<int (*)()>(FORKFUL_TBB_MODULE, "tbb_used", scope)();
  return {function_in<int (*)()>(FORKFUL_TBB_MODULE, "tbb_allowed", scope)(), used};
}

// OpenBLAS does not report how many it used; the product shows that it worked.
threads use_blas(int scope) {
  constexpr const char* blas = "libopenblas.so.0";
  constexpr int rows = 300;
  const std::vector<double> ones(rows * rows, 1.0);
  std::vector<double> product(rows * rows);
  const char keep = 'N';
  const double one = 1;
  const double zero = 0;
  using gemm = void (*)(const char*, const char*, const int*, const int*, const int*, const double*, const double*,
                        const int*, const double*, const int*, const double*, double*, const int*);
  function_in<gemm>(blas, "dgemm_", scope)(&keep, &keep, &rows, &rows, &rows, &one, ones.data(), &rows, ones.data(),
                                           &rows, &zero, product.data(), &rows);
  const int allowed = function_in<int (*)()>(blas, "openblas_get_num_threads", scope)();
  for (const double each : product) {
    if (each != rows) return {allowed, -1};
  }
  return {allowed, allowed};
}

enum class library { tbb, blas };

threads use(library which, int scope) { return which == library::tbb ? use_tbb(scope) : use_blas(scope); }

// Of two calls, in a worker with this many inner threads. The library is loaded by the caller before, or by the first slice.
std::vector<threads> in_worker(library which, unsigned inner_threads, bool before, int scope = RTLD_LOCAL) {
  // Not used in here: its threads would be missing in a worker.
  if (before && which == library::tbb) function_in<void*>(FORKFUL_TBB_MODULE, "tbb_used", scope);
  if (before && which == library::blas) function_in<void*>("libopenblas.so.0", "dgemm_", scope);
  forkful::process_pool pool(forkful::pool_options{.workers = 1, .inner_threads = inner_threads});
  std::vector<threads> seen;
  for (int call = 0; call < 2; ++call) {
    const auto run_slice = [](std::size_t, const library& one, const int& how) { return use(one, how); };
    seen.push_back(pool.map(indices(1), run_slice, which, scope).at(0));
  }
  return seen;
}

// In a child of its own each: what is loaded stays.
template <class Body>
void expect(Body body) {
  const watchdog bites;
  const auto end = in_child([&] { return body() ? 7 : 8; });
  EXPECT_TRUE(end.exited_with(7)) << end.status;
}

constexpr std::array<bool, 2> loaded_before{true, false};

TEST(inner_libraries, of_tbb_use_one_thread_in_a_worker) {
  for (const int scope : {RTLD_LOCAL, RTLD_GLOBAL}) {
    expect([&] { return in_worker(library::tbb, 1, true, scope) == std::vector<threads>{{1, 1}, {1, 1}}; });
  }
}

TEST(inner_libraries, of_tbb_use_as_many_threads_as_asked_for) {
  expect([] {
    for (const threads& seen : in_worker(library::tbb, 2, true)) {
      if (seen.allowed != 2 || seen.used < 1 || seen.used > 2) return false;
    }
    return true;
  });
}

TEST(inner_libraries, of_tbb_are_left_alone_with_0) {
  expect([] {
    const int usual = use_tbb(RTLD_LOCAL).allowed;
    const auto end = in_child([&] { return in_worker(library::tbb, 0, false)[0].allowed == usual ? 7 : 8; });
    return end.exited_with(7);
  });
}

// It reads no environment: the slice that loads it is not held back, the next call is.
TEST(inner_libraries, of_a_tbb_that_a_slice_loads_are_limited_from_the_next_call_on) {
  expect([] { return in_worker(library::tbb, 1, false).at(1) == threads{1, 1}; });
  expect([] { return in_worker(library::tbb, 2, false).at(1).allowed == 2; });
}

TEST(inner_libraries, of_openblas_use_one_thread_whoever_loads_it) {
  for (const bool before : loaded_before) {
    expect([&] { return in_worker(library::blas, 1, before) == std::vector<threads>{{1, 1}, {1, 1}}; });
  }
}

TEST(inner_libraries, of_openblas_use_as_many_threads_as_asked_for) {
  for (const bool before : loaded_before) {
    expect([&] {
      for (const threads& seen : in_worker(library::blas, 2, before)) {
        if (seen.allowed < 1 || seen.allowed > 2 || seen.used < 1) return false;
      }
      return true;
    });
  }
}

TEST(inner_libraries, of_openblas_are_left_alone_with_0) {
  expect([] {
    const int usual = use_blas(RTLD_LOCAL).allowed;
    return usual >= 1 && in_worker(library::blas, 0, true)[0] == threads{usual, usual};
  });
}

}  // namespace
