// The cake of the talk and how a slice of it is eaten, in every step.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tour/notebook.hpp"

namespace tour {

using namespace std::chrono_literals;

// show: make_cake
inline std::vector<std::string> make_cake() {
  return {"slice_0", "slice_1", "slice_2", "slice_3"};
}
// end

// show: eat_slice
inline std::string eat_slice(std::string_view slice) {
  bite note{slice};  // who eats it, and when: for the picture
  std::this_thread::sleep_for(200ms);  // chewing
  return std::string(slice) + "_eaten";
}
// end

}  // namespace tour
