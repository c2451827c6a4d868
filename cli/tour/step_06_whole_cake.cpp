// Step 6: the whole cake is copied by a snapshot, the results come back.
#include <forkful/snapshot_pool.hpp>

#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  // show: whole_cake
  auto cake = make_cake();
  forkful::snapshot_pool friends{
      {.workers = 2, .record_timeline = true}};
  friends.update(cake,
                 [](std::string& slice) { slice = eat_slice(slice); });
  // end
  cli::print(cake_text("cake", cake));
  cli::print("\n");
  exhibit(friends.report());
  cli::print(
      cli::draw_line("your cake", "eaten, slice by slice put back"));
  return true;
}

}  // namespace

step whole_cake_step() {
  return {
      .title = "The whole cake copied, the modified parts reassembled",
      .story = R"(
The photograph again, but now every eaten slice travels back and takes its place
in your cake: that is update. (map is the same, with results in a new vector.)
Nothing has to travel to the friends, since the photograph shows it all.)",
      .shown = {"whole_cake"},
      .python = R"(
def EatSliceParallel(cakeSlice_i):
  return EatSlice(strawberryCake[cakeSlice_i])
with multiprocessing.Pool(2) as pool:
  strawberryCake = pool.map(EatSliceParallel,
                            range(len(strawberryCake))))",
      .looked_at = "strawberryCake",
      .run = run};
}

}  // namespace tour
