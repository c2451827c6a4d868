// Pools of start_method::zygote in a program around forkful (forkful/detail/host.hpp) that has called init: their workers come from its
// template, with a host that is to be had there. Each test forks a child, which makes a template for itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <forkful/forkful.hpp>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "crew/crew.hpp"
#include "faults/killed_parents.hpp"

namespace {

using forkful::indices;
using forkful::pool_options;
using forkful::start_method;
using forkful::detail::host;
using namespace forkful_tests;

// What each process did round forks, in its order.
struct diary {
  struct entry {
    std::atomic<pid_t> process{0};
    std::atomic<char> what{0};
  };
  std::atomic<unsigned> count{0};
  entry entries[1000];

  void note(char what) noexcept {
    entry& mine = entries[count.fetch_add(1)];
    mine.process = getpid();
    mine.what = what;
  }
  std::string of(pid_t process) const {
    std::string all;
    for (unsigned i = 0; i != count; ++i)
      if (entries[i].process == process) all += entries[i].what.load();
    return all;
  }
};
diary* written = nullptr;

// The template's own: capitals.
const host around_template{
    .before_fork = [](void*) noexcept { written->note('B'); },
    .after_fork = [](void*, bool child) noexcept { written->note(child ? 'C' : 'A'); },
};

// A pool's, made after the template as a program's would be: its own half in private memory, the workers' in shared memory.
class pool_host {
 public:
  explicit pool_host(const char* name) : shared_(new(forkful::detail::shared_allocate(sizeof(shared), 16)) shared) {
    std::strncpy(shared_->name, name, sizeof shared_->name - 1);
    shared_->callbacks = {.self = shared_,
                          .before_fork = [](void*) noexcept { written->note('b'); },
                          .after_fork = [](void*, bool child) noexcept { written->note(child ? 'c' : 'a'); },
                          .worker_starts = [](void* self) { in_worker = static_cast<shared*>(self)->name; },
                          .worker_leaves = [](void*) { written->note('l'); }};
    own_ = {.before_fork = [](void*) noexcept { written->note('x'); },
            .worker_starts = [](void*) { in_worker = "forked"; },
            .worker_leaves = [](void*) { written->note('l'); },
            .in_template = &shared_->callbacks};
  }
  pool_host(const pool_host&) = delete;
  pool_host& operator=(const pool_host&) = delete;
  ~pool_host() { forkful::detail::shared_deallocate(shared_); }
  [[nodiscard]] const host* own() const { return &own_; }
  static inline std::string in_worker;

 private:
  struct shared {
    host callbacks;
    char name[16] = {};
  };
  shared* shared_;
  host own_;
};

const host* of_next_pool = nullptr;
struct hosted_way : forkful::detail::process_way {
  static std::unique_ptr<forkful::detail::engine> start(const pool_options& options) {
    return forkful::detail::start_processes(options, of_next_pool);
  }
};
using hosted_pool = forkful::basic_pool<hosted_way>;

std::unique_ptr<hosted_pool> make_pool(const pool_host& around, unsigned workers = 2) {
  of_next_pool = around.own();
  return std::make_unique<hosted_pool>(pool_options{.workers = workers, .start = start_method::zygote});
}

int set_later = 0;

// (the worker, what its start found, the global)
using seen = std::tuple<pid_t, std::string, int>;
std::vector<seen> look(hosted_pool& pool) {
  return pool.with({.chunk = 1}).map(indices(20), [](std::size_t) {
    return seen(getpid(), pool_host::in_worker, set_later);
  });
}
bool all_are(const std::vector<seen>& found, const std::string& start, int global) {
  return std::all_of(found.begin(), found.end(),
                     [&](const seen& each) { return std::get<1>(each) == start && std::get<2>(each) == global; });
}

bool warned(const hosted_pool& pool, const std::string& part) {
  const auto warnings = pool.report().warnings;
  return std::any_of(warnings.begin(), warnings.end(),
                     [&](const std::string& each) { return each.find(part) != std::string::npos; });
}

// That anything was forked, or copied, from the caller.
bool warned_of_forks(const hosted_pool& pool) {
  return warned(pool, "forked from the caller") || warned(pool, "copy of the caller") || warned(pool, "were forked");
}

class hosted_template : public testing::Test {
 protected:
  hosted_template() { written = &*written_; }
  // In a child that has a template, whose process `body` gets. It returns 0 if all is well.
  template <class Body>
  void expect(Body body) {
    const auto ended = in_child([&] {
      alarm(hang_seconds);
      forkful::detail::make_template(&around_template);
      const auto children = children_of(getpid());
      return children.size() == 1 ? body(children.front()) : 100;
    });
    EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  }

  seen_by_all<diary> written_;
};

TEST_F(hosted_template, gives_zygote_pools_their_workers_with_what_they_left_in_shared_memory) {
  expect([](pid_t server) {
    if (written->of(getpid()) != "BA") return 1;
    set_later = 7;
    const pool_host one("one"), other("other");
    {
      const auto first = make_pool(one), second = make_pool(other);
      if (!all_are(look(*first), "one", 0) || !all_are(look(*second), "other", 0)) return 2;
      if (children_of(getpid()).size() != 5) return 3;  // no zygote
      if (warned_of_forks(*first) || warned_of_forks(*second)) return 4;
    }
    if (written->of(getpid()) != "BA" || written->of(server) != "Cbabababa") return 5;
    for (unsigned i = 0; i != written->count; ++i) {
      const pid_t process = written->entries[i].process;
      if (process != getpid() && process != server && written->of(process) != "cl") return 6;
    }
    return 0;
  });
}

TEST_F(hosted_template, gives_replacements_too_whatever_threads_run_by_then) {
  expect([](pid_t server) {
    const pool_host around("one");
    const auto pool = make_pool(around);
    std::atomic<bool> enough{false};
    std::thread other([&] { enough.wait(false); });
    const auto outcomes = pool->try_map(indices(4), [](std::size_t i) { return i == 1 ? raise(SIGKILL) : 0; });
    int result = 0;
    if (!outcomes[0] || outcomes[1] || !outcomes[3]) result = 1;
    pool->restart();
    if (!all_are(look(*pool), "one", 0)) result = 2;
    if (written->of(getpid()) != "BA" || written->of(server) != "Cbababababa") result = 3;
    if (warned_of_forks(*pool)) result = 4;
    enough = true;
    enough.notify_all();
    other.join();
    return result;
  });
}

TEST_F(hosted_template, that_died_is_replaced_by_a_zygote_of_the_pool_and_the_report_says_so) {
  expect([](pid_t server) {
    set_later = 7;
    kill(server, SIGKILL);
    if (!becomes_true([&] { return gone(server); })) return 10;
    const pool_host around("one");
    const auto pool = make_pool(around);
    set_later = 8;
    if (!all_are(look(*pool), "forked", 7)) return 1;
    if (!warned(*pool, "workers come from a new copy of the caller")) return 2;
    if (!warned(*pool, "the process that forkful::init made has ended (signal 9)")) return 3;
    if (children_of(getpid()).size() != 3) return 4;  // a zygote and its workers
    return written->of(getpid()) == "BAx" ? 0 : 5;
  });
}

TEST_F(hosted_template, that_dies_under_a_pool_leaves_it_with_workers_that_are_forked) {
  expect([](pid_t server) {
    const pool_host around("one");
    const auto pool = make_pool(around, 1);
    set_later = 7;
    kill(server, SIGKILL);
    if (!all_are(look(*pool), "one", 0)) return 1;
    if (pool->try_map(indices(1), [](std::size_t) { return raise(SIGKILL); })[0].has_value()) return 2;
    if (!all_are(look(*pool), "forked", 7)) return 3;
    if (!warned(*pool, "workers are forked from the caller")) return 4;
    return warned(*pool, "the process that forkful::init made has ended (signal 9)") ? 0 : 5;
  });
}

TEST_F(hosted_template, is_not_for_hosts_that_it_does_not_have) {
  expect([](pid_t server) {
    set_later = 7;
    static const host only_here{.worker_starts = [](void*) { pool_host::in_worker = "forked"; }};
    of_next_pool = &only_here;
    hosted_pool pool(pool_options{.workers = 2, .start = start_method::zygote});
    if (!all_are(look(pool), "forked", 7) || warned_of_forks(pool)) return 1;
    return becomes_true([&] { return written->of(server) == "C"; }) ? 0 : 2;
  });
}

// The zygote that follows knows all code that there is by then.
TEST_F(hosted_template, is_left_where_workers_have_to_know_later_code) {
  expect([](pid_t) {
    using forkful::detail::arena;
    using forkful::detail::board;
    using forkful::detail::crew;
    using forkful::detail::worker_settings;
    using forkful::detail::worker_slot;
    arena& memory = arena::own();
    auto* const table = new (memory.allocate(sizeof(board), alignof(board))) board{};
    table->slots = static_cast<worker_slot*>(memory.allocate(2 * sizeof(worker_slot), alignof(worker_slot)));
    std::uninitialized_value_construct_n(table->slots, 2);
    table->workers = 2;
    const pool_host around("one");
    {
      crew workers(*table, memory, start_method::zygote, worker_settings{.around = around.own()});
      workers.fill();
      if (workers.running_count() != 2 || !workers.warnings().empty()) return 1;
      if (children_of(getpid()).size() != 3) return 2;
      workers.renew();
      if (workers.running_count() != 2 || children_of(getpid()).size() != 4) return 3;
      if (workers.warnings().size() != 1) return 4;
      if (workers.warnings()[0].find("loaded after forkful::init") == std::string::npos) return 5;
    }
    memory.deallocate(table->slots);
    memory.deallocate(table);
    return written->of(getpid()) == "BAx" ? 0 : 6;
  });
}

TEST_F(hosted_template, is_due_once_in_each_process_but_workers) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    using forkful::detail::has_template;
    using forkful::detail::template_is_due;
    if (!template_is_due() || has_template()) return 1;
    forkful::detail::make_template(&around_template);
    if (template_is_due() || !has_template()) return 2;
    forkful::detail::make_template(&around_template);
    if (written->of(getpid()) != "BA") return 3;
    const pool_host around("one");
    const auto pool = make_pool(around);
    if (pool->map(indices(1), [](std::size_t) { return template_is_due() || has_template(); })[0]) return 4;
    const auto in_grandchild = in_child([] { return template_is_due() && !has_template() ? 0 : 1; });
    return in_grandchild.exited_with(0) ? 0 : 5;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

}  // namespace
