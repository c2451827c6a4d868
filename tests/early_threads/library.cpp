// A library that starts a thread when it is loaded, before main begins, and prepares for forks, as numerical libraries do.
#include <pthread.h>
#include <unistd.h>

namespace {

int forks = 0;

void* wait_for_work(void* /*nothing*/) {
  for (;;) pause();
}

[[gnu::constructor]] void start() {
  pthread_t thread{};
  pthread_create(&thread, nullptr, wait_for_work, nullptr);
  pthread_atfork(nullptr, nullptr, [] { ++forks; });
}

}  // namespace

// How often fork handlers have run in this process and those it descends from.
[[gnu::visibility("default")]] int forks_seen();
int forks_seen() { return forks; }
