// What a crew says about how its workers were started: the sentences that reports pass on.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <forkful/forkful.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crew/crew.hpp"
#include "faults/killing.hpp"

namespace {

using forkful::start_method;
using namespace forkful::detail;
using namespace forkful_tests;

// A crew with a board of its own, on which there is never any work.
class idle_crew {
 public:
  idle_crew(unsigned workers, start_method start) {
    table_ = new (memory_.allocate(sizeof(board), alignof(board))) board{};
    table_->slots = static_cast<worker_slot*>(memory_.allocate(sizeof(worker_slot) * workers, alignof(worker_slot)));
    std::uninitialized_value_construct_n(table_->slots, workers);
    table_->workers = workers;
    crew_ = std::make_unique<crew>(*table_, memory_, start, worker_settings{});
    crew_->fill();
  }
  ~idle_crew() {
    crew_.reset();
    memory_.deallocate(table_->slots);
    memory_.deallocate(table_);
  }
  idle_crew(const idle_crew&) = delete;
  idle_crew& operator=(const idle_crew&) = delete;
  crew* operator->() { return crew_.get(); }
  [[nodiscard]] bool warned_once_of(const std::string& part) const {
    return crew_->warnings().size() == 1 && crew_->warnings()[0].find(part) != std::string::npos;
  }

 private:
  arena& memory_ = arena::own();
  board* table_ = nullptr;
  std::unique_ptr<crew> crew_;
};

TEST(crew_warnings, are_none_for_a_fork_without_threads_and_for_the_template) {
  const watchdog bites;
  idle_crew forked(2, start_method::fork);
  EXPECT_EQ(forked->running_count(), 2U);
  EXPECT_EQ(forked->threads_at_fork(), names_in("/proc/self/task").size());
  EXPECT_EQ(forked->warnings().size(), forked->threads_at_fork() == 1 ? 0U : 1U);
  idle_crew cloned(2, start_method::automatic);
  EXPECT_EQ(cloned->running_count(), 2U);
  EXPECT_EQ(cloned->threads_at_fork(), 0U);
  EXPECT_TRUE(cloned->warnings().empty());
}

TEST(crew_warnings, count_the_threads_that_ran_at_a_fork) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    std::atomic<bool> enough{false};
    std::vector<std::thread> others;
    for (int i = 0; i != 3; ++i) others.emplace_back([&] { enough.wait(false); });
    int result = 0;
    {
      idle_crew forked(2, start_method::automatic);  // init was not called in this process
      if (forked->running_count() != 2 || forked->threads_at_fork() != 4) result = 1;
      if (!forked.warned_once_of("3 other threads ran when workers were forked") ||
          !forked.warned_once_of("call forkful::init first"))
        result = 2;
    }
    enough = true;
    enough.notify_all();
    for (std::thread& each : others) each.join();
    return result;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(crew_warnings, tell_of_a_template_that_has_ended) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    forkful::init(0, nullptr);
    kill(children_of(getpid()).front(), SIGKILL);
    idle_crew orphaned(3, start_method::forkserver);
    if (orphaned->running_count() != 3 || orphaned->threads_at_fork() != 1) return 1;
    return orphaned.warned_once_of("the process that forkful::init made has ended (signal 9)") ? 0 : 2;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(crew_warnings, tell_of_code_that_came_after_init) {
  const watchdog bites;
  idle_crew cloned(2, start_method::forkserver);
  const auto before = children_of(getpid());
  cloned->renew();
  EXPECT_EQ(cloned->running_count(), 2U);
  EXPECT_NE(children_of(getpid()), before);
  EXPECT_EQ(children_of(getpid()).size(), before.size());
  EXPECT_NE(cloned->warnings().at(0).find("loaded after forkful::init"), std::string::npos);
}

}  // namespace
