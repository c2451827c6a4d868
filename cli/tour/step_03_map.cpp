// Step 3: map and a lambda, still alone.
#include <forkful/serial_pool.hpp>

#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  // show: map
  auto eat = [](std::string_view slice) { return eat_slice(slice); };

  auto chocolate_cake = make_cake();
  forkful::serial_pool alone{{.record_timeline = true}};
  chocolate_cake = alone.map(chocolate_cake, eat);
  // end
  cli::print(cake_text("chocolate_cake", chocolate_cake));
  cli::print("\n");
  exhibit(alone.report());
  return true;
}

}  // namespace

step map_step() {
  return {.title = "map and a lambda: nicer, and just as slow",
          .story = R"(
The same, said in one line: map takes a cake and what to do with a slice, and
gives the results in the order of the slices. A serial_pool does it right here,
in order, like the loop. It is the way that all others are compared with.)",
          .shown = {"map"},
          .python = R"(
EatSliceLambda = lambda cakeSlice: f"{cakeSlice}_eaten"
chocolateCake = makeCake()
chocolateCake = list(map(EatSliceLambda, chocolateCake)))",
          .looked_at = "chocolateCake",
          .run = run};
}

}  // namespace tour
