// Reads /proc/self/statm, the kernel's account of this process.
#include "tour/memory.hpp"

#include <unistd.h>

#include <fstream>

namespace tour {

std::size_t resident_bytes() {
  std::size_t mapped = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> mapped >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace tour
