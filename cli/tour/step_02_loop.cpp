// Step 2: the for loop.
#include <chrono>
#include <iostream>

#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"
#include "tour/talk.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  auto cake = make_cake();
  const auto began = std::chrono::steady_clock::now();
  forkful::report happened{
      .way = "loop", .workers = 1, .has_timeline = true};
  const auto now = [&] {
    return std::chrono::steady_clock::now() - began;
  };
  // What the loop calls: tour::eat_slice, with a look at the clock.
  const auto eat_slice = [&](std::string_view slice) {
    const auto from = now();
    std::string eaten = tour::eat_slice(slice);
    happened.recorded.chunks.push_back({.first = happened.slices++,
                                        .count = 1,
                                        .begin = from,
                                        .end = now()});
    return eaten;
  };
  // show: loop
  for (std::size_t i = 0; i < cake.size(); ++i) {
    std::cout << "Eating slice " << i << '\n' << std::flush;
    cake[i] = eat_slice(cake[i]);
  }
  // end
  happened.wall = happened.caller.idle = now();
  happened.chunks = happened.slices;
  happened.per_worker = {{.slices = happened.slices,
                          .chunks = happened.slices,
                          .time = {.compute = happened.wall}}};
  cli::print(cake_text("cake", cake));
  cli::print("\n");
  exhibit(happened);
  return true;
}

}  // namespace

step loop_step() {
  return {.title = "The for loop: boring, takes too much time",
          .story = R"(
The old way: you alone eat each slice in order. Chewing takes 0.2 s a slice, so
how long will four take?)",
          .shown = {"eat_slice", "loop"},
          .python = std::string(talk::eat_slice) + R"(
for cakeSlice_i, cakeSlice in enumerate(cake):
    print(f"Eating slice {cakeSlice_i}")
    cake[cakeSlice_i] = EatSlice(cakeSlice)
    time.sleep(.5))",
          .looked_at = "cake",
          .run = run};
}

}  // namespace tour
