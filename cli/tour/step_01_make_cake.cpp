// Step 1: makeCake.

#include "format/fmt.hpp"
#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/step.hpp"
#include "tour/talk.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  // show: first_cake
  auto cake = make_cake();
  // end
  cli::print(cake_text("cake", cake));
  cli::print("\n");

  std::string drawn;
  for (std::size_t i = 0; i < cake.size(); ++i)
    drawn += cli::slice_colour(i, fmt::format("[{:<12}]", cake[i]));
  cli::print(cli::draw_line("your cake", drawn));
  cli::print(
      cli::draw_line("copied", "nothing, and nobody has eaten yet"));
  return true;
}

}  // namespace

step make_cake_step() {
  return {.title = "makeCake: a cake in four slices",
          .story = R"(
Parallel computing starts with a cake. Ours is a vector of strings, and a slice
is one of them. In your programs a slice is a row, an image, a file, an event.)",
          .shown = {"make_cake", "first_cake"},
          .python = std::string(talk::make_cake) + R"(
cake = makeCake())",
          .looked_at = "cake",
          .run = run};
}

}  // namespace tour
