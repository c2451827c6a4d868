// Starting a command while each of its system calls fails in turn, in the parent and in the new process: it runs, or is refused with
// that error, and nothing is left.
#include "os/command.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "faults/killing.hpp"
#include "system_calls/failing.hpp"

namespace {

using forkful::detail::command;
using forkful::detail::command_ending;
using namespace forkful_tests;

struct outcome {
  command::refusal refused{};
  std::string printed{};
  command_ending ended{};
};

class starts : public testing::Test {
 protected:
  starts() : nothing_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    setting_.nothing = nothing_.number();
    setting_.child_ignored = true;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    setting_.files = files;
  }

  outcome run(std::vector<std::string> typed, bool feeds = true) {
    std::vector<char*> arguments;
    for (std::string& each : typed) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    command started;
    outcome seen;
    seen.refused = started.start({arguments[0], arguments.data(), environ}, setting_, {.in = feeds, .out = true},
                                 {stack_.get(), command::stack_bytes});
    if (seen.refused.happened()) {
      EXPECT_FALSE(started.in.valid() || started.out.valid() || started.err.valid() || started.end().valid());
      return seen;
    }
    started.in.reset();
    char letter = 0;
    while (::read(started.out.number(), &letter, 1) == 1) seen.printed += letter;
    seen.ended = started.reap();
    return seen;
  }

  // The k-th call fails, k = 1, 2, ..., until a run passes untouched.
  void fail_each(call which, int error, bool in_child, command::step expected) {
    for (unsigned pass = 1; pass != 50; ++pass) {
      const std::size_t descriptors = open_descriptors();
      const std::size_t children = children_of(::getpid()).size();
      const seen_by_all<failure_plan> plan;
      plan->which = which;
      plan->error = error;
      plan->pass = pass;
      plan->in_children = in_child;
      plan->parent = ::getpid();
      plan->armed = true;
      the_plan = &*plan;
      const outcome seen = run({"/bin/echo", "here"});
      the_plan = nullptr;
      EXPECT_EQ(open_descriptors(), descriptors) << name_of(which) << " number " << pass;
      EXPECT_EQ(children_of(::getpid()).size(), children) << name_of(which) << " number " << pass;
      if (plan->failures == 0) {
        EXPECT_GT(pass, 1U) << name_of(which) << " is never called";
        EXPECT_EQ(seen.printed, "here\n");
        return;
      }
      if (expected == command::step::none) {  // it is done without
        EXPECT_EQ(seen.printed, "here\n") << name_of(which) << " number " << pass;
        continue;
      }
      EXPECT_EQ(static_cast<int>(seen.refused.at), static_cast<int>(expected)) << name_of(which) << " number " << pass;
      EXPECT_EQ(seen.refused.error, error) << name_of(which) << " number " << pass;
    }
    ADD_FAILURE() << "no run passed untouched";
  }

  forkful::detail::command_setting setting_{};
  forkful::detail::fd nothing_;
  std::unique_ptr<std::byte[]> stack_{new std::byte[command::stack_bytes]};
};

TEST_F(starts, a_command) {
  const outcome seen = run({"/bin/sh", "-c", "cat; echo printed; exit 7"});
  EXPECT_FALSE(seen.refused.happened());
  EXPECT_EQ(seen.printed, "printed\n");
  EXPECT_EQ(seen.ended.exit_status, 7);
  EXPECT_EQ(seen.ended.signal, 0);
}
TEST_F(starts, a_command_that_a_signal_ends) {
  const outcome seen = run({"/bin/sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(seen.ended.exit_status, 128 + SIGTERM);
  EXPECT_EQ(seen.ended.signal, SIGTERM);
}
TEST_F(starts, a_leader_of_its_group) {
  EXPECT_EQ(run({"/bin/sh", "-c", "[ \"$(ps -o pgid= -p $$ | tr -d ' ')\" = $$ ] && echo leads"}).printed, "leads\n");
}
TEST_F(starts, a_command_with_the_signals_it_is_given) {
  EXPECT_EQ(run({"/bin/grep", "-c", "SigIgn:.0000000000010000", "/proc/self/status"}).printed, "1\n");  // SIGCHLD
}
TEST_F(starts, nothing_that_is_not_there) {
  EXPECT_EQ(run({"/no/such"}).refused.error, ENOENT);
  EXPECT_EQ(run({"/"}).refused.error, EACCES);
}
TEST_F(starts, or_says_what_the_parent_was_refused) {
  fail_each(call::pipe2, EMFILE, false, command::step::pipe);
  fail_each(call::fcntl, EINVAL, false, command::step::pipe);
  fail_each(call::clone, EAGAIN, false, command::step::process);
  fail_each(call::clone, ENOMEM, false, command::step::process);
  fail_each(call::close, EINTR, false, command::step::none);
}
TEST_F(starts, or_says_what_the_new_process_was_refused) {
  fail_each(call::setpgid, EPERM, true, command::step::execute);
  fail_each(call::prctl, EINVAL, true, command::step::execute);
  fail_each(call::dup2, EBADF, true, command::step::execute);
  fail_each(call::setrlimit, EPERM, true, command::step::execute);
  fail_each(call::sigaction, EINVAL, true, command::step::execute);
  fail_each(call::execve, E2BIG, true, command::step::execute);
}

}  // namespace
