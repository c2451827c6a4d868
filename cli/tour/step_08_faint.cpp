// Step 8: a worker is killed in the middle of a slice.
#include <atomic>
#include <csignal>
#include <forkful/process_pool.hpp>
#include <thread>

#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"

namespace tour {

namespace {

// show: faint
using faints = forkful::shared<std::atomic<int>>;

std::string eat_or_faint(std::string_view slice, const faints& left) {
  std::this_thread::sleep_for(100ms);
  if (slice == "slice_1" && left->fetch_sub(1) > 0)
    std::raise(SIGKILL);  // nothing after this line happens
  std::this_thread::sleep_for(100ms);
  return std::string(slice) + "_eaten";
}
// end

bool run(const visit& /*unused*/) {
  auto cake = make_cake();
  // show: try_map
  forkful::process_pool friends{
      {.workers = 2, .record_timeline = true}};
  faints once{1};
  auto plates = friends.try_map(cake, eat_or_faint, once);
  // end
  for (const auto& plate : plates)
    cli::print(cli::wrapped(plate ? *plate : plate.failure().what, 2));
  cli::print("\n");
  exhibit(friends.report());

  cli::print("\nAgain, and a slice may be begun twice:\n\n");
  // show: attempts
  faints once_more{1};
  auto eaten =
      friends.with({.attempts = 2}).map(cake, eat_or_faint, once_more);
  // end
  cli::print(cake_text("eaten", eaten));
  cli::print("\n");
  exhibit(friends.report());
  return true;
}

}  // namespace

step faint_step() {
  return {.title = "A friend faints, and nothing is lost",
          .story = R"(
Slice 1 is bad: who eats it faints (SIGKILL, which nobody survives) in the
middle of it. try_map gives one outcome a slice, so one bad slice costs one
slice, and a new friend takes the empty chair. With two attempts, the slice is
handed out once more and nothing is missing.)",
          .shown = {"faint", "try_map", "attempts"},
          .python = R"(
with multiprocessing.Pool(2) as pool:
  pool.map(EatSlice, cake)  # waits for the dead friend, for ever)",
          .ours = R"(
def EatSlice(cakeSlice):
  if cakeSlice == 'slice_1':
    os.kill(os.getpid(), signal.SIGKILL)
  return f"{cakeSlice}_eaten"
with multiprocessing.Pool(2) as pool:
  for plate in pool.try_map(EatSlice, cake):
    print(plate.value if plate else plate.error))",
          .run = run};
}

}  // namespace tour
