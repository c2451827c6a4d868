// A step of the tour: what is told, what is shown, what runs.
//
// One file a step; steps.cpp puts them in order. run() prints what came
// out and ends with the picture. A newline that begins a text is not
// printed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tour {

struct visit {
  const std::vector<std::string>& files;  ///< the real cake's slices
};

struct step {
  std::string_view title;
  std::string_view story;               ///< lines of at most 80 columns
  std::vector<std::string_view> shown;  ///< passages of the source
  bool python_is_code = true;           ///< false: the talk's own words
  std::string python{};          ///< the same, as the talk has it
  std::string_view ours{};       ///< runs instead with --python, if any
  std::string_view looked_at{};  ///< the talk's next cell: a name
  bool (*run)(const visit&) = nullptr;  ///< false: some input failed
};

const std::vector<step>& steps();

step make_cake_step();
step loop_step();
step map_step();
step photograph_step();
step shared_step();
step whole_cake_step();
step each_slice_step();
step faint_step();
step not_worth_it_step();
step real_cake_step();

/// "name: slice_0 slice_1 ...", what a cake holds now.
template <class Cake>
std::string cake_text(std::string_view name, const Cake& cake) {
  std::string text = std::string(name) + ":";
  for (const auto& slice : cake) (text += ' ') += slice;
  return text + "\n";
}

}  // namespace tour
