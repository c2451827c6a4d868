#include "worker/inner_threads.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/identity.hpp"

namespace forkful::detail {

namespace {

// What oneTBB's global_control is, which has no C interface. The name of the function that takes it changes with its layout.
struct tbb_control {
  std::size_t value;
  std::intptr_t reserved;
  int parameter;  // 0: max_allowed_parallelism
};

enum class takes { an_int, a_long, a_control };

struct knob {
  const char* name;
  takes what;
};
constexpr std::array<knob, 7> knobs{{
    {"omp_set_num_threads", takes::an_int},
    {"openblas_set_num_threads", takes::an_int},
    {"openblas_set_num_threads64_", takes::an_int},
    {"scipy_openblas_set_num_threads64_", takes::an_int},
    {"MKL_Set_Num_Threads", takes::an_int},
    {"bli_thread_set_num_threads", takes::a_long},
    {"_ZN3tbb6detail2r16createERNS0_2d114global_controlE", takes::a_control},
}};
constexpr std::array<std::string_view, 5> libraries{"omp", "blas", "mkl", "blis", "tbb"};
constexpr std::array<std::string_view, 4> variables{
    "OMP_NUM_THREADS=", "OPENBLAS_NUM_THREADS=", "MKL_NUM_THREADS=", "BLIS_NUM_THREADS="};

struct found_knob {
  void* function;
  takes what;
  bool late = false;  // found in the last look and not in the one before
};

// The limit that this worker was given for them.
struct limit {
  unsigned count = 0;
  bool alone = false;
};
limit limited;

// Filled by the parent, read by its children, and by a worker again where slices load libraries.
std::vector<found_knob> found;
unsigned long long loads_seen = 0;

struct loaded {
  unsigned long long loads = 0;
  std::vector<std::string> paths;
};

loaded look_at_modules() {
  loaded all;
  ::dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* seen) {
        auto& list = *static_cast<loaded*>(seen);
        list.loads = module->dlpi_adds;
        if (list.loads == loads_seen) return 1;
        const std::string_view path = module->dlpi_name;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        const auto in_name = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
        if (std::any_of(libraries.begin(), libraries.end(), in_name)) list.paths.emplace_back(path);
        return 0;
      },
      &all);
  return all;
}

// The first use of oneTBB loads its allocator, which takes 0.3 ms: here once, not in each worker when it is limited.
void use_tbb(void* handle) {
  const auto take =
      reinterpret_cast<void* (*)(std::size_t)>(::dlsym(handle, "_ZN3tbb6detail2r122cache_aligned_allocateEm"));
  const auto give =
      reinterpret_cast<void (*)(void*)>(::dlsym(handle, "_ZN3tbb6detail2r124cache_aligned_deallocateEPv"));
  if (take != nullptr && give != nullptr) give(take(1));
}

void find_in(void* handle, const std::vector<found_knob>& before) {
  for (const knob& each : knobs) {
    void* const function = ::dlsym(handle, each.name);
    const auto among = [&](const std::vector<found_knob>& some) {
      return std::any_of(some.begin(), some.end(), [&](const found_knob& other) { return other.function == function; });
    };
    if (function == nullptr || among(found)) continue;
    found.push_back({function, each.what, !among(before)});
    if (found.back().late && each.what == takes::a_control) use_tbb(handle);
  }
}

void set_threads(const found_knob& each) {
  const unsigned count = limited.count;
  switch (each.what) {
    case takes::an_int:
      reinterpret_cast<void (*)(int)>(each.function)(static_cast<int>(count));
      break;
    case takes::a_long:
      reinterpret_cast<void (*)(std::int64_t)>(each.function)(count);
      break;
    case takes::a_control: {
      // It takes locks. Where other threads ran at the fork, they may be held for ever; but there oneTBB, if it was used, has
      // lost its threads anyway, and works with the caller's.
      static tbb_control control{};
      control = {count, 0, 0};
      if (limited.alone && !threads_left_behind()) reinterpret_cast<void (*)(tbb_control&)>(each.function)(control);
      break;
    }
  }
}

// Never freed: user code may have stored what getenv returned. A worker's workers make new ones from it.
struct environment {
  std::vector<char*> entries;
  std::vector<std::string> texts;
  environment* before = nullptr;
};
environment* in_use = nullptr;

// By hand: setenv takes a lock that another thread of the parent may have held when it forked.
void set_environment(unsigned count) {
  const auto ours = [](std::string_view entry) {
    return std::any_of(variables.begin(), variables.end(),
                       [&](std::string_view name) { return entry.starts_with(name); });
  };
  auto made = std::make_unique<environment>();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!ours(*entry)) made->entries.push_back(*entry);
  }
  for (const std::string_view name : variables) made->texts.push_back(std::string(name) + std::to_string(count));
  for (std::string& text : made->texts) made->entries.push_back(text.data());
  made->entries.push_back(nullptr);
  environ = made->entries.data();
  made->before = in_use;
  in_use = made.release();
}

}  // namespace

void find_inner_threads() noexcept {
  try {
    std::vector<found_knob> before;
    for (bool again = false;; again = true) {  // until nothing was loaded meanwhile, as by the first use of oneTBB
      const loaded now = look_at_modules();
      if (now.loads == loads_seen) return;
      if (!again) before = std::move(found);
      found.clear();
      find_in(RTLD_DEFAULT, before);
      // Plugins are often loaded so that no other module sees their libraries.
      for (const std::string& path : now.paths) {
        void* const module = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (module == nullptr) continue;
        find_in(module, before);
        ::dlclose(module);
      }
      loads_seen = now.loads;
    }
  } catch (...) {
    // No memory to look with. What was found until now is limited.
  }
}

std::string inner_library() {
  struct known {
    std::string_view part;  // of the file's name
    const char* name;
  };
  static constexpr std::array<known, 7> all{{{"openblas", "OpenBLAS"},
                                             {"mkl", "MKL"},
                                             {"blis", "BLIS"},
                                             {"libgomp", "OpenMP"},
                                             {"libomp", "OpenMP"},
                                             {"libiomp", "OpenMP"},
                                             {"flexiblas", "FlexiBLAS"}}};
  std::size_t best = all.size();
  ::dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* so_far) {
        const std::string_view path = module->dlpi_name;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        for (std::size_t i = 0; i < all.size(); ++i) {
          if (name.find(all[i].part) == std::string_view::npos) continue;
          auto& first = *static_cast<std::size_t*>(so_far);
          first = std::min(first, i);
        }
        return 0;
      },
      &best);
  return best == all.size() ? std::string() : all[best].name;
}

void limit_inner_threads(unsigned count, bool alone) noexcept {
  limited = {count, alone};
  if (count == 0) return;
  if (alone) find_inner_threads();
  for (const found_knob& each : found) set_threads(each);
  try {
    set_environment(count);
  } catch (...) {
    // No memory: libraries that are loaded later decide for themselves.
  }
}

void limit_late_inner_threads() noexcept {
  if (limited.count == 0 || !limited.alone) return;
  const unsigned long long before = loads_seen;
  find_inner_threads();
  if (loads_seen == before) return;
  for (const found_knob& each : found) {
    // The others have read the environment, and may have been set to something else since.
    if (each.late && each.what == takes::a_control) set_threads(each);
  }
}

}  // namespace forkful::detail
