// Step 4: a snapshot of the process; what friends write there is lost.

#include <forkful/snapshot_pool.hpp>

#include "format/fmt.hpp"
#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/memory.hpp"
#include "tour/step.hpp"
#include "units.hpp"

namespace tour {

namespace {

struct sight {
  unsigned eater;
  std::string saw;
};

bool run(const visit& /*unused*/) {
  const std::size_t photographed = resident_bytes();
  // show: photograph
  auto strawberry_cake = make_cake();
  forkful::snapshot_pool friends{
      {.workers = 2, .record_timeline = true}};
  auto sights = friends.map(
      forkful::indices(strawberry_cake.size()), [&](std::size_t i) {
        strawberry_cake[i] = eat_slice(strawberry_cake[i]);
        return sight{forkful::worker_index(), strawberry_cake[i]};
      });
  // end
  for (const sight& each : sights)
    cli::print(
        fmt::format("friend {} sees {}\n", each.eater, each.saw));
  cli::print(cake_text("your strawberry_cake", strawberry_cake));
  cli::print("\n");
  exhibit(friends.report());
  cli::print(cli::draw_line(
      "your cake", strawberry_cake == make_cake()
                       ? "untouched. The cake is a lie!"
                       : "changed, which should be impossible"));
  cli::print(cli::draw_line(
      "seen",
      fmt::format("{} of your memory in each photograph, not copied",
                  cli::bytes_text(photographed))));
  return true;
}

}  // namespace

step photograph_step() {
  return {.title = "Friends on a photograph, and the cake is a lie",
          .story = R"(
Invite friends and eat at the same time: fun, way faster. fork() gives each
friend a photograph of your whole process. It costs little: a page of memory is
copied when somebody writes to it, not before. Each friend eats in its own
photograph and tells what it sees there. What will your cake look like?)",
          .shown = {"photograph"},
          .python = R"(
def EatSliceParallel(cakeSlice_i):
  strawberryCake[cakeSlice_i] = \
      EatSlice(strawberryCake[cakeSlice_i])
with multiprocessing.Pool(2) as pool:
  pool.map(EatSliceParallel, range(len(strawberryCake))))",
          .looked_at = "strawberryCake",
          .run = run};
}

}  // namespace tour
