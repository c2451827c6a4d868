// Step 7: each slice is copied to friends who are there already, and back.
#include <forkful/process_pool.hpp>

#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  // show: each_slice
  auto cake = make_cake();
  forkful::process_pool friends{
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

step each_slice_step() {
  return {.title = "Each slice copied, the modified parts reassembled",
          .story = R"(
One word is different: process_pool. Its friends come once and stay for as many
cakes as you like; of what you bake after that they know what they are given. So
each slice travels to a friend, and the eaten slice travels back. Compare the
bytes that were copied.)",
          .shown = {"each_slice"},
          .python = R"(
with multiprocessing.Pool(2) as pool:
  strawberryCake = pool.map(EatSlice, strawberryCake))",
          .looked_at = "strawberryCake",
          .run = run};
}

}  // namespace tour
