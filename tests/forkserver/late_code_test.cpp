// Code that was loaded after the workers were started: noticed, and the workers replaced. docs/protocol.md, 18.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <forkful/forkful.hpp>
#include <iostream>
#include <set>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "faults/killing.hpp"
#include "names/modules.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::start_method;
using forkful::detail::modules;
using namespace forkful_tests;

class plugin {
 public:
  explicit plugin(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(dlerror());
  }
  ~plugin() { dlclose(handle_); }
  plugin(const plugin&) = delete;
  plugin& operator=(const plugin&) = delete;
  [[nodiscard]] void* symbol(const char* name) const { return dlsym(handle_, name); }
  [[nodiscard]] auto run_slice() const { return reinterpret_cast<int (*)(int)>(symbol("run_in_plugin")); }
  [[nodiscard]] auto add() const { return reinterpret_cast<int (*)(int, int)>(symbol("add_in_plugin")); }
  [[nodiscard]] auto map() const {
    return reinterpret_cast<void (*)(process_pool&, std::vector<int>&)>(symbol("map_in_plugin"));
  }

 private:
  void* handle_;
};

TEST(loaded_modules, know_what_was_loaded_before_and_not_what_came_later) {
  const auto before = modules::loaded();
  const auto* const here = reinterpret_cast<const void*>(&names_in);
  const auto* const in_libc = dlsym(RTLD_DEFAULT, "getpid");
  EXPECT_TRUE(before.known(here));
  EXPECT_TRUE(before.known(in_libc));
  EXPECT_TRUE(before.known(nullptr));
  {
    const plugin late(FORKFUL_PLUGIN_1);
    const auto after = modules::loaded();
    EXPECT_FALSE(before.known(late.symbol("run_in_plugin")));
    EXPECT_TRUE(after.known(late.symbol("run_in_plugin")));
    for (const auto& each : {before, after}) {
      EXPECT_TRUE(each.known(here));
      EXPECT_TRUE(each.known(in_libc));
    }
    // Made at run time: that cannot be found out.
    void* const made = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_TRUE(before.known(made));
    munmap(made, 4096);
  }
  EXPECT_TRUE(before.known(here));
  EXPECT_TRUE(before.known(in_libc));
}

TEST(loaded_modules, know_a_module_from_another_in_its_place) {
  const void* first = nullptr;
  modules with_first;
  {
    const plugin one(FORKFUL_PLUGIN_1);
    first = one.symbol("run_in_plugin");
    with_first = modules::loaded();
  }
  const void* second = nullptr;
  {
    const plugin other(FORKFUL_PLUGIN_2);
    second = other.symbol("run_in_plugin");
    EXPECT_FALSE(with_first.known(second));
  }
  const plugin again(FORKFUL_PLUGIN_1);
  EXPECT_EQ(with_first.known(again.symbol("run_in_plugin")), again.symbol("run_in_plugin") == first);
  const auto page = [](const void* address) { return reinterpret_cast<std::uintptr_t>(address) / 4096; };
  std::cout << (page(first) == page(second) ? "the other one lay in the same place\n"
                                            : "the other one lay elsewhere\n");
}

class late_code : public testing::TestWithParam<start_method> {
 protected:
  const watchdog bites_;
  process_pool pool{forkful::pool_options{.workers = 2, .start = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(every_start, late_code,
                         testing::Values(start_method::fork, start_method::forkserver, start_method::zygote),
                         [](const auto& one) {
                           return one.param == start_method::fork     ? "fork"
                                  : one.param == start_method::zygote ? "zygote"
                                                                      : "forkserver";
                         });

TEST_P(late_code, runs_in_workers_that_were_there_before_it) {
  const auto children_before = children_of(getpid());
  const std::size_t zygotes = GetParam() == start_method::zygote ? 1 : 0;  // replaced with the workers
  ASSERT_EQ(children_before.size(), 3 + zygotes);                          // the program's template is one of them
  const std::set<pid_t> before(children_before.begin(), children_before.end());
  const auto newcomers = [&] {
    std::ignore = pool.map(indices(3), [](std::size_t i) { return i; });
    std::set<pid_t> after;
    for (const pid_t each : children_of(getpid()))
      if (before.count(each) == 0) after.insert(each);
    return after;
  };
  const std::vector<int> slices = {1, 2, 3};
  {
    const plugin late(FORKFUL_PLUGIN_1);
    EXPECT_TRUE(newcomers().empty());  // where they have the code, workers stay
    EXPECT_EQ(pool.map(slices, late.run_slice()), (std::vector<int>{11, 21, 31}));
    EXPECT_EQ(pool.report().deaths, 0U);
    const auto after = newcomers();
    EXPECT_EQ(after.size(), 2 + zygotes);
    EXPECT_EQ(children_of(getpid()).size(), 3 + zygotes);
    std::vector<int> in_there;
    late.map()(pool, in_there);
    ASSERT_EQ(in_there.size(), 20U);
    for (int i = 0; i != 20; ++i) EXPECT_EQ(in_there[static_cast<std::size_t>(i)], 100 + i);
    EXPECT_EQ(newcomers(), after);  // replaced once
  }
  const plugin other(FORKFUL_PLUGIN_2);
  EXPECT_EQ(pool.map(slices, other.run_slice()), (std::vector<int>{12, 22, 32}));
  std::vector<int> in_there;
  other.map()(pool, in_there);
  ASSERT_EQ(in_there.size(), 20U);
  EXPECT_EQ(in_there[7], 207);
  EXPECT_EQ(pool.map(indices(4), [](std::size_t i) { return i; })[3], 3U);
}

TEST_P(late_code, whose_loop_came_late_runs_too) {
  const plugin late(FORKFUL_PLUGIN_1);
  std::vector<int> in_there;
  late.map()(pool, in_there);
  ASSERT_EQ(in_there.size(), 20U);
  EXPECT_EQ(in_there[19], 119);
  EXPECT_EQ(pool.report().deaths, 0U);
}

TEST_P(late_code, is_seen_in_every_verb_that_takes_it) {
  const auto round = [this](int build, int (*run_slice)(int), int (*add)(int, int)) {
    EXPECT_EQ(pool.submit(run_slice, 4).get(), 40 + build);
    int sum = 0;
    for (const int each : pool.imap(std::vector<int>{1, 2}, run_slice)) sum += each;
    EXPECT_EQ(sum, 30 + 2 * build);
    EXPECT_EQ(pool.transform_reduce(std::vector<int>{1, 2, 3}, 0, add, run_slice), 60 + 3 * build);
  };
  const auto plus = [](int a, int b) { return a + b; };
  {
    const plugin late(FORKFUL_PLUGIN_1);
    EXPECT_EQ(pool.transform_reduce(std::vector<int>{1, 2, 3}, 0, plus, late.run_slice()), 63);
    round(1, late.run_slice(), late.add());
  }
  const plugin other(FORKFUL_PLUGIN_2);
  std::vector<int> many(5000, 1);
  EXPECT_EQ(pool.transform_reduce(many, 0, other.add(), [](int x) { return x; }), 5000);
  round(2, other.run_slice(), other.add());
  EXPECT_EQ(pool.report().deaths, 0U);
}

TEST_P(late_code, begins_workers_too) {
  const plugin late(FORKFUL_PLUGIN_1);
  auto* const begin = reinterpret_cast<void (*)()>(late.symbol("begin_in_plugin"));
  process_pool begun{forkful::pool_options{.workers = 2, .start = GetParam(), .on_worker_start = begin}};
  for (const bool each : begun.with({.chunk = 1}).map(indices(4), [](std::size_t) {
         return std::getenv("FORKFUL_PLUGIN_BEGAN") != nullptr;
       }))
    EXPECT_TRUE(each);
  EXPECT_EQ(begun.report().deaths, 0U);
}

}  // namespace
