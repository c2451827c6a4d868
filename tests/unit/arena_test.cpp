// The arena: mapping it under limits, which process may allocate, slots, and checking what a worker wrote.
#include "memory/arena.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <forkful/errors.hpp>
#include <forkful/shared.hpp>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "os/limits.hpp"
#include "os/memory.hpp"
#include "support/hang.hpp"
#include "support/in_child.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace forkful::detail;
using forkful_tests::in_child;
using forkful_tests::seen_by_all;
using forkful_tests::start_child;
using forkful_tests::wait_for;

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t gibibyte = std::size_t{1} << 30;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool address_space_is_the_sanitizers = true;  // it maps terabytes: RLIMIT_AS leaves nothing for the test
#else
constexpr bool address_space_is_the_sanitizers = false;
#endif

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) static_cast<void>(each), ++count;
  return count;
}

// Pages of memory that hold something.
std::size_t resident_pages(void* data, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / 4096);
  if (mincore(data, bytes, pages.data()) != 0) return SIZE_MAX;
  std::size_t count = 0;
  for (const unsigned char page : pages) count += page & 1;
  return count;
}

std::byte* first_byte(arena& memory) { return reinterpret_cast<std::byte*>(&memory.heap_of(0)) - 4096; }

// This process's descriptor of an arena; -1: there is none.
int descriptor_of(arena& memory) {
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    if (std::stoull(line, nullptr, 16) != reinterpret_cast<std::uintptr_t>(first_byte(memory))) continue;
    std::istringstream fields{line};
    std::string field;
    for (int i = 0; i != 5; ++i) fields >> field;  // the fifth is the inode
    for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
      struct stat file{};
      if (stat(each.path().c_str(), &file) == 0 && std::to_string(file.st_ino) == field &&
          std::filesystem::read_symlink(each).string().find("memfd:forkful") != std::string::npos)
        return std::stoi(each.path().filename());
    }
  }
  return -1;
}

// How much of an arena exists, touched or not.
std::size_t file_bytes(arena& memory) {
  struct stat file{};
  return fstat(descriptor_of(memory), &file) == 0 ? static_cast<std::size_t>(file.st_size) : SIZE_MAX;
}

// Memory taken by an arena, touched or not.
std::size_t committed_bytes(arena& memory) {
  struct stat file{};
  return fstat(descriptor_of(memory), &file) == 0 ? static_cast<std::size_t>(file.st_blocks) * 512 : SIZE_MAX;
}

std::string message_of_exhaustion(arena& memory, std::size_t bytes) {
  try {
    static_cast<void>(memory.allocate(bytes));
  } catch (const forkful::arena_exhausted& error) {
    return error.what();
  }
  return "";
}

std::size_t plenty() { return SIZE_MAX; }

void limit_to(decltype(RLIMIT_AS) which, std::size_t bytes) {
  const rlimit now{bytes, bytes};
  if (setrlimit(which, &now) != 0) _exit(98);
}

TEST(arena, has_address_space_for_several_times_the_machines_memory_where_no_limit_stands_against_it) {
  const std::size_t allowed = std::min(file_size_limit(), address_space_limit() / 2);
  if (allowed < arena::largest || under_valgrind()) GTEST_SKIP() << "this shell has a limit";
  const std::size_t memory = std::min(arena::largest / 8, physical_memory());
  EXPECT_GT(arena::here().size(), 2 * memory) << "it is halved where it is refused";
  EXPECT_LE(arena::here().size(), 8 * memory);
  EXPECT_EQ(&arena::here(), &arena::own());
}

TEST(arena, takes_one_descriptor_no_memory_and_no_name_until_it_is_used) {
  EXPECT_TRUE(in_child([] {  // a forked process maps its own
                const std::size_t before = open_descriptors();
                arena& memory = arena::here();
                if (open_descriptors() != before + 1) return 1;
                std::ifstream maps{"/proc/self/smaps"};
                bool inside = false;
                for (std::string line; std::getline(maps, line);) {
                  if (line.find("memfd:forkful") != std::string::npos)
                    inside = std::stoull(line, nullptr, 16) == reinterpret_cast<std::uintptr_t>(first_byte(memory));
                  if (inside && line.starts_with("Rss:") && std::stoul(line.substr(4)) > 64) return 2;
                  if (inside && line.starts_with("VmFlags:")) return line.find(" dd") != std::string::npos ? 7 : 3;
                }
                return 4;
              })
                  .exited_with(7));
}

// Code that makes all memory of a process resident or reads through it (mlockall, a search for leaks) meets what is in use.
TEST(arena, exists_only_as_far_as_it_is_used) {
  if (under_valgrind()) GTEST_SKIP() << "all of it exists there";
  const auto memory = arena::make_for_test(64 * gibibyte);
  EXPECT_LT(file_bytes(*memory), 64 * mebibyte);
  auto* const block = static_cast<std::byte*>(memory->allocate(gibibyte));
  block[gibibyte - 1] = std::byte{1};
  EXPECT_GE(file_bytes(*memory), gibibyte);
  EXPECT_LT(file_bytes(*memory), gibibyte + 256 * mebibyte);
  static_cast<void>(memory->allocate(40 * gibibyte));
  EXPECT_LT(file_bytes(*memory), 50 * gibibyte);
}

TEST(arena, that_a_worker_grows_is_grown_for_all) {
  const auto memory = arena::make_for_test(4 * gibibyte);
  constexpr unsigned children = 4;
  constexpr std::size_t each = 300 * mebibyte;
  const seen_by_all<std::array<unsigned char*, children>> made;
  const seen_by_all<std::atomic<unsigned>> there;
  std::array<pid_t, children> started{};
  for (unsigned i = 0; i != children; ++i) {
    started[i] = start_child([&, i] {
      memory->become_worker(i + 1);
      ++*there;
      while (*there != children) std::this_thread::yield();  // so that they grow it at once
      (*made)[i] = static_cast<unsigned char*>(memory->allocate(each));
      (*made)[i][each - 1] = static_cast<unsigned char>(i + 1);
      return 7;
    });
  }
  for (const pid_t child : started) EXPECT_TRUE(wait_for(child).exited_with(7));
  for (unsigned i = 0; i != children; ++i) EXPECT_EQ((*made)[i][each - 1], i + 1);
}

TEST(arena, grows_in_a_worker_that_has_closed_all_descriptors) {
  for (auto* const left : {static_cast<std::size_t (*)()>(nullptr), &plenty}) {
    const auto memory = arena::make_for_test(gibibyte, left);
    const seen_by_all<unsigned char*> made;
    EXPECT_TRUE(in_child([&] {
                  memory->become_worker(1);
                  close_range(0, ~0U, 0);
                  *made = static_cast<unsigned char*>(memory->allocate(500 * mebibyte));
                  (*made)[500 * mebibyte - 1] = 1;
                  return 7;
                }).exited_with(7));
    EXPECT_EQ((*made)[500 * mebibyte - 1], 1);
  }
}

TEST(arena, says_that_its_descriptor_was_closed_where_it_cannot_grow_for_that) {
  if (under_valgrind()) GTEST_SKIP() << "shared memory is small there, and all of it exists";
  EXPECT_TRUE(in_child([] {
                arena& mine = arena::here();
                close_range(3, ~0U, 0);
                if (mine.allocate(mebibyte) == nullptr) return 1;  // so much is there
                return message_of_exhaustion(mine, gibibyte).find("closed its descriptor") != std::string::npos ? 7 : 2;
              }).exited_with(7));
}

TEST(arena, grows_where_standard_streams_were_closed_and_are_opened_later) {
  EXPECT_TRUE(in_child([] {
                close_range(0, 199, 0);
                arena& mine = arena::here();
                for (int i = 0; i != 3; ++i) {
                  if (open("/dev/null", O_RDWR) != i) return 1;
                }
                close_range(3, 199, 0);
                return mine.allocate(100 * mebibyte) != nullptr ? 7 : 2;
              }).exited_with(7));
}

TEST(arena, does_nothing_to_a_file_that_got_the_number_of_its_descriptor) {
  EXPECT_TRUE(in_child([] {
                arena& mine = arena::here();
                const int number = descriptor_of(mine);
                std::FILE* const users = std::tmpfile();
                if (users == nullptr || dup2(fileno(users), number) != number) return 1;
                if (message_of_exhaustion(mine, gibibyte).empty()) return 2;
                struct stat now{};
                return fstat(number, &now) == 0 && now.st_size == 0 ? 7 : 3;
              }).exited_with(7));
}

TEST(arena, is_used_up_with_an_error_where_the_file_size_limit_was_lowered) {
  if (under_valgrind()) GTEST_SKIP() << "shared memory is small there, and all of it exists";
  EXPECT_TRUE(in_child([] {
                arena& mine = arena::here();
                limit_to(RLIMIT_FSIZE, 100 * mebibyte);  // beyond it the kernel sends SIGXFSZ
                const std::string told = message_of_exhaustion(mine, gibibyte);
                return told.find("the file size limit was lowered") != std::string::npos ? 7 : 1;
              }).exited_with(7));
}

TEST(arena, has_the_same_address_in_children_and_shares_what_they_write) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  auto* number = static_cast<int*>(memory->allocate(sizeof(int)));
  *number = 1;
  ASSERT_TRUE(in_child([&] {
                *number = 4711;
                return 7;
              }).exited_with(7));
  EXPECT_EQ(*number, 4711);
}

TEST(arena, is_found_by_address) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  auto* block = static_cast<std::byte*>(memory->allocate(100));
  EXPECT_EQ(arena::holding(block), memory.get());
  int outside = 0;
  EXPECT_EQ(arena::holding(&outside), nullptr);
  EXPECT_EQ(arena::holding(nullptr), nullptr);
  EXPECT_TRUE(memory->contains(block, 100));
  EXPECT_FALSE(memory->contains(block, memory->size()));
  EXPECT_FALSE(memory->contains(block, SIZE_MAX));
  EXPECT_FALSE(memory->contains(&outside, 1));
}

TEST(arena, hands_out_a_gibibyte_at_once) {
  const auto memory = arena::make_for_test(4 * gibibyte);
  auto* block = static_cast<unsigned char*>(memory->allocate(gibibyte));
  EXPECT_EQ(memory->block_size(block), gibibyte);
  block[0] = block[gibibyte - 1] = 1;
  memory->deallocate(block);
  EXPECT_EQ(resident_pages(block, gibibyte), 0U) << "what is beyond the warm bound goes back to the kernel";
}

// Two runs of 3 MiB in an arena that keeps 4 MiB warm at first, filled and freed: how many pages of both stay.
std::size_t pages_kept(arena& memory) {
  const std::array both{memory.allocate(3 * mebibyte), memory.allocate(3 * mebibyte)};
  for (void* run : both) std::memset(run, 1, 3 * mebibyte);
  for (void* run : both) memory.deallocate(run);
  return resident_pages(both[0], 3 * mebibyte) + resident_pages(both[1], 3 * mebibyte);
}
constexpr std::size_t pages_of_a_run = 3 * mebibyte / 4096;

TEST(arena, keeps_what_was_given_back_too_early_the_next_time) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  EXPECT_EQ(pages_kept(*memory), pages_of_a_run);
  EXPECT_EQ(pages_kept(*memory), 2 * pages_of_a_run);
  EXPECT_EQ(pages_kept(*memory), 2 * pages_of_a_run);
}

TEST(arena, keeps_no_more_than_at_first_where_a_quarter_of_it_is_taken) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  static_cast<void>(memory->allocate(15 * mebibyte));
  for (int i = 0; i != 3; ++i) EXPECT_EQ(pages_kept(*memory), pages_of_a_run);
}

// While much is taken nothing more may stay warm, however often it is taken afresh; that must not count as giving back too early,
// or what stays warm afterwards has no bound any more and runs of sizes that no call needs stay for ever.
TEST(arena, learns_nothing_from_memory_that_was_given_back_because_much_was_taken) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  void* const much = memory->allocate(15 * mebibyte);
  for (int i = 0; i != 100; ++i) pages_kept(*memory);
  memory->deallocate(much);
  EXPECT_EQ(pages_kept(*memory), 2 * pages_of_a_run);

  const std::array olds{memory->allocate(3 * mebibyte), memory->allocate(3 * mebibyte)};
  for (void* run : olds) std::memset(run, 1, 3 * mebibyte);
  for (void* run : olds) memory->deallocate(run);
  for (int i = 0; i != 3; ++i) memory->deallocate(memory->allocate(5 * mebibyte));
  EXPECT_LE(resident_pages(olds[0], 3 * mebibyte) + resident_pages(olds[1], 3 * mebibyte), pages_of_a_run)
      << "sizes have changed";
}

TEST(arena, keeps_no_more_than_at_first_where_memory_is_short) {
  const auto memory = arena::make_for_test(64 * mebibyte, [] { return 64 * mebibyte; });
  for (int i = 0; i != 3; ++i) EXPECT_EQ(pages_kept(*memory), pages_of_a_run);
}

TEST(arena, keeps_what_it_gave_back_of_a_worker_too_early_the_next_time) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  seen_by_all<std::array<void*, 2>> made;
  for (const std::size_t kept : {pages_of_a_run, 2 * pages_of_a_run, 2 * pages_of_a_run}) {
    ASSERT_TRUE(in_child([&] {
                  memory->become_worker(1);
                  for (void*& run : *made) run = std::memset(memory->allocate(3 * mebibyte), 1, 3 * mebibyte);
                  return 7;
                }).exited_with(7));
    for (void* run : *made) memory->deallocate(run);
    EXPECT_EQ(resident_pages((*made)[0], 3 * mebibyte) + resident_pages((*made)[1], 3 * mebibyte), kept);
  }
}

TEST(arena, says_what_was_wanted_when_it_is_used_up_and_goes_on_when_something_is_freed) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  std::vector<void*> blocks;
  try {
    for (;;) blocks.push_back(memory->allocate(mebibyte));
  } catch (const forkful::arena_exhausted& error) {
    EXPECT_STREQ(
        error.what(),
        "Shared memory is used up: 1 MiB were wanted, and no free stretch that long is left in the arena of 64 MiB. "
        "Free shared containers and results, use smaller slices, or raise the limit on address space (ulimit -v) or "
        "file size (ulimit -f) if there is one.");
    EXPECT_EQ(error.code(), "arena_exhausted");
  }
  EXPECT_GE(blocks.size(), 60U);
  EXPECT_NE(message_of_exhaustion(*memory, SIZE_MAX), "");
  EXPECT_NE(message_of_exhaustion(*memory, SIZE_MAX - 70'000), "");
  EXPECT_NE(message_of_exhaustion(*memory, 65 * mebibyte), "");
  memory->deallocate(blocks.back());
  blocks.back() = memory->allocate(mebibyte);
  for (void* block : blocks) memory->deallocate(block);
  EXPECT_EQ(memory->block_size(memory->allocate(50 * mebibyte)), 50 * mebibyte)
      << "warm runs should not stand in the way";
}

TEST(arena, small_blocks_use_it_up_too_and_come_back) {
  const auto memory = arena::make_for_test(8 * mebibyte);
  std::vector<void*> blocks;
  EXPECT_THROW(for (;;) blocks.push_back(memory->allocate(1024)), forkful::arena_exhausted);
  EXPECT_GT(blocks.size(), 6000U);
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), blocks.size());
  for (void* block : blocks) memory->deallocate(block);
  for (std::size_t i = 0; i != blocks.size(); ++i) static_cast<void>(memory->allocate(1024));
  EXPECT_THROW(static_cast<void>(memory->allocate(1024)), forkful::arena_exhausted);
}

TEST(arena, memory_exists_before_it_is_handed_out_where_the_machine_is_constrained) {
  EXPECT_FALSE(arena::make_for_test(64 * mebibyte)->constrained());
  const auto memory = arena::make_for_test(64 * mebibyte, plenty);
  EXPECT_TRUE(memory->constrained());
  const std::size_t before = committed_bytes(*memory);
  EXPECT_GT(before, 0U) << "heaps are there from the beginning";
  void* run = memory->allocate(mebibyte);
  const std::size_t with_run = committed_bytes(*memory);
  EXPECT_GE(with_run, before + mebibyte);
  static_cast<void>(memory->allocate(4096));
  EXPECT_EQ(committed_bytes(*memory), with_run + span_bytes);
  memory->deallocate(run);
  memory->trim();
  EXPECT_EQ(committed_bytes(*memory), with_run + span_bytes - mebibyte);
}

TEST(arena, is_used_up_with_an_error_where_the_machine_commits_no_more) {
  const auto memory = arena::make_for_test(64 * mebibyte, plenty);
  EXPECT_TRUE(in_child([&] {
                memory->become_worker(1);
                void* before = memory->allocate(1000);
                void* run = memory->allocate(mebibyte);
                limit_to(RLIMIT_FSIZE, 0);  // from here on every fallocate fails, as it would under strict overcommit
                std::memset(before, 1, 1000);
                std::memset(run, 1, mebibyte);
                const std::string told = message_of_exhaustion(*memory, 2 * mebibyte);
                if (told.find("2 MiB were wanted, and the file size limit was lowered") == std::string::npos) return 1;
                if (message_of_exhaustion(*memory, 100'000).empty()) return 2;
                if (message_of_exhaustion(*memory, 20'000).empty()) return 3;
                if (memory->allocate(1000) == nullptr) return 4;  // its span is there
                // Addresses whose span word does not exist either are judged without a fault.
                return memory->owned_by(1, static_cast<std::byte*>(before) + 40 * mebibyte, 1) ? 5 : 7;
              }).exited_with(7));
}

TEST(arena, stops_short_of_the_limit_of_its_control_group_where_the_kernel_would_kill) {
  static std::size_t left = 0;
  left = 8 * mebibyte;
  const auto memory = arena::make_for_test(64 * mebibyte, [] { return left; });
  void* const run = memory->allocate(4 * mebibyte);
  left -= 4 * mebibyte;
  EXPECT_NE(message_of_exhaustion(*memory, 5 * mebibyte).find("the memory limit of the control group"),
            std::string::npos);
  EXPECT_EQ(memory->allocate(3 * mebibyte), static_cast<std::byte*>(run) + 4 * mebibyte)
      << "what was refused should be free again";
  left = 0;
  EXPECT_NE(message_of_exhaustion(*memory, mebibyte), "");
  memory->deallocate(run);
  EXPECT_EQ(memory->allocate(4 * mebibyte), run) << "what is warm costs nothing";
}

TEST(arena, strict_overcommit_and_limited_control_groups_are_recognised) {
  const std::filesystem::path root =
      std::filesystem::temp_directory_path() / ("forkful_arena_test_" + std::to_string(getpid()));
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream{root / path} << text << '\n';
  };
  const auto strict = [&] { return overcommit_is_strict(root / "proc"); };
  const auto left = [&] { return memory_left_in_groups(root / "proc", root / "cgroup"); };

  EXPECT_FALSE(strict()) << "nothing there to read";
  EXPECT_EQ(left(), SIZE_MAX);
  write("proc/sys/vm/overcommit_memory", "0");
  EXPECT_FALSE(strict());
  write("proc/sys/vm/overcommit_memory", "2");
  EXPECT_TRUE(strict());

  write("proc/self/cgroup", "0::/user/shell");
  write("cgroup/user/shell/memory.max", "max");
  write("cgroup/user/memory.max", "max");
  EXPECT_EQ(left(), SIZE_MAX);
  write("cgroup/user/memory.max", "8000000");
  EXPECT_EQ(left(), 8'000'000U) << "a limit of the parent group";
  write("cgroup/user/memory.current", "3000000");
  EXPECT_EQ(left(), 5'000'000U);
  write("cgroup/user/memory.stat", "anon 1000000\nfile 2000000\ninactive_file 300000\nactive_file 200000");
  EXPECT_EQ(left(), 5'500'000U) << "file cache that can be dropped";
  write("cgroup/user/shell/memory.max", "1000000");
  EXPECT_EQ(left(), 1'000'000U) << "the tightest counts";
  write("cgroup/user/shell/memory.current", "1000001");
  EXPECT_EQ(left(), 0U);

  write("proc/self/cgroup", "5:devices:/x\n4:cpu,memory:/box\n0::/");
  write("cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(left(), SIZE_MAX);
  write("cgroup/memory/box/memory.limit_in_bytes", "7000000");
  write("cgroup/memory/box/memory.usage_in_bytes", "4000000");
  write("cgroup/memory/box/memory.stat", "cache 9\ntotal_inactive_file 1000000\ntotal_active_file 500000");
  EXPECT_EQ(left(), 4'500'000U) << "version 1";

  write("proc/self/cgroup", "0::/../elsewhere");
  EXPECT_EQ(left(), SIZE_MAX);
  write("cgroup/memory.max", "1000");
  EXPECT_EQ(left(), 1000U) << "a container that sees its own group as the root";
  std::filesystem::remove_all(root);
}

TEST(arena, is_smaller_under_a_file_size_limit) {
  EXPECT_TRUE(in_child([] {
                limit_to(RLIMIT_FSIZE, 300 * mebibyte);
                arena& memory = arena::here();
                if (memory.size() > 300 * mebibyte || memory.size() < 290 * mebibyte) return 1;
                std::memset(memory.allocate(20 * mebibyte), 1, 20 * mebibyte);
                return 7;
              }).exited_with(7));
}

TEST(arena, is_at_most_half_of_a_limited_address_space) {
  if (under_valgrind()) GTEST_SKIP() << "shared memory is small there, and all of it exists";
  if (address_space_is_the_sanitizers) GTEST_SKIP();
  arena& parents = arena::here();
  EXPECT_TRUE(in_child([&] {
                munmap(first_byte(parents), parents.size());  // it would count
                limit_to(RLIMIT_AS, 4 * gibibyte);
                arena& memory = arena::here();
                if (memory.size() > 2 * gibibyte || memory.size() < gibibyte) return 1;
                return memory.allocate(gibibyte / 2) != nullptr ? 7 : 2;
              }).exited_with(7));
}

TEST(arena, cannot_start_below_64_mebibytes_and_says_why_in_one_sentence) {
  const auto refusal = [](decltype(RLIMIT_AS) which) {
    seen_by_all<std::array<char, 500>> text;
    EXPECT_TRUE(in_child([&] {
                  limit_to(which, 100 * mebibyte / (which == RLIMIT_FSIZE ? 2 : 1));
                  try {
                    arena::here();
                  } catch (const forkful::start_failed& error) {
                    std::snprintf(text->data(), text->size(), "%s", error.what());
                    return error.code() == "start_failed" ? 7 : 1;
                  }
                  return 2;
                }).exited_with(7));
    return std::string{text->data()};
  };
  const std::string sentence =
      "No shared memory could be mapped for the workers: the file size limit (ulimit -f) or half the address space "
      "limit "
      "(ulimit -v) is below 64 MiB; raise the limit (ulimit -v, ulimit -f) or free memory. serial_pool and thread_pool "
      "need "
      "none of it.";
  EXPECT_EQ(refusal(RLIMIT_FSIZE), sentence);
  if (address_space_is_the_sanitizers) return;
  EXPECT_EQ(refusal(RLIMIT_AS), sentence);
}

TEST(arena, a_fork_of_the_users_own_allocates_elsewhere_and_frees_nothing_here) {
  arena& callers = arena::here();
  void* block = callers.allocate(100);
  EXPECT_TRUE(in_child([&] {
                if (arena::holding(block) != &callers) return 1;
                callers.deallocate(block);
                arena& its_own = arena::here();
                if (&its_own == &callers || &arena::own() != &its_own) return 2;
                void* other = its_own.allocate(100);
                if (callers.contains(other, 100) || arena::holding(other) != &its_own) return 3;
                its_own.deallocate(other);
                return its_own.allocate(100) == other ? 7 : 4;
              }).exited_with(7));
  for (int i = 0; i != 2000; ++i) ASSERT_NE(callers.allocate(100), block);
}

TEST(arena, a_worker_with_pools_of_its_own_has_an_arena_of_its_own_and_keeps_the_outer_one) {
  arena& outer = arena::here();
  const unsigned slot = outer.acquire_slot();
  auto* message = static_cast<int*>(outer.allocate(sizeof(int)));
  EXPECT_TRUE(in_child([&] {
                outer.become_worker(slot);
                if (&arena::here() != &outer) return 1;
                arena& inner = arena::own();
                if (&inner == &outer || &arena::here() != &outer || inner.slot() != 0 || outer.slot() != slot) return 2;
                const unsigned inner_slot = inner.acquire_slot();
                if (!in_child([&] {
                       inner.become_worker(inner_slot);
                       if (&arena::here() != &inner) return 1;
                       *message = 42;
                       outer.deallocate(message);  // not its business: ignored
                       void* mine = arena::here().allocate(64);
                       return inner.owned_by(inner_slot, mine, 64) ? 7 : 2;
                     }).exited_with(7))
                  return 3;
                outer.slice_done();
                return 7;
              }).exited_with(7));
  EXPECT_EQ(*message, 42);
  EXPECT_NE(outer.allocate(sizeof(int)), message);
  outer.release_slot(slot);
}

TEST(arena, slots_are_lowest_first_and_run_out_with_an_error) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  EXPECT_EQ(memory->acquire_slot(), 1U);
  EXPECT_EQ(memory->acquire_slot(), 2U);
  EXPECT_EQ(memory->acquire_slot(), 3U);
  memory->release_slot(2);
  EXPECT_EQ(memory->acquire_slot(), 2U);
  for (unsigned slot = 4; slot != max_slots; ++slot) EXPECT_EQ(memory->acquire_slot(), slot);
  EXPECT_THROW(memory->acquire_slot(), forkful::start_failed);
  memory->release_slot(1000);
  EXPECT_EQ(memory->acquire_slot(), 1000U);
}

TEST(arena, a_released_slot_gives_its_warm_memory_back) {
  const auto memory = arena::make_for_test(256 * mebibyte);
  const unsigned slot = memory->acquire_slot();
  seen_by_all<std::array<void*, 2>> runs;
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(slot);
                for (void*& run : *runs) {
                  run = memory->allocate(mebibyte);
                  std::memset(run, 1, mebibyte);
                }
                memory->deallocate((*runs)[0]);
                memory->slice_done();
                return 7;
              }).exited_with(7));
  memory->deallocate((*runs)[1]);
  for (void* run : *runs) EXPECT_EQ(resident_pages(run, mebibyte), mebibyte / 4096);
  memory->release_slot(slot);
  for (void* run : *runs) EXPECT_EQ(resident_pages(run, mebibyte), 0U);
  EXPECT_EQ(memory->allocate(mebibyte), (*runs)[0]);
}

TEST(arena, what_a_worker_says_is_checked_against_its_own_blocks) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  struct offered {
    std::byte* small;
    std::byte* run;
  };
  seen_by_all<offered> its;
  ASSERT_TRUE(in_child([&] {
                memory->become_worker(1);
                its->small = static_cast<std::byte*>(memory->allocate(100));
                its->run = static_cast<std::byte*>(memory->allocate(3 * span_bytes));
                return 7;
              }).exited_with(7));
  EXPECT_TRUE(memory->owned_by(1, its->small, 112));
  EXPECT_TRUE(memory->owned_by(1, its->small + 50, 62));
  EXPECT_FALSE(memory->owned_by(1, its->small, 113)) << "reaches into the next block";
  EXPECT_FALSE(memory->owned_by(1, its->small, SIZE_MAX));
  EXPECT_FALSE(memory->owned_by(2, its->small, 1)) << "another slot";
  EXPECT_FALSE(memory->owned_by(0, its->small, 1));
  EXPECT_TRUE(memory->owned_by(1, its->run, 3 * span_bytes));
  EXPECT_TRUE(memory->owned_by(1, its->run + 2 * span_bytes + 5, span_bytes - 5));
  EXPECT_FALSE(memory->owned_by(1, its->run + 2 * span_bytes + 5, span_bytes - 4));
  EXPECT_FALSE(memory->owned_by(1, its->run + 3 * span_bytes, 1));
  void* mine = memory->allocate(100);
  EXPECT_TRUE(memory->owned_by(0, mine, 100));
  EXPECT_FALSE(memory->owned_by(1, mine, 100));
  EXPECT_FALSE(memory->owned_by(1, nullptr, 1));
  EXPECT_FALSE(memory->owned_by(1, &its, 1));
  EXPECT_FALSE(memory->owned_by(1, &memory->heap_of(1), 1)) << "the arena's own tables are nobody's block";
  EXPECT_FALSE(memory->owned_by(4'000'000'000U, its->small, 1));
  memory->deallocate(its->run);
  std::mt19937_64 random{1};
  int owned = 0;
  for (int i = 0; i != 200'000; ++i) {
    const std::uint64_t any =
        i % 2 == 0 ? random() : reinterpret_cast<std::uintptr_t>(its->small) + random() % (128 * mebibyte);
    owned += memory->owned_by(1, reinterpret_cast<void*>(any), 1 + random() % 100'000) ? 1 : 0;
  }
  EXPECT_LT(owned, 1000);
}

TEST(arena, threads_of_one_process_share_its_heap) {
  const auto memory = arena::make_for_test(256 * mebibyte);
  std::atomic<int> broken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random{static_cast<unsigned>(t)};
      std::vector<std::pair<unsigned char*, std::size_t>> mine;
      for (int i = 0; i != 20'000; ++i) {
        const std::size_t bytes = 1 + random() % (i % 100 == 0 ? 200'000 : 2000);
        auto* block = static_cast<unsigned char*>(memory->allocate(bytes));
        block[0] = block[bytes - 1] = static_cast<unsigned char>(t);
        mine.emplace_back(block, bytes);
        if (mine.size() <= 50) continue;
        std::swap(mine[random() % mine.size()], mine.back());
        const auto [victim, length] = mine.back();
        mine.pop_back();
        if (victim[0] != t || victim[length - 1] != t) ++broken;
        memory->deallocate(victim);
      }
    });
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(broken.load(), 0);
}

TEST(arena, a_worker_forked_while_another_thread_allocates_does_not_inherit_its_lock) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> allocations{0};
  std::thread busy{[&] {
    while (!stop.load()) {
      memory->deallocate(memory->allocate(100));
      allocations.fetch_add(1);
    }
  }};
  while (allocations.load() == 0) std::this_thread::yield();
  for (unsigned i = 0; i != forkful_tests::times(200); ++i) {
    ASSERT_TRUE(in_child([&] {
                  alarm(forkful_tests::hang_seconds);
                  memory->become_worker(1);
                  memory->deallocate(memory->allocate(100));
                  memory->slice_done();
                  return 7;
                }).exited_with(7));
  }
  stop = true;
  busy.join();
  EXPECT_GT(allocations.load(), 0U);
}

TEST(arena, a_view_is_private_and_outlives_what_it_shows_once_it_is_owned) {
  const auto memory = arena::make_for_test(64 * mebibyte);
  constexpr std::size_t bytes = 100'000;
  auto* const block = static_cast<char*>(memory->allocate(bytes));
  std::memset(block, 'a', bytes);
  char* const shown = block + 5000;
  constexpr std::size_t length = 50'000;
  auto* const view = reinterpret_cast<char*>(memory->view(shown, length));
  ASSERT_NE(view, nullptr);
  ASSERT_NE(view, shown);
  EXPECT_EQ(std::string(view, length), std::string(length, 'a'));
  view[0] = 'b';
  EXPECT_EQ(shown[0], 'a');
  own_pages(view, length);
  std::memset(block, 'c', bytes);
  EXPECT_EQ(std::string(view, length), "b" + std::string(length - 1, 'a'));
  drop_view(view, length);
  EXPECT_EQ(shown[length - 1], 'c');
  EXPECT_EQ(memory->view(view, 1), nullptr) << "it lies in no arena";
}

}  // namespace
