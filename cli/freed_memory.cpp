#include "freed_memory.hpp"

#include <malloc.h>

namespace cli {

void keep_freed_memory() {
  // zlib takes 256 KB for every text. By default malloc returns them to the kernel each time, or never, depending on
  // what that process did before; faulting them in again takes longer than a small text.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

}  // namespace cli
