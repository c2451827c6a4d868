// forkful::init in a program whose library has started a thread before main: works, and says so. Threads of the program's own are refused.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <string>
#include <thread>

int forks_seen();

namespace {

int failures = 0;

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("not so: %s\n", what);
  ++failures;
}

bool warns(const forkful::report& happened, const char* of) {
  return std::any_of(happened.warnings.begin(), happened.warnings.end(),
                     [of](const std::string& warning) { return warning.find(of) != std::string::npos; });
}

// 3: init was refused.
int init_beside_a_thread_of_the_programs(int argc, char** argv) {
  std::jthread busy([](const std::stop_token& until) {
    while (!until.stop_requested()) std::this_thread::yield();
  });
  try {
    forkful::init(argc, argv);
    return 0;
  } catch (const forkful::start_failed&) {
    return 3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const pid_t child = fork();
  if (child == 0) {
    // The library's thread is not in this process, so there is one at most; with another thread it is one too many
    // again.
    std::thread extra([] { pause(); });
    extra.detach();
    _exit(init_beside_a_thread_of_the_programs(argc, argv));
  }
  int status = 0;
  waitpid(child, &status, 0);
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 3, "threads of the program are refused");

  forkful::init(argc, argv);
  forkful::process_pool pool{2};
  const auto squares = pool.map({1, 2, 3}, [](int slice) { return slice * slice; });
  expect(squares == std::vector<int>{1, 4, 9}, "results are right");
  expect(warns(pool.report(), "before main"), "the report says that a library had started threads");
  expect(!warns(pool.report(), "forked from the caller"), "workers come from the template");
  expect(pool.map({0}, [](int) { return forks_seen(); })[0] > 0, "fork handlers of the library have run for workers");

  // What init is for: the program may have any threads by now.
  std::jthread busy([](const std::stop_token& until) {
    while (!until.stop_requested()) std::this_thread::yield();
  });
  auto outcomes = pool.try_map({1, 2, 3}, [](int slice) {
    if (slice == 2) _exit(1);
    return slice;
  });
  expect(outcomes[0] && !outcomes[1] && outcomes[2], "a worker that ends is replaced from the template");
  expect(!warns(pool.report(), "when workers were forked"), "and not from the caller with its threads");
  return failures == 0 ? 0 : 1;
}
