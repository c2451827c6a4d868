#include "works/works.hpp"

#include <array>

namespace race {

std::span<const entry> works() {
  static const std::array all{gzip_work(),    blur_work(),   montecarlo_work(), matrix_work(), numbers_work(),
                              strings_work(), skewed_work(), sleep_work(),      crash_work()};
  return all;
}

}  // namespace race
