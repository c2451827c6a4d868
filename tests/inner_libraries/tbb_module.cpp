// Uses oneTBB, and reports how many threads it may use and how many it did.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

extern "C" {

int tbb_allowed() {
  return static_cast<int>(tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism));
}

int tbb_used() {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<int> finished{0};
  tbb::parallel_for(0, 1000, [&](int) {
    const std::lock_guard one(mutex);
    threads.insert(std::this_thread::get_id());
    ++finished;
  });
  return finished == 1000 ? static_cast<int>(threads.size()) : -1;
}
}
