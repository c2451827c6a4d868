// Step 5: the cake lies in shared memory and is eaten where it lies.
#include <forkful/process_pool.hpp>

#include "picture.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

bool run(const visit& /*unused*/) {
  // show: shared
  forkful::shared_vector<forkful::shared_string> cake(make_cake());
  forkful::process_pool friends{
      {.workers = 2, .record_timeline = true}};
  friends.for_each(cake, [](forkful::shared_string& slice) {
    slice = eat_slice(slice);
  });
  // end
  cli::print(cake_text("cake", cake));
  cli::print("\n");
  exhibit(friends.report());
  cli::print(cli::draw_line("your cake", "eaten, where it lies"));
  return true;
}

}  // namespace

step shared_step() {
  return {.title = "Shared memory: the cake is eaten",
          .story = R"(
Put the cake on a table that everybody sits at: memory that all processes see,
at the same address. Friends get a place to look at instead of a copy, and what
they eat is gone for you too. This is the way for large data. Had the cake been
an ordinary vector, this would not compile: friends would have eaten a copy.)",
          .shown = {"shared"},
          .python_is_code = false,
          .python = R"(
If you need to modify the cake in the parallel process:
Shared memory)",
          .ours = R"(
cake = multiprocessing.shared_array(4)  # zeros: nobody has eaten
with multiprocessing.Pool(2) as pool:
  pool.map(lambda cakeSlice: cakeSlice.fill(1), cake[:, None]))",
          .looked_at = "cake",
          .run = run};
}

}  // namespace tour
