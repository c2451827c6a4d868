#include "machine_facts.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "format/fmt.hpp"

namespace forkful_bench {

namespace {

std::string processor() {
  std::ifstream facts("/proc/cpuinfo");
  for (std::string line; std::getline(facts, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

struct ticks {
  double idle = 0;
  double all = 0;
};
// The machine's, not ours: this process sleeps meanwhile.
ticks now() {
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream words(line.substr(line.find(' ')));
  ticks seen;
  double each = 0;
  for (int column = 0; column < 8 && words >> each; ++column) {
    seen.all += each;
    if (column == 3 || column == 4) seen.idle += each;
  }
  return seen;
}

}  // namespace

std::string machine_facts() {
  utsname system{};
  uname(&system);
  cpu_set_t usable;
  CPU_ZERO(&usable);
  sched_getaffinity(0, sizeof(usable), &usable);
  std::string load;
  std::ifstream("/proc/loadavg") >> load;
  const ticks before = now();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const ticks after = now();
  const double busy = after.all > before.all ? 1 - (after.idle - before.idle) / (after.all - before.all) : 0;
  std::string text =
      fmt::format("{}, {} CPUs, Linux {}, {} {}, load {}", processor(), CPU_COUNT(&usable), system.release,
#ifdef __clang__
                  "clang",
#else
                  "g++",
#endif
                  __VERSION__, load);
  if (busy > 0.1)
    text += fmt::format("\n!!!! others use {:.0f} % of this machine: these figures are disturbed", 100 * busy);
  return text;
}

}  // namespace forkful_bench
