// From facts to sentences: each limit is found where it is one, and nowhere else, and the most important finding comes last.
#include "advice/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <regex>
#include <string>
#include <vector>

namespace {

using namespace forkful::detail;

constexpr std::size_t gigabyte = 1'000'000'000;

limits roomy() {
  limits of;
  of.kernel = "6.1.0-18-amd64";
  of.online_cpus = of.affinity_cpus = 8;
  of.memory = 32 * gigabyte;
  of.memory_free = 30 * gigabyte;
  of.processes = 100'000;
  of.open_files = 1024;
  of.core = 0;
  of.huge_pages = "madvise";
  of.shm = 16 * gigabyte;
  return of;
}

machine quick() {
  machine made;
  made.cpus = 8;
  made.processes = {.call = 1e-6, .wake = 5e-6, .hand_out = 3e-7, .claim = 2e-7};
  made.spread = 0.05;
  return made;
}

// Makes one thing of a roomy machine narrow.
template <class Change>
std::vector<finding> with(Change change) {
  limits of = roomy();
  machine measured = quick();
  change(of, measured);
  return findings(of, &measured);
}

struct narrow {
  const char* name;
  void (*change)(limits&, machine&);
  weight how_much;
  const char* says;  // part of the fact
};

const narrow all_narrow[] = {
    {"small_shm", [](limits& of, machine&) { of.shm = 64'000'000; }, weight::note, "/dev/shm holds 64.0 MB."},
    {"no_shm", [](limits& of, machine&) { of.has_shm = false; }, weight::note, "There is no /dev/shm."},
    {"huge_pages", [](limits& of, machine&) { of.huge_pages = "always"; }, weight::costs, "huge pages are always on"},
    {"overcommit", [](limits& of, machine&) { of.strict_overcommit = true; }, weight::costs, "Overcommit is strict"},
    {"group", [](limits& of, machine&) { of.group_memory_left = 2 * gigabyte; }, weight::costs, "leaves 2.0 GB"},
    {"tiny_group", [](limits& of, machine&) { of.group_memory_left = 50'000'000; }, weight::blocks, "leaves 50.0 MB"},
    {"address_space", [](limits& of, machine&) { of.address_space = 4 * gigabyte; }, weight::costs,
     "`ulimit -v` allows 4.0 GB"},
    {"tiny_address_space", [](limits& of, machine&) { of.address_space = gigabyte / 2; }, weight::blocks,
     "`ulimit -v` allows 500.0 MB"},
    {"file_size", [](limits& of, machine&) { of.file_size = 3 * gigabyte; }, weight::costs,
     "`ulimit -f` allows 3.0 GB"},
    {"affinity", [](limits& of, machine&) { of.affinity_cpus = 3; }, weight::note, "3 of the machine's 8 CPUs"},
    {"quota", [](limits& of, machine&) { of.cpu_quota = 1.5; }, weight::costs, "the time of 1.5 CPUs"},
    {"load", [](limits& of, machine&) { of.load = 6.25; }, weight::costs, "keep 6.2 of 8 CPUs busy"},
    {"one_cpu", [](limits& of, machine&) { of.online_cpus = of.affinity_cpus = 1; }, weight::costs, "one CPU to use"},
    {"wake", [](limits&, machine& m) { m.processes.wake = 111e-6; }, weight::note, "Waking a worker takes 111.0 us."},
    {"virtual_wake",
     [](limits& of, machine& m) {
       of.virtual_machine = true;
       m.processes.wake = 111e-6;
     },
     weight::note, "111.0 us: a virtual machine"},
    {"noise", [](limits&, machine& m) { m.spread = 0.4; }, weight::costs, "differed by 40 % when"},
    {"disturbance", [](limits&, machine& m) { m.disturbance = 0.8; }, weight::costs, "took 80 % of the cores when"},
    {"processes", [](limits& of, machine&) { of.processes = 40; }, weight::blocks, "`ulimit -u` allows this user 40"},
    {"open_files", [](limits& of, machine&) { of.open_files = 20; }, weight::blocks,
     "`ulimit -n` allows 20 open files"},
    {"sanitizer", [](limits& of, machine&) { of.sanitizer = true; }, weight::costs, "built with a sanitizer"},
    {"valgrind", [](limits& of, machine&) { of.valgrind = true; }, weight::costs, "under valgrind"},
    {"kernel", [](limits& of, machine&) { of.kernel = "5.9.16"; }, weight::blocks, "Linux 5.9.16"},
    {"old_kernel", [](limits& of, machine&) { of.kernel = "4.19.0-27"; }, weight::blocks, "Linux 4.19.0-27"},
    {"pidfd", [](limits& of, machine&) { of.pidfd_error = EPERM; }, weight::costs,
     "refuses pidfd_open (Operation not permitted)"},
};

TEST(findings, a_roomy_machine_has_none) {
  const machine measured = quick();
  EXPECT_TRUE(findings(roomy(), &measured).empty());
  EXPECT_EQ(next_step({}), "nothing stands in the way here; see it at work: forkful tour");
}

TEST(findings, each_limit_is_told_alone_with_what_it_means_and_what_to_do) {
  const std::regex sentence(
      R"([A-Z`/f][^.]*(\.[^ ][^.]*)*[.])");  // one full stop, at its end; others only inside words
  for (const narrow& each : all_narrow) {
    const auto found = with(each.change);
    ASSERT_EQ(found.size(), 1U) << each.name;
    EXPECT_EQ(found[0].how_much, each.how_much) << each.name;
    EXPECT_THAT(found[0].what, testing::HasSubstr(each.says)) << each.name;
    for (const std::string& said : {found[0].what, found[0].means, found[0].todo}) {
      EXPECT_TRUE(std::regex_match(said, sentence)) << each.name << ": " << said;
    }
    EXPECT_TRUE(found[0].todo[0] >= 'A' && found[0].todo[0] <= 'Z') << found[0].todo;
  }
}

TEST(findings, what_is_just_enough_is_no_finding) {
  EXPECT_TRUE(with([](limits& of, machine&) { of.kernel = "5.10.0"; }).empty());
  EXPECT_TRUE(with([](limits& of, machine&) { of.kernel = "strange"; }).empty()) << "what cannot be read is not old";
  EXPECT_TRUE(with([](limits& of, machine&) { of.group_memory_left = 31 * gigabyte; }).empty()) << "more than is free";
  EXPECT_TRUE(with([](limits& of, machine&) { of.cpu_quota = 8; }).empty());
  EXPECT_TRUE(with([](limits& of, machine&) { of.load = 1.5; }).empty());
  EXPECT_TRUE(with([](limits& of, machine&) { of.processes = of.open_files = 80; }).empty());
  EXPECT_TRUE(with([](limits& of, machine&) {
                of.core = SIZE_MAX;
                of.locked_memory = 0;
              }).empty());
}

TEST(findings, of_two_limits_of_shared_memory_the_narrower_is_told) {
  const auto found = with([](limits& of, machine&) {
    of.address_space = 40 * gigabyte;
    of.file_size = 2 * gigabyte;
  });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, testing::HasSubstr("ulimit -f"));
  EXPECT_THAT(found[0].means, testing::HasSubstr("2.0 GB"));
}

TEST(findings, the_most_important_comes_last_and_is_what_to_do_next) {
  const auto found = with([](limits& of, machine& measured) {
    for (const narrow& each : all_narrow) {
      if (std::string_view(each.name) != "no_shm") each.change(of, measured);
    }
  });
  ASSERT_GT(found.size(), 10U);
  for (std::size_t i = 1; i != found.size(); ++i) EXPECT_LE(found[i - 1].how_much, found[i].how_much);
  EXPECT_THAT(found.back().what, testing::HasSubstr("Linux 4.19"));
  EXPECT_EQ(next_step(found), "upgrade the kernel, or use a serial_pool");
}

TEST(findings, notes_alone_leave_nothing_to_do) {
  const auto found = with([](limits& of, machine&) { of.affinity_cpus = 3; });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(next_step(found), testing::HasSubstr("nothing stands in the way"));
}

TEST(findings, without_a_measurement_nothing_is_said_of_costs) {
  limits of = roomy();
  of.pidfd_error = ENOSYS;
  const auto found = findings(of, nullptr);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, testing::HasSubstr("pidfd_open"));
}

TEST(limits, are_read_of_the_machine_at_hand) {
  const limits of = read_limits();
  EXPECT_GE(of.affinity_cpus, 1U);
  EXPECT_GE(of.online_cpus, of.affinity_cpus);
  EXPECT_GT(of.memory, 0U);
  EXPECT_LE(of.memory_free, of.memory);
  EXPECT_GT(of.open_files, 3U);
  EXPECT_FALSE(of.kernel.empty());
  EXPECT_GE(of.load, 0);
  EXPECT_FALSE(of.valgrind && of.sanitizer);
}

}  // namespace
