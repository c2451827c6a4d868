// Numbers of descriptors, which other code of the process may close and get again; and waits on them, which signals interrupt.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <vector>

#include "os/child.hpp"
#include "os/cpu.hpp"
#include "os/fd.hpp"
#include "os/lifeline.hpp"
#include "os/readiness.hpp"
#include "os/unshared.hpp"
#include "os/wait.hpp"
#include "support/in_child.hpp"

namespace {

using namespace forkful::detail;

int some_file() { return open("/dev/zero", O_RDONLY | O_CLOEXEC); }
int one_end() {
  std::array<int, 2> ends{};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  close(ends[1]);
  return ends[0];
}
bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

TEST(descriptors, are_closed_once_by_whoever_owns_them) {
  const int number = one_end();
  {
    const fd owned(number);
  }
  EXPECT_FALSE(is_open(number));
}

TEST(descriptors, that_lead_to_another_file_by_now_are_not_closed) {
  const fd other(some_file());
  const int number = one_end();
  {
    const fd owned(number);
    EXPECT_TRUE(owned.intact());
    close(number);
    EXPECT_FALSE(owned.intact());
    ASSERT_EQ(dup2(other.number(), number), number);
    EXPECT_FALSE(owned.intact());
  }
  EXPECT_TRUE(is_open(number));
  close(number);
}

TEST(descriptors, that_are_kept_high_leave_the_low_numbers_to_the_program) {
  const int number = some_file();
  const fd kept = fd::moved_high(number);
  EXPECT_FALSE(is_open(number));
  EXPECT_GE(kept.number(), 3);
  EXPECT_GT(kept.number(), number);
  EXPECT_EQ(fcntl(kept.number(), F_GETFD), FD_CLOEXEC);
}

TEST(descriptors, are_none_of_those_that_programs_print_to) {
  EXPECT_TRUE(forkful_tests::in_child([] {
                for (int number = 0; number != 3; ++number) close(number);
                const fd kept = fd::moved_high(some_file());
                return kept.number() >= 3 && !is_open(0) ? 0 : 1;
              }).exited_with(0));
}

TEST(descriptors, that_are_not_shared_stay_so_when_their_number_was_anothers_before) {
  socket_ends first = socket_ends::make(SOCK_STREAM);
  const int number = first.ours.number();
  close(number);  // by other code of the process
  const socket_ends second = socket_ends::make(SOCK_STREAM);
  ASSERT_EQ(second.ours.number(), number);
  first.ours.reset();
  EXPECT_TRUE(is_open(number));
  EXPECT_TRUE(forkful_tests::in_child([&] { return is_open(number) ? 1 : 0; }).exited_with(0)) << "a child has it";
}

// Descriptors on their way count against a limit that all programs of a user share.
TEST(descriptors, of_a_lifeline_are_left_on_their_way_once) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  EXPECT_TRUE(forkful_tests::in_child([&] {
                lifeline::arm(ends[1]);
                return 0;
              }).exited_with(0));
  char text = 0;
  iovec piece{&text, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(8 * sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  ASSERT_EQ(recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC), 1);
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->cmsg_len, CMSG_LEN(sizeof(int)));
}

TEST(descriptors, of_a_bell_are_told_from_a_file_that_got_their_number) {
  waiter parent;
  const bell here = parent.ringer();
  EXPECT_TRUE(here.ring());
  std::vector<unsigned> ended;
  EXPECT_EQ(parent.wait(0, ended), waited::happened);
  EXPECT_EQ(parent.wait(0, ended), waited::in_vain) << "a ring is consumed";
  EXPECT_TRUE(parent.intact());

  std::array<int, 2> others{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others.data()), 0);
  ASSERT_EQ(dup2(others[0], here.number), here.number);
  EXPECT_FALSE(here.ring());
  char byte = 0;
  EXPECT_EQ(read(others[1], &byte, 1), -1) << "something was written to the other socket";
  EXPECT_FALSE(parent.intact());
  close(here.number);
  close(others[0]);
  close(others[1]);
}

TEST(descriptors, of_a_child_that_are_lost_do_not_make_it_ended) {
  const forkful_tests::seen_by_all<std::atomic<bool>> go_on;
  const pid_t pid = forkful_tests::start_child([&] {
    while (!go_on->load()) usleep(1000);
    return 7;
  });
  child watched(pid);
  ASSERT_TRUE(watched.valid());
  const int number = watched.end().number();
  const fd other(some_file());  // always readable
  ASSERT_EQ(dup2(other.number(), number), number);
  EXPECT_FALSE(watched.ended(0));
  EXPECT_FALSE(watched.ended(1));
  EXPECT_FALSE(watched.reap().has_value());
  go_on->store(true);
  EXPECT_TRUE(watched.ended(-1));
  const auto end = watched.reap();
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_status, 7);
  watched.reset();
  EXPECT_TRUE(is_open(number));
  close(number);
}

// A profiler's timer, as far as waits are concerned.
class interruptions {
 public:
  interruptions() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &before_);
    const itimerval each{{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &each, nullptr);
  }
  ~interruptions() {
    const itimerval none{};
    setitimer(ITIMER_REAL, &none, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  struct sigaction before_{};
};

TEST(waits, are_no_shorter_for_being_interrupted) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const fd ours(ends[0]);
  const fd theirs(ends[1]);
  const interruptions now_and_then;
  const std::uint64_t began = now_ns();
  EXPECT_EQ(wait_readable(ours.number(), 60), readiness::not_yet);
  EXPECT_GE(now_ns() - began, 59'000'000U);
}

TEST(waits, for_a_number_that_is_closed_are_refused) {
  const int number = some_file();
  close(number);
  EXPECT_EQ(wait_readable(number, -1), readiness::refused);
}

}  // namespace
