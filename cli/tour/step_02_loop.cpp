// Step 2: the for loop.
#include <iostream>

#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/notebook.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  auto cake = make_cake();
  // show: loop
  for (std::size_t i = 0; i < cake.size(); ++i) {
    std::cout << "Eating slice " << i << '\n' << std::flush;
    cake[i] = eat_slice(cake[i]);
  }
  // end
  cli::print(cake_text("cake", cake));
  cli::print("\n");
  cli::print(cli::draw_bites(notes()));
  cli::print(cli::draw_line("copied", "nothing: it was your cake"));
  return true;
}

}  // namespace

step loop_step() {
  return {.title = "The for loop: boring, takes too much time",
          .story = R"(
The old way: you alone eat each slice in order. Chewing takes 0.2 s a slice, so
how long will four take?)",
          .shown = {"eat_slice", "loop"},
          .python = R"(
for cakeSlice_i, cakeSlice in enumerate(cake):
    print(f"Eating slice {cakeSlice_i}")
    cake[cakeSlice_i] = EatSlice(cakeSlice))",
          .run = run};
}

}  // namespace tour
