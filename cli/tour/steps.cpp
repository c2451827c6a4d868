// The order of the tour.
#include "tour/step.hpp"

namespace tour {

const std::vector<step>& steps() {
  static const std::vector<step> all{
      make_cake_step(),  loop_step(),   map_step(),
      photograph_step(), shared_step(), whole_cake_step(),
      each_slice_step(), faint_step(),  not_worth_it_step(),
      real_cake_step(),
  };
  return all;
}

}  // namespace tour
