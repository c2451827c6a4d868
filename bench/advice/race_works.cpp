// The works of `forkful race`, with its own choice of sizes and with others.
#include <chrono>

#include "advice/course.hpp"
#include "works/works.hpp"

namespace advice_bench {

void race_works(course& on) {
  using namespace std::chrono_literals;
  on.race("gzip", "gzip", {});
  on.race("gzip", "gzip, blocks of 4 KB", {.bytes = 4'000});
  on.race("gzip", "gzip, blocks of 50 KB", {.bytes = 50'000});
  on.race("blur", "blur", {});
  on.race("blur", "blur, 100 strips", {.slices = 100});
  on.race("montecarlo", "montecarlo", {});
  on.race("montecarlo", "montecarlo 300 x 5us", {.slices = 300, .time = 5us});
  on.race("numbers", "numbers", {});
  on.race("numbers", "numbers 40 x 4 KB", {.slices = 40, .bytes = 4'000});
  on.race("numbers", "numbers 8 x 800 KB", {.slices = 8, .bytes = 800'000});
  on.race("strings", "strings", {});
  on.race("strings", "strings 500", {.slices = 500});
  on.race("strings", "strings 2000 x 300 B", {.slices = 2'000, .bytes = 300});
  for (const char* const skew : {"linear", "exponential", "bimodal", "giant"}) {
    on.race("skewed", std::string("skewed ") + skew, {.skew = skew});
    on.race("skewed", std::string("skewed ") + skew + " 100 x 15us", {.slices = 100, .time = 15us, .skew = skew});
  }
  on.race("sleep", "sleep", {.slices = 12, .time = 2ms});
  on.race("matrix", "matrix", {.slices = 6}, true);
  on.race("matrix", "matrix 20 x 100 KB", {.slices = 20, .bytes = 100'000}, true);
}

}  // namespace advice_bench
