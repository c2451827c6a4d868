// Text in the program's own streams (a log that is open when the pool is made): what slices write arrives, what the caller had
// written is written once. docs/protocol.md, 17. Each test runs in a child.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <streambuf>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faults/killing.hpp"

namespace {

using forkful::flushed_stream;
using forkful::indices;
using forkful::process_pool;
using forkful::snapshot_pool;
using namespace forkful_tests;

// A file without a name that is only ever appended to, as logs are.
struct log_file {
  int number = memfd_create("log", MFD_CLOEXEC);
  std::string path = "/proc/self/fd/" + std::to_string(number);
  log_file() { fcntl(number, F_SETFL, O_APPEND); }
  log_file(const log_file&) = delete;
  log_file& operator=(const log_file&) = delete;
  ~log_file() { close(number); }
  [[nodiscard]] std::size_t count_of(const std::string& part) const {
    std::string text(static_cast<std::size_t>(lseek(number, 0, SEEK_END)), '\0');
    if (pread(number, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return 9999;
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
    return found;
  }
};

FILE* c_log = nullptr;
std::ofstream cpp_log;

template <class Pool, class Print>
int slices_print(const log_file& file, Print print) {
  Pool pool{forkful::pool_options{.workers = 2, .start = forkful::start_method::fork}};
  pool.for_each(indices(100), print);
  if (file.count_of("begin") != 1) return 1;
  return file.count_of("slice") == 100 ? 0 : 2;
}

void print_c(std::size_t i) {
  std::fprintf(c_log, "slice %zu\n", i);
  if (i % 10 == 0) std::fflush(c_log);
}

void print_cpp(std::size_t i) {
  cpp_log << "slice " << i << "\n";
  if (i % 10 == 0) cpp_log.flush();
}

TEST(inherited_text, of_a_c_stream_of_the_programs_is_written_once) {
  const auto once = [](auto run) {
    return in_child([&] {
      alarm(hang_seconds);
      const log_file file;
      c_log = std::fopen(file.path.c_str(), "a");
      std::fprintf(c_log, "begin\n");
      const int wrong = run(file);
      std::fclose(c_log);
      return wrong;
    });
  };
  EXPECT_TRUE(once([](const log_file& file) { return slices_print<process_pool>(file, print_c); }).exited_with(0));
  EXPECT_TRUE(once([](const log_file& file) { return slices_print<snapshot_pool>(file, print_c); }).exited_with(0));
}

TEST(inherited_text, of_a_registered_cpp_stream_is_written_once) {
  const auto once = [](auto run) {
    return in_child([&] {
      alarm(hang_seconds);
      const log_file file;
      cpp_log.open(file.path, std::ios::app);
      cpp_log << "begin\n";
      const flushed_stream flushed(cpp_log);
      return run(file);
    });
  };
  EXPECT_TRUE(once([](const log_file& file) { return slices_print<process_pool>(file, print_cpp); }).exited_with(0));
  EXPECT_TRUE(once([](const log_file& file) { return slices_print<snapshot_pool>(file, print_cpp); }).exited_with(0));
}

TEST(inherited_text, of_a_stream_that_workers_open_arrives_when_it_is_registered_there) {
  const log_file file;
  static const char* path = nullptr;
  path = file.path.c_str();
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    process_pool pool{forkful::pool_options{.workers = 2, .on_worker_start = [] {
                                              cpp_log.open(path, std::ios::app);
                                              static const flushed_stream flushed(cpp_log);
                                            }}};
    pool.for_each(indices(50), [](std::size_t i) { cpp_log << "slice " << i << "\n"; });
    return file.count_of("slice") == 50 ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// The stream may be gone when it is no longer registered; registered twice, it stays so until both have ended.
TEST(inherited_text, is_flushed_as_long_as_the_stream_is_registered) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    const log_file file;
    {
      std::ofstream gone(file.path, std::ios::app);
      const flushed_stream flushed(gone);
      gone << "gone";
    }
    auto log = std::make_unique<std::ofstream>(file.path, std::ios::app);
    auto first = std::make_unique<flushed_stream>(*log);
    auto second = std::make_unique<flushed_stream>(*log);
    const auto is_flushed = [&] {
      const std::size_t before = file.count_of("kept");
      *log << "kept";
      const process_pool pool{1};
      return file.count_of("kept") == before + 1;
    };
    if (!is_flushed()) return 1;
    first.reset();
    if (!is_flushed()) return 2;
    second.reset();
    if (is_flushed()) return 3;
    return 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(inherited_text, of_very_many_streams_arrives) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    const log_file file;
    static std::vector<FILE*> many;
    for (int i = 0; i != 100; ++i) many.push_back(std::fopen(file.path.c_str(), "a"));
    for (FILE* each : many) std::fputs("begin", each);
    process_pool pool{1};
    pool.for_each(indices(1), [](std::size_t) {
      for (FILE* each : many) std::fputs("slice", each);
    });
    return file.count_of("begin") == 100 && file.count_of("slice") == 100 ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// Another thread is in the middle of a line, for as long as it takes: workers start all the same, and the line is written once.
TEST(inherited_text, of_a_stream_that_another_thread_has_locked_is_the_callers_alone) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    const log_file file;
    c_log = std::fopen(file.path.c_str(), "a");
    std::atomic<bool> locked{false};
    std::atomic<bool> enough{false};
    std::thread writer([&] {
      flockfile(c_log);
      std::fputs("begin", c_log);
      locked = true;
      locked.notify_one();
      enough.wait(false);
      funlockfile(c_log);
    });
    locked.wait(false);
    const int wrong = [&] {
      process_pool pool{forkful::pool_options{.workers = 2, .start = forkful::start_method::fork}};
      pool.for_each(indices(100), print_c);
      if (file.count_of("slice") != 100) return 1;
      return file.count_of("begin") == 0 ? 0 : 2;
    }();
    enough = true;
    enough.notify_one();
    writer.join();
    std::fclose(c_log);
    if (wrong != 0) return wrong;
    return file.count_of("begin") == 1 ? 0 : 3;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// A buffer whose text goes through code of the program's before it is in the file, its own lock held.
struct working_buffer : std::streambuf {
  working_buffer(int file, std::function<void()> code) : number(file), work(std::move(code)) { empty(); }
  int sync() override {
    const std::unique_lock held(mutex, std::try_to_lock);
    if (!held) _exit(7);  // it would wait for itself
    work();
    const auto size = static_cast<std::size_t>(pptr() - pbase());
    const bool written = write(number, pbase(), size) == static_cast<ssize_t>(size);
    empty();
    return written ? 0 : -1;
  }
  void empty() { setp(room.data(), room.data() + room.size()); }
  int number;
  std::function<void()> work;
  std::mutex mutex;
  std::array<char, 256> room{};
};

void fork_once() {
  EXPECT_TRUE(in_child([] { return 0; }).exited_with(0));
}

void use_a_pool() {
  process_pool pool{2};
  EXPECT_EQ(pool.map(indices(3), [](std::size_t i) { return 2 * i; }), (std::vector<std::size_t>{0, 2, 4}));
  snapshot_pool other{1};
  EXPECT_EQ(other.map(indices(3), [](std::size_t i) { return 2 * i; }), (std::vector<std::size_t>{0, 2, 4}));
}

// Another log, opened when it is wanted first, beside the others.
void open_a_log() {
  static std::ostringstream opened;
  static std::optional<flushed_stream> registered;
  registered.emplace(opened);
  registered.reset();
  registered.emplace(opened);
}

TEST(inherited_text, of_a_stream_whose_buffer_forks_works_with_a_pool_or_opens_another_log_is_written_once) {
  for (void (*const work)() : {fork_once, use_a_pool, open_a_log}) {
    const log_file file;
    const auto ended = in_child([&] {
      alarm(hang_seconds);
      working_buffer buffer(file.number, work);
      std::ostream log(&buffer);
      cpp_log.open(file.path, std::ios::app);
      const flushed_stream before(cpp_log);
      const flushed_stream flushed(log);
      std::ofstream last(file.path, std::ios::app);
      const flushed_stream behind(last);
      log << "begin";
      last << "last";
      process_pool pool{2};
      pool.for_each(indices(100), print_cpp);
      if (testing::Test::HasFailure()) return 1;
      return file.count_of("begin") == 1 && file.count_of("last") == 1 && file.count_of("slice") == 100 ? 0 : 2;
    });
    EXPECT_TRUE(ended.exited_with(0)) << ended.status;
  }
}

TEST(inherited_text, of_cout_is_written_once_where_its_buffer_works_with_a_pool) {
  const log_file file;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    working_buffer buffer(file.number, use_a_pool);
    std::cout.rdbuf(&buffer);
    std::cout << "begin";
    const process_pool pool{2};
    return testing::Test::HasFailure() || file.count_of("begin") != 1 ? 1 : 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

TEST(inherited_text, of_a_c_stream_is_written_once_where_its_writer_works_with_a_pool) {
  const log_file file;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    int number = file.number;
    cookie_io_functions_t functions{};
    functions.write = [](void* to, const char* text, std::size_t size) -> ssize_t {
      use_a_pool();
      return write(*static_cast<int*>(to), text, size);
    };
    FILE* const log = fopencookie(&number, "w", functions);
    std::fputs("begin", log);
    const process_pool pool{2};
    return testing::Test::HasFailure() || file.count_of("begin") != 1 ? 1 : 0;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// Once it has a buffer of its own, which the C library does not know.
TEST(inherited_text, of_wcout_arrives) {
  const log_file file;
  const auto ended = in_child([&] {
    alarm(hang_seconds);
    std::ios::sync_with_stdio(false);
    dup2(file.number, STDOUT_FILENO);
    std::wcout << L"begin";
    process_pool pool{2};
    pool.for_each(indices(20), [](std::size_t i) { std::wcout << L"slice " << i << L"\n"; });
    return file.count_of("begin") == 1 && file.count_of("slice") == 20 ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

// A full disk: nothing is written, and no process tries for ever.
TEST(inherited_text, that_cannot_be_written_holds_nobody_up) {
  const auto ended = in_child([] {
    alarm(hang_seconds);
    std::vector<FILE*> full;
    for (int i = 0; i != 40; ++i) full.push_back(std::fopen("/dev/full", "w"));
    for (FILE* each : full) std::fputs("begin", each);
    process_pool pool{2};
    return pool.map(indices(10), [](std::size_t i) { return i; }).size() == 10 ? 0 : 1;
  });
  EXPECT_TRUE(ended.exited_with(0)) << ended.status;
}

}  // namespace
