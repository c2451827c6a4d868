// Is the advice right? (goals A1-A4): more than 180 workloads are judged by advise() and then really run on every kind of pool, in turns.
//   A1  the verdict, where loop and best parallel way differ by more than 20 %
//   A2  the predicted time of each way against the median measured: relative error, median and 90th percentile
//   A3  auto_pool against the better of serial_pool and thread_pool
//   A4  whether parallel callables are recognised
// In three lists, scored apart: `tuned` (advice/tuned.cpp), which src/advice may be tuned by; `judged` (advice/judged.cpp), other lengths,
// shapes and sizes; and `real`, programs and the works of `forkful race` (advice/*_programs.cpp, advice/race_works.cpp). No workload is in
// two of them. What the machine's own noise makes of the same comparison stands below each figure.
//   advice [--short] [NAME...]     --short: every fifth workload; NAMEs choose workloads that contain them
// A benchmark reports; it never fails.
#include <algorithm>
#include <string>
#include <vector>

#include "advice/course.hpp"
#include "advice/score.hpp"

int main(int argc, char** argv) {
  using namespace advice_bench;
  std::vector<std::string> names(argv + 1, argv + argc);
  const bool is_short = std::erase(names, "--short") != 0;
  course on(is_short, std::move(names));
  on.begin(list::tuned);
  tuned_workloads(on);
  on.begin(list::judged);
  judged_workloads(on);
  on.begin(list::real);
  text_programs(on);
  number_programs(on);
  race_works(on);
  on.begin(list::tuned);
  tuned_parallel_workloads(on);
  on.begin(list::judged);
  judged_parallel_workloads(on);
  print_score(on.results());
}
