// Stands for OpenBLAS, MKL, BLIS and oneTBB: the functions that set how many threads they use, and the numbers that
// were set.
#include <cstddef>
#include <cstdint>

extern "C" {

int told_openblas = 8;
int told_mkl = 8;
std::int64_t told_blis = 8;
std::size_t told_tbb = 8;

void openblas_set_num_threads(int count) { told_openblas = count; }
void MKL_Set_Num_Threads(int count) { told_mkl = count; }
void bli_thread_set_num_threads(std::int64_t count) { told_blis = count; }
}

// oneTBB 2021's own names and layout.
namespace tbb::detail {
namespace d1 {
class global_control {
 public:
  std::size_t my_value;
  std::intptr_t my_reserved;
  int my_param;
};
}  // namespace d1
namespace r1 {
void create(d1::global_control& control);
void create(d1::global_control& control) {
  if (control.my_param == 0) told_tbb = control.my_value;
}
}  // namespace r1
}  // namespace tbb::detail
