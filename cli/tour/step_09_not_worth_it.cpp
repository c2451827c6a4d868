// Step 9: slices too small to share; measured here and now.

#include <forkful/process_pool.hpp>

#include "format/fmt.hpp"
#include "terminal.hpp"
#include "tour/cake.hpp"
#include "tour/exhibit.hpp"
#include "tour/step.hpp"
#include "tour/stopwatch.hpp"
#include "units.hpp"

namespace tour {

namespace {

// show: nibble
std::string nibble(std::string_view slice) {  // no chewing
  return std::string(slice) + "_eaten";
}
// end

void print_time(std::string_view who, std::chrono::nanoseconds time,
                std::chrono::nanoseconds loop) {
  const double factor =
      static_cast<double>(time.count()) /
      static_cast<double>(std::max<std::int64_t>(loop.count(), 1));
  cli::print(fmt::format("{:<32} {:>9} {:>8} x\n", who,
                         cli::time_text(time),
                         cli::ratio_text(factor)));
}

bool run(const visit& /*unused*/) {
  const auto cake = make_cake();
  // show: tiny_work
  auto loop = median_time(1001, [&] {
    std::vector<std::string> eaten;
    eaten.reserve(cake.size());
    for (const auto& slice : cake) eaten.push_back(nibble(slice));
    return eaten;
  });
  forkful::process_pool friends{
      {.workers = 2, .record_timeline = true}};
  auto shared =
      median_time(1001, [&] { return friends.map(cake, nibble); });
  auto invited = median_time(
      51, [&] { return forkful::process_pool{2}.map(cake, nibble); });
  // end
  print_time("you alone, in a loop", loop, loop);
  print_time("2 friends who are there already", shared, loop);
  print_time("2 friends, invited for this cake", invited, loop);
  cli::print("\n");

  if (shared > loop) {
    // n slices of time t, 2 friends: n t > overhead + n t / 2.
    const auto slices = static_cast<std::int64_t>(cake.size());
    cli::print(cli::wrapped(fmt::format(
        "Not worth it. By these figures two friends begin to pay off "
        "when a slice takes about {}, or {} if they have to be invited "
        "first.",
        cli::time_text(shared * 2 / slices),
        cli::time_text(invited * 2 / slices))));
  } else {
    cli::print("Worth it, which is a surprise for work so small.\n");
  }
  cli::print("\n");

  exhibit(friends.report());
  return true;
}

}  // namespace

step not_worth_it_step() {
  return {.title = "When it is not worth it",
          .story = R"(
Now nobody chews: a slice is gone in nanoseconds. Handing it to a friend takes
longer than eating it, so the loop wins. And many functions are parallel already
(BLAS, OpenMP): friends who bring friends only crowd the table. How many times
slower will two friends be?)",
          .shown = {"nibble", "tiny_work"},
          .python_is_code = false,
          .python = R"(
There is an overhead in starting a parallel process.
Think parallel if one task takes a long time.
A lot of python functions are already parallel.)",
          .ours = R"(
import numpy
cake = [numpy.ones((1000, 1000)) for i in range(8)]
print(multiprocessing.advise(lambda cakeSlice: cakeSlice @ cakeSlice,
                             cake)))",
          .run = run};
}

}  // namespace tour
