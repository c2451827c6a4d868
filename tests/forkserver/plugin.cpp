// Loaded by the tests with dlopen, in two builds (FORKFUL_PLUGIN is 1 or 2), with code that only it has.
#include <cstdlib>
#include <forkful/process_pool.hpp>
#include <forkful/slices.hpp>
#include <vector>

extern "C" {

int run_in_plugin(int slice) { return slice * 10 + FORKFUL_PLUGIN; }

int add_in_plugin(int a, int b) { return a + b; }

void begin_in_plugin() { setenv("FORKFUL_PLUGIN_BEGAN", "yes", 1); }

// A verb called in here: its loop is instantiated in the plugin.
void map_in_plugin(forkful::process_pool& pool, std::vector<int>& out) {
  struct only_here {
    int operator()(std::size_t slice) const { return static_cast<int>(slice) + 100 * FORKFUL_PLUGIN; }
  };
  out = pool.map(forkful::indices(20), only_here{});
}
}
