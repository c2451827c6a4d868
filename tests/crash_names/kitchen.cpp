// Crashes in what the compiler has inlined, and in a module (argv[1]) loaded with dlopen; prints one line for each:
//   WHAT: what the sentence says between "in" and "on attempt" | the frames
// The lines named in it are marked with their numbers below; run.sh knows them.
#include <dlfcn.h>

#include <cstdlib>
#include <forkful/forkful.hpp>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace kitchen {

static inline void bite(const std::string& slice, const char* where) {
#line 100
  if (slice == "burnt") *const_cast<volatile char*>(where) = slice[0];
}

int run_slice(const std::string& slice) {
#line 200
  bite(slice, nullptr);
  return 1;
}

struct runner {
#line 300
  int operator()(const std::string& slice) const { return slice == "burnt" ? (__builtin_trap(), 1) : 2; }
};

using taste = int (*)(const char*);

int run_with(const std::string& slice, const std::uintptr_t& spoon) {
#line 400
  return 1 + reinterpret_cast<taste>(spoon)(slice.c_str());  // no tail call
}

}  // namespace kitchen

namespace {

void tell(const char* name, const forkful::outcome<int>& burnt) {
  const std::string what = burnt.failure().what;
  const auto in = what.find(") in ");
  const auto on = what.find(" on attempt");
  std::cout << name << ": " << (in < on ? what.substr(in + 5, on - in - 5) : "?");
  for (const std::string& frame : burnt.failure().frames) std::cout << " | " << frame;
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> cake{"fresh", "burnt"};
  forkful::process_pool pool{1};
  tell("inlined", pool.try_map(cake, kitchen::run_slice)[1]);
  tell("functor", pool.try_map(cake, kitchen::runner{})[1]);
#line 500
  const auto lambda = [](const std::string& slice) { return slice == "burnt" ? (__builtin_trap(), 1) : 2; };
  tell("lambda", pool.try_map(cake, lambda)[1]);
  void* const spoon = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (spoon == nullptr) return 2;
  const auto taste = reinterpret_cast<std::uintptr_t>(dlsym(spoon, "taste"));
  forkful::process_pool newer{1};
  tell("module", newer.try_map(cake, kitchen::run_with, taste)[1]);
  // The second time everything is known, in several threads at once.
  std::vector<std::string> again(2);
  {
    std::vector<std::jthread> threads;
    for (std::string& frame : again) {
      threads.emplace_back([&frame, &cake] {
        forkful::process_pool own{1};
        frame = own.try_map(cake, kitchen::run_slice)[1].failure().frames.at(0);
      });
    }
  }
  std::cout << "again: " << again[0] << " | " << again[1] << '\n';
}
