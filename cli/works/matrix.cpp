// Squares of matrices by OpenBLAS, which uses all cores by itself: work that is parallel already.
//
// The library is loaded when this work is chosen, so that the tool starts fast and runs where it is missing. Entries are small
// whole numbers: their products and sums are exact, so that any order gives the same bits.
#include <dlfcn.h>

#include <cmath>

#include "works/doubles.hpp"
#include "works/sizes.hpp"
#include "works/spin.hpp"
#include "works/works.hpp"

namespace race {

namespace {

// As cblas.h has it; the enumerations of C are ints.
using dgemm_function = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                                const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc);
constexpr int row_major = 101;
constexpr int not_transposed = 111;

dgemm_function dgemm = nullptr;  // set before any worker is forked

void square(std::span<double> block) {
  const int n = static_cast<int>(std::lround(std::sqrt(static_cast<double>(block.size()))));
  const std::vector<double> factor(block.begin(), block.end());
  dgemm(row_major, not_transposed, not_transposed, n, n, n, 1.0, factor.data(), n, factor.data(), n, 0.0, block.data(),
        n);
}

void load_blas() {
  void* const library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_GLOBAL);
  if (library != nullptr) dgemm = reinterpret_cast<dgemm_function>(dlsym(library, "cblas_dgemm"));
  if (dgemm == nullptr)
    throw std::runtime_error(
        "the work 'matrix' needs OpenBLAS, which is not installed here (no libopenblas.so.0); install Debian's "
        "libopenblas0-pthread, or choose another work");
}

class matrix final : public doubles {
 public:
  using doubles::doubles;
  /// OpenBLAS's own threads look for more work for 2^26 cycles before they sleep.
  [[nodiscard]] std::chrono::milliseconds rest() const override { return std::chrono::milliseconds(50); }
};

std::unique_ptr<work> make(const work_options& said) {
  load_blas();
  const std::size_t slices = said.slices.value_or(8);
  const std::size_t bytes = bytes_or(said, slices, 2'000'000, sizeof(double));
  const std::size_t entries = bytes / sizeof(double);
  const auto n = static_cast<std::size_t>(std::sqrt(static_cast<double>(entries)));
  std::vector<double> all(slices * n * n);
  std::uint64_t state = 1;
  for (double& entry : all) entry = static_cast<double>(next_random(state) % 4);
  return std::make_unique<matrix>(std::move(all), slices, square);
}

}  // namespace

entry matrix_work() {
  return {"matrix", "multiplies matrices with OpenBLAS, which is parallel already", "--slices --bytes", make};
}

}  // namespace race
