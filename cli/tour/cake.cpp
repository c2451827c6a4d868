// Baking and eating, as the tour shows it.
#include "tour/cake.hpp"

#include <thread>

namespace tour {

// show: make_cake
std::vector<std::string> make_cake() {
  return {"slice_0", "slice_1", "slice_2", "slice_3"};
}
// end

// show: eat_slice
std::string eat_slice(std::string_view slice) {
  std::this_thread::sleep_for(200ms);  // chewing
  return std::string(slice) + "_eaten";
}
// end

}  // namespace tour
