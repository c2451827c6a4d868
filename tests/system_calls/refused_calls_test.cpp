// The k-th system call fails, for every call the library makes and every error it may meet, k = 1, 2, ... until a run
// passes untouched. Each run ends with the right results or with one clear sentence, leaves nothing behind, and a pool
// made afterwards works. docs/protocol.md, 2, 10, 13, 16.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <forkful/forkful.hpp>
#include <forkful/init.hpp>
#include <iostream>
#include <latch>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <vector>

#include "advice/machine.hpp"
#include "advice/machine_text.hpp"
#include "faults/killing.hpp"
#include "memory/arena.hpp"
#include "os/process.hpp"
#include "os/thread_count.hpp"
#include "system_calls/failing.hpp"

namespace {

using forkful::indices;
using forkful::process_pool;
using forkful::shared_vector;
using forkful::snapshot_pool;
using namespace forkful_tests;

// ---- What is done while calls fail: true if the results are right ----

std::vector<std::string> cake() {
  std::vector<std::string> slices;
  for (int i = 0; i != 6; ++i) slices.push_back(std::string(static_cast<std::size_t>(i) * 40, 'c') + std::to_string(i));
  return slices;
}

// A worker dies over slice 3; the others are as they should be, or throw.
template <class Pool>
bool one_slice_crashes(Pool& pool) {
  const auto outcomes = pool.with({.chunk = 2}).try_map(indices(6), [](std::size_t i) {
    if (i == 3) raise(SIGKILL);
    return i * i;
  });
  for (std::size_t i = 0; i != 6; ++i)
    if (i != 3 && outcomes[i].value() != i * i) return false;
  return !outcomes[3].has_value();
}

// Long enough that the caller falls asleep and a worker has to ring.
template <typename Pool>
void wait_for_a_slice(Pool& pool) {
  pool.for_each(indices(1), [](std::size_t) { usleep(10'000); });
}

bool processes() {
  process_pool pool{2};
  const auto slices = cake();
  const auto finished = pool.map(slices, [](const std::string& slice) { return slice + slice; });
  for (std::size_t i = 0; i != slices.size(); ++i)
    if (finished[i] != slices[i] + slices[i]) return false;
  auto updated = slices;
  pool.update(updated, [](std::string& slice) { slice += "!"; });
  for (std::size_t i = 0; i != slices.size(); ++i)
    if (updated[i] != slices[i] + "!") return false;
  try {
    pool.for_each(indices(2), [](std::size_t i) {
      if (i == 1) throw std::out_of_range("slice");
    });
    return false;
  } catch (const std::out_of_range&) {
  }
  wait_for_a_slice(pool);
  return one_slice_crashes(pool);
}

bool photographs() {
  snapshot_pool pool{2};
  const auto slices = cake();
  const auto lengths = pool.map(indices(slices.size()), [&](std::size_t i) { return slices[i].size(); });
  for (std::size_t i = 0; i != slices.size(); ++i)
    if (lengths[i] != slices[i].size()) return false;
  wait_for_a_slice(pool);
  return one_slice_crashes(pool);
}

bool shared_memory() {
  shared_vector<int> grown;
  for (int i = 0; i != 50'000; ++i) grown.push_back(i);
  process_pool pool{2};
  pool.for_each(grown, [](int& x) { ++x; });
  const auto tables = pool.map(indices(3), [](std::size_t i) { return shared_vector<char>(100'000 * i, 'x'); });
  for (int i = 0; i != 50'000; ++i)
    if (grown[static_cast<std::size_t>(i)] != i + 1) return false;
  return tables[2].size() == 200'000 && std::count(tables[2].begin(), tables[2].end(), 'x') == 200'000;
}

// A watchdog thread watches callers that run alone; without it, no caller runs alone.
bool lone_callers() {
  forkful::auto_pool pool{2};
  const auto slices = cake();
  const auto lengths = pool.map(indices(slices.size()), [&](std::size_t i) { return slices[i].size(); });
  for (std::size_t i = 0; i != slices.size(); ++i)
    if (lengths[i] != slices[i].size()) return false;
  return true;
}

// oneTBB holds what it made for its first threads; whether a lone caller ever needs them is a matter of time.
void two_threads() {
  static forkful::thread_pool pool{2};
  std::latch both{2};
  pool.with({.chunk = 1}).for_each(indices(2), [&](std::size_t) { both.arrive_and_wait(); });
}

// Late slices are ended by their workers' timers.
bool late_slices() {
  process_pool pool{2};
  const auto outcomes =
      pool.with({.chunk = 2, .timeout = std::chrono::milliseconds(20)}).try_map(indices(6), [](std::size_t i) {
        while (i == 3) pause();
        return i * i;
      });
  for (std::size_t i = 0; i != 6; ++i)
    if (i != 3 && outcomes[i].value() != i * i) return false;
  return !outcomes[3].has_value();
}

// Workers are cloned from the template, which init() has made before.
bool clones() {
  process_pool pool{2};
  const auto slices = cake();
  const auto finished = pool.map(slices, [](const std::string& slice) { return slice + slice; });
  for (std::size_t i = 0; i != slices.size(); ++i)
    if (finished[i] != slices[i] + slices[i]) return false;
  return one_slice_crashes(pool);
}

// Workers are cloned from a template of the pool's own, which is made and ended with it.
bool zygote_clones() {
  process_pool pool(forkful::pool_options{.workers = 2, .start = forkful::start_method::zygote});
  return pool.map(indices(3), [](std::size_t i) { return i; }) == std::vector<std::size_t>{0, 1, 2} &&
         one_slice_crashes(pool);
}

// Every worker on a core of its own.
bool pinned() {
  process_pool pool(forkful::pool_options{.workers = 2, .pin = true});
  return pool.map(indices(3), [](std::size_t i) { return i; }) == std::vector<std::size_t>{0, 1, 2};
}

// By a process of its own.
bool measured() { return forkful::detail::plausible(forkful::detail::measure_machine()); }

// Where memory has to be committed before it is touched.
bool committed_memory() {
  const auto arena = forkful::detail::arena::make_for_test(std::size_t{64} << 20, [] { return std::size_t{1} << 30; });
  for (std::size_t bytes : {100U, 40'000U, 3'000'000U}) {
    auto* block = static_cast<char*>(arena->allocate(bytes, 16));
    std::memset(block, 'x', bytes);
    arena->deallocate(block);
  }
  return true;
}

// ---- One run ----

enum result : int {
  right = 0,
  refused,
  wrong,
  unclear,
  leaked_descriptors,
  leaked_processes,
  leaked_blocks,
  broken_after
};

const char* text_of(int result) {
  constexpr std::array texts{"right",
                             "refused",
                             "wrong results",
                             "an unclear error",
                             "descriptors leaked",
                             "processes leaked",
                             "memory leaked",
                             "a pool made afterwards does not work"};
  return result >= 0 && result < static_cast<int>(texts.size()) ? texts[static_cast<std::size_t>(result)]
                                                                : "a crash or a hang";
}

struct told {
  failure_plan plan;
  std::array<char, 600> sentence{};
  long usual_blocks = std::numeric_limits<long>::max();  // that stay when nothing fails
  long blocks = 0;
};

bool is_a_sentence(const std::string& what) { return what.size() > 60 && what.find('%') == std::string::npos; }

using work = bool (*)();

int run(work body, told& about) {
  alarm(hang_seconds);
  about.plan.parent = getpid();
  the_plan = &about.plan;
  if (body == clones) forkful::init(0, nullptr);
  if (body == lone_callers) two_threads();
  const std::size_t children = children_of(getpid()).size();
  const std::size_t descriptors = open_descriptors();
  const long blocks = blocks_in_use();
  int how = wrong;
  about.plan.armed = true;
  try {
    const bool is_right = body();
    about.plan.armed = false;
    how = is_right ? right : wrong;
  } catch (const forkful::error& error) {
    about.plan.armed = false;
    const std::string what = error.what();
    what.copy(about.sentence.data(), about.sentence.size() - 1);
    how = is_a_sentence(what) ? refused : unclear;
    // A refusal to the parent names the call. (A worker whose call is refused ends; its slice is named.)
    const bool named = about.plan.which == call::allocate || what.find(name_of(about.plan.which)) != std::string::npos;
    if (error.code() == "start_failed" && !about.plan.in_children && !named) how = unclear;
    if (about.plan.error == EMFILE && what.find("ulimit -n") == std::string::npos) how = unclear;
  } catch (const std::bad_alloc&) {
    about.plan.armed = false;
    how = about.plan.which == call::allocate ? refused : unclear;
  } catch (const std::system_error& error) {
    about.plan.armed = false;
    std::string(error.what()).copy(about.sentence.data(), about.sentence.size() - 1);
    how = error.code().value() == about.plan.error ? refused : unclear;
  } catch (const std::exception& error) {
    about.plan.armed = false;
    std::string(error.what()).copy(about.sentence.data(), about.sentence.size() - 1);
    how = unclear;
  }
  if (how > refused) return how;
  if (children_of(getpid()).size() > children) return leaked_processes;
  if (open_descriptors() > descriptors) return leaked_descriptors;
  if (!body()) return broken_after;
  if (open_descriptors() > descriptors) return leaked_descriptors;
  // The last helpers of a pool of threads free what they hold when they have looked in vain.
  for (int i = 0; i != 500; ++i) {
    about.blocks = blocks_in_use() - blocks;
    if (about.blocks <= about.usual_blocks) return how;
    usleep(10'000);
  }
  return leaked_blocks;
}

// ---- All runs of one call ----

struct tally {
  unsigned runs = 0;
  unsigned failures = 0;
  unsigned refusals = 0;
};

// How many blocks of memory stay when nothing fails.
long blocks_left_by(work body) {
  long most = 0;
  std::fflush(stdout);
  for (int i = 0; i != 3; ++i) {
    const seen_by_all<told> about;
    EXPECT_TRUE(in_child([&] { return run(body, *about); }).exited_with(right));
    most = std::max(most, about->blocks);
  }
  return body == clones ? most + 8 : most;  // a template that was given up stores the reason
}

void fail_each(work body, call which, int error, bool for_good, bool in_children, long usual_blocks, tally& count) {
  constexpr unsigned most = 2000;
  std::fflush(stdout);
  for (unsigned pass = 1; pass != most; pass += sanitized ? pass : 1 + pass / 20) {
    const seen_by_all<told> about;
    about->plan.which = which;
    about->plan.error = error;
    about->plan.pass = pass;
    about->plan.for_good = for_good;
    about->plan.in_children = in_children;
    about->usual_blocks = usual_blocks;
    const auto ended = in_child([&] { return run(body, *about); });
    const int how = WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -1;
    ++count.runs;
    count.failures += about->plan.failures;
    count.refusals += how == refused ? 1 : 0;
    EXPECT_LE(how & 0xff, static_cast<int>(refused))
        << text_of(how) << " (status " << ended.status << ") when " << name_of(which) << " number " << pass
        << (for_good ? " and all later ones fail with " : " fails with ") << strerrorname_np(error)
        << (in_children ? " in workers: " : ": ") << about->sentence.data();
    if (about->plan.failures == 0) {
      EXPECT_EQ(how, right);
      return;
    }
    if (testing::Test::HasFailure() && count.runs > 400) return;
  }
  ADD_FAILURE() << "no run passed untouched";
}

struct trial {
  call which;
  std::vector<int> once;      // errors that pass
  std::vector<int> for_good;  // errors that stay
  bool refuses = false;       // there is no doing without it
};

void fail_all(work body, bool in_children, const std::vector<trial>& trials) {
  const long usual_blocks = blocks_left_by(body);
  for (const trial& one : trials) {
    if (sanitized && one.once.empty()) continue;  // for good it is tried without sanitizers only
    tally count;
    const auto some = [](std::vector<int> errors) {
      if (sanitized && errors.size() > 1) errors.resize(1);
      return errors;
    };
    for (const int error : some(one.once)) fail_each(body, one.which, error, false, in_children, usual_blocks, count);
    if (!sanitized)
      for (const int error : one.for_good) fail_each(body, one.which, error, true, in_children, usual_blocks, count);
    EXPECT_GT(count.failures, 0U) << name_of(one.which) << " was never called: the test tests nothing";
    if (one.refuses && !sanitized) {
      EXPECT_GT(count.refusals, 0U) << name_of(one.which) << " failed and nobody was told";
    }
    std::cout << name_of(one.which) << ": " << count.runs << " runs, " << count.failures << " failures, "
              << count.refusals << " refusals" << std::endl;
  }
}

// ---- The calls of the caller's process ----

const std::vector<trial> making_workers{
    {call::fork, {EAGAIN, ENOMEM}, {EAGAIN, ENOSYS}, true}, {call::socketpair, {EMFILE, ENOMEM}, {ENFILE}, true},
    {call::pidfd_open, {EMFILE, ENOMEM}, {EMFILE}, true},   {call::pidfd_open, {ENOSYS}, {ENOSYS, EPERM}},
    {call::pthread_atfork, {ENOMEM}, {ENOMEM}, true},       {call::stat, {ENOENT}, {ENOENT}},
};
const std::vector<trial> watching_workers{
    {call::epoll_create1, {EMFILE, ENOMEM}, {ENFILE}, true},
    {call::socketpair, {EMFILE, ENOMEM}, {ENFILE}, true},
    {call::fcntl, {EMFILE, EINVAL}, {EMFILE}},
    {call::fstat, {ENOMEM}, {ENOMEM}},
    {call::epoll_ctl, {ENOMEM, ENOSPC}, {ENOSPC}, true},
    {call::epoll_wait, {EINTR}, {}},
    {call::recv, {EAGAIN, EINTR}, {EIO}},
    {call::close, {EINTR, EIO}, {EIO}},
};
const std::vector<trial> ending_workers{
    {call::poll, {EINTR, ENOMEM}, {ENOMEM}},
    {call::pidfd_send_signal, {EPERM, ENOSYS}, {EPERM}},
    {call::waitid, {EINTR, ECHILD}, {ECHILD}},
};
const std::vector<trial> mapping_memory{
    {call::memfd_create, {EMFILE, ENOMEM}, {ENFILE, ENOSYS, EPERM}, true},
    {call::ftruncate, {EINTR, EFBIG}, {EPERM, EINVAL}, true},
    {call::fallocate, {ENOSPC, EINTR}, {EOPNOTSUPP, ENOSYS}},
    {call::fcntl, {EMFILE, EINVAL}, {EINVAL}},
    {call::fstat, {ENOMEM}, {EPERM}},
    {call::mmap, {ENOMEM, EAGAIN}, {ENOMEM, EPERM}, true},
    {call::munmap, {ENOMEM}, {}},
    {call::madvise, {EAGAIN, EINVAL}, {EINVAL}},
    {call::getrlimit, {EPERM}, {EPERM}},
    {call::open, {EMFILE, ENOMEM, EINTR}, {EACCES, ENOENT}},
    {call::sched_getaffinity, {EINVAL}, {EPERM}},
};

TEST(refused_calls, that_make_workers) { fail_all(processes, false, making_workers); }
TEST(refused_calls, that_make_workers_of_a_snapshot) { fail_all(photographs, false, making_workers); }
TEST(refused_calls, that_watch_workers) { fail_all(processes, false, watching_workers); }
TEST(refused_calls, that_watch_workers_of_a_snapshot) { fail_all(photographs, false, watching_workers); }
TEST(refused_calls, that_end_workers) { fail_all(processes, false, ending_workers); }
TEST(refused_calls, that_end_workers_of_a_snapshot) { fail_all(photographs, false, ending_workers); }
TEST(refused_calls, that_look_after_lone_callers) {
  fail_all(lone_callers, false, {{call::timerfd_create, {EMFILE, ENOMEM}, {ENFILE}}});
}
TEST(refused_calls, that_map_memory) { fail_all(shared_memory, false, mapping_memory); }
TEST(refused_calls, that_commit_memory) {
  fail_all(committed_memory, false,
           {{call::fallocate, {ENOSPC, EINTR, ENOMEM}, {EOPNOTSUPP, ENOSPC}, true},
            {call::memfd_create, {EMFILE}, {ENFILE}, true}});
}

TEST(refused_calls, that_find_cores) {
  fail_all(pinned, false,
           {{call::hwloc_topology_init, {ENOMEM}, {ENOMEM}, true},
            {call::hwloc_topology_load, {ENOMEM}, {EINVAL}, true},
            {call::sched_getaffinity, {EINVAL}, {EPERM}, true}});
}

TEST(refused_calls, that_measure_the_machine) {
  fail_all(measured, false,
           {{call::fork, {EAGAIN}, {ENOMEM}, true},
            {call::memfd_create, {EMFILE}, {ENFILE}, true},
            {call::munmap, {ENOMEM}, {}},
            {call::waitid, {EINTR, ECHILD}, {}},
            {call::open, {EMFILE}, {EACCES}}});
}

// ---- The calls of workers ----

TEST(refused_calls, of_the_process_that_measures) {
  fail_all(
      measured, true,
      {{call::fork, {EAGAIN}, {EAGAIN}, true}, {call::madvise, {}, {EINVAL}}, {call::sched_setaffinity, {}, {EPERM}}});
}

TEST(refused_calls, that_pin_workers) { fail_all(pinned, true, {{call::sched_setaffinity, {EINVAL}, {EPERM}, true}}); }

TEST(refused_calls, of_workers) {
  fail_all(processes, true,
           {{call::fcntl, {EPERM, EINVAL}, {}},
            {call::poll, {EINTR, ENOMEM}, {}},
            {call::sigaction, {EINVAL}, {EINVAL}},
            {call::sigprocmask, {EINVAL}, {EINVAL}},
            {call::getrlimit, {EPERM}, {EPERM}},
            {call::setrlimit, {EPERM}, {EPERM}},
            {call::gethostname, {EPERM}, {EPERM}},
            {call::futex, {EINTR, EAGAIN}, {ENOSYS}},
            {call::sigaltstack, {ENOMEM}, {ENOMEM}},
            {call::close, {EIO}, {EIO}}});
}
TEST(refused_calls, of_workers_with_a_timeout) {
  fail_all(late_slices, true,
           {{call::timer_create, {EAGAIN, ENOMEM}, {EAGAIN}}, {call::timer_settime, {EINVAL}, {EINVAL}}});
}

// ---- The template ----

TEST(refused_calls, to_the_template) {
  fail_all(clones, false,
           {{call::sendmsg, {EINTR, ENOMEM, EPIPE, ETOOMANYREFS}, {EPIPE, ETOOMANYREFS}},
            {call::recvmsg, {EINTR, ENOMEM, ECONNRESET}, {ECONNRESET}},
            {call::poll, {EINTR, ENOMEM}, {ENOMEM}}});
}
TEST(refused_calls, of_the_template) {
  fail_all(clones, true,
           {{call::clone, {EAGAIN, ENOMEM}, {EAGAIN}},
            {call::recvmsg, {EINTR, ENOMEM}, {}},
            {call::sendmsg, {EINTR, EPIPE}, {}}});
}

TEST(refused_calls, that_make_a_zygote_and_ask_it) {
  fail_all(zygote_clones, false,
           {{call::fork, {EAGAIN}, {ENOMEM}, true},
            {call::socketpair, {EMFILE, ENOMEM}, {ENFILE}, true},
            {call::sendmsg, {EINTR, ENOMEM, EPIPE, ETOOMANYREFS}, {EPIPE, ETOOMANYREFS}},
            {call::recvmsg, {EINTR, ENOMEM, ECONNRESET}, {ECONNRESET}},
            {call::poll, {EINTR, ENOMEM}, {ENOMEM}},
            {call::waitid, {EINTR, ECHILD}, {ECHILD}}});
}
TEST(refused_calls, of_a_zygote) {
  fail_all(zygote_clones, true,
           {{call::clone, {EAGAIN, ENOMEM}, {EAGAIN}},
            {call::recvmsg, {EINTR, ENOMEM}, {}},
            {call::sendmsg, {EINTR, EPIPE}, {}}});
}

// Descriptors travel in the request, and a user may have only so many on their way, all programs taken together.
TEST(refused_calls, to_the_template_leave_it_for_the_workers_to_come) {
  enum how : int { fine = 50, no_warning, ended, not_asked_again };
  const auto end = in_child([] {
    alarm(hang_seconds);
    const seen_by_all<failure_plan> plan;
    plan->which = call::sendmsg;
    plan->error = ETOOMANYREFS;
    plan->pass = 1;
    plan->parent = getpid();
    forkful::init(0, nullptr);
    const std::vector<pid_t> server = children_of(getpid());
    the_plan = &*plan;
    plan->armed = true;
    process_pool first{1};
    plan->armed = false;
    std::ignore = first.map(indices(1), [](std::size_t i) { return i; });
    // Of the warnings about the first call: the one about the workers, not those about costs.
    const auto said = [](const process_pool& pool) {
      for (const std::string& one : pool.report().warnings)
        if (one.find("forked from the caller") != std::string::npos) return one;
      return std::string();
    };
    const std::string warning = said(first);
    if (plan->failures != 1 || warning.find("sendmsg failed: Too many references") == std::string::npos)
      return no_warning;
    if (server.size() != 1 || gone(server[0])) return ended;
    process_pool second(forkful::pool_options{.workers = 1, .start = forkful::start_method::forkserver});
    std::ignore = second.map(indices(1), [](std::size_t i) { return i; });
    return said(second).empty() ? fine : not_asked_again;
  });
  EXPECT_TRUE(end.exited_with(fine)) << end.status;
}

// ---- Not knowing is no answer ----

// A worker that believes it was forked by a program's only thread asks the loader, whose lock another thread may have
// held.
TEST(refused_calls, leave_the_number_of_threads_open_unless_there_is_one) {
  const auto counted = [](bool beside) {
    return in_child([&] {
      const seen_by_all<failure_plan> plan;
      plan->which = call::stat;
      plan->error = ENOENT;
      plan->pass = 1;
      plan->for_good = true;
      plan->parent = getpid();
      the_plan = &*plan;
      std::latch over{1};
      std::optional<std::jthread> other;
      if (beside) other.emplace([&] { over.wait(); });
      plan->armed = true;
      const unsigned count = forkful::detail::thread_count();
      plan->armed = false;
      over.count_down();
      return plan->failures == 1 ? static_cast<int>(count) : 99;
    });
  };
  EXPECT_TRUE(counted(false).exited_with(1));
  EXPECT_TRUE(counted(true).exited_with(0)) << "two are there, and nobody may say one";
}

// ---- Memory ----

const std::vector<trial> memory{{call::allocate, {ENOMEM}, {ENOMEM}}};

TEST(refused_memory, of_the_caller) { fail_all(processes, false, memory); }
TEST(refused_memory, of_the_caller_of_a_snapshot) { fail_all(photographs, false, memory); }
TEST(refused_memory, of_workers) { fail_all(processes, true, {{call::allocate, {ENOMEM}, {}}}); }
TEST(refused_memory, where_it_is_committed) { fail_all(committed_memory, false, memory); }

}  // namespace
