// S1: map of 4 short strings on a warm pool of 2, back to back, beside Python's Pool, oneTBB and OpenMP.
// S2: the same after 1 ms without calls, in which the workers have fallen asleep, beside one futex round trip between two processes:
//     what this machine charges for waking another process and being woken by it. Left to itself the system may leave
//     both on one core, where nothing can run side by side; so the same, too, with each on a core of its own. The
//     caller either sleeps meanwhile (all cores are idle), or computes.
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <forkful/forkful.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "side_by_side/contest.hpp"
#include "side_by_side/cores.hpp"

namespace {

using namespace forkful_bench;

using strings = std::vector<std::string>;

std::string finished(const std::string& slice) { return slice + "_eaten"; }

std::string digest(const strings& all) {
  std::string text;
  for (const std::string& each : all) text += each + "/";
  return text;
}

// Another process that answers. Words in shared memory; both sides sleep in the kernel until the other has written.
class ping_pong {
 public:
  explicit ping_pong(bool apart) : words_(static_cast<words*>(map())), apart_(apart) {
    child_ = fork();
    if (child_ == 0) {
      if (apart) stay_on(1);
      for (std::uint32_t turn = 1;; ++turn) {
        wait(words_->ping, turn);
        if (words_->over.load()) _exit(0);
        say(words_->pong, turn);
      }
    }
  }
  ~ping_pong() {
    words_->over.store(1);
    say(words_->ping, ++turn_);
    waitpid(child_, nullptr, 0);
    munmap(words_, sizeof(words));
  }
  ping_pong(const ping_pong&) = delete;
  ping_pong& operator=(const ping_pong&) = delete;
  /// A turn of round trips; `before` each.
  template <class Before>
  measured turn(int trips, Before before) {
    cpu_set_t everywhere;
    sched_getaffinity(0, sizeof(everywhere), &everywhere);
    if (apart_) stay_on(0);
    measured taken;
    for (int i = -20; i < trips; ++i) {
      before();
      const double took = seconds([&] { round_trip(); });
      if (i >= 0) taken.values.push_back(took);
    }
    sched_setaffinity(0, sizeof(everywhere), &everywhere);
    return taken;
  }

 private:
  void round_trip() {
    ++turn_;
    say(words_->ping, turn_);
    wait(words_->pong, turn_);
  }
  struct words {
    alignas(64) std::atomic<std::uint32_t> ping;
    alignas(64) std::atomic<std::uint32_t> pong;
    alignas(64) std::atomic<std::uint32_t> over;
  };
  static void* map() {
    void* at = mmap(nullptr, sizeof(words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::abort();
    return at;
  }
  static void say(std::atomic<std::uint32_t>& word, std::uint32_t turn) {
    word.store(turn);
    syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  }
  static void wait(std::atomic<std::uint32_t>& word, std::uint32_t turn) {
    for (std::uint32_t seen = word.load(); seen != turn; seen = word.load())
      syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
  words* words_;
  bool apart_;
  pid_t child_ = -1;
  std::uint32_t turn_ = 0;
};

void compute_for_a_millisecond() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < until) {
  }
}
void sleep_for_a_millisecond() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

// One turn: a few calls to get going, then each call timed; `before` is not.
template <class Before, class Call>
measured many(int calls, Before before, Call call) {
  measured taken;
  for (int i = -20; i < calls; ++i) {
    before();
    strings result;
    const double took = seconds([&] { result = call(); });
    if (i >= 0) taken.values.push_back(took);
    if (i == 0) taken.check = digest(result);
  }
  return taken;
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "short_calls");
  const strings texts = {"slice_0", "slice_1", "slice_2", "slice_3"};
  // Processes first: threads of the peers do not survive a fork.
  forkful::process_pool pool{2};
  ping_pong other(false);
  ping_pong elsewhere(true);
  tbb::task_arena arena(2);

  const auto ours = [&] { return pool.map(texts, finished); };
  const auto onetbb = [&] {
    strings result(texts.size());
    arena.execute([&] {
      tbb::parallel_for(std::size_t{0}, texts.size(), [&](std::size_t i) { result[i] = finished(texts[i]); });
    });
    return result;
  };
  const auto openmp = [&] {
    strings result(texts.size());
#pragma omp parallel for num_threads(2) schedule(static)
    for (std::size_t i = 0; i < texts.size(); ++i) result[i] = finished(texts[i]);
    return result;
  };
  const auto loop = [&] {
    strings result;
    result.reserve(texts.size());
    for (const std::string& each : texts) result.push_back(finished(each));
    return result;
  };

  if (sheet.wanted("S1")) {
    const auto at_once = [] {};
    contest(sheet, "S1", "map of 4 short strings, warm pool of 2, back to back")
        .tails()
        .ours("process_pool", [&] { return many(10'000, at_once, ours); })
        .peer("Python Pool(2).map", std::make_unique<peer_process>(python("short_calls.py")))
        .peer("oneTBB parallel_for", [&] { return many(10'000, at_once, onetbb); })
        .peer("OpenMP parallel for", [&] { return many(10'000, at_once, openmp); })
        .peer("loop, no parallelism", [&] { return many(10'000, at_once, loop); })
        .peer("a cache line to the other core and back", line_round_trips)
        .goal(at_most(3e-6, "at most 3 us"))
        .goal(times_faster_than("Python Pool(2).map", 100))
        .run({.rounds = 25});
  }
  const auto after = [&](const char* title, auto idle) {
    contest(sheet, "S2", title)
        .tails()
        .ours("process_pool", [&] { return many(200, idle, ours); })
        .peer("futex round trip", [&] { return other.turn(200, idle); })
        .peer("futex round trip, two cores", [&] { return elsewhere.turn(200, idle); })
        .peer("oneTBB parallel_for", [&] { return many(200, idle, onetbb); })
        .peer("OpenMP parallel for", [&] { return many(200, idle, openmp); })
        .goal(at_most_times("futex round trip", 1.3))
        .goal(at_most_times("futex round trip, two cores", 1.3))
        .run({.rounds = 12});
  };
  if (sheet.wanted("S2")) {
    after("map of 4 short strings after 1 ms of sleep", sleep_for_a_millisecond);
    after("map of 4 short strings after 1 ms in which the caller computed", compute_for_a_millisecond);
  }
  return sheet.finish();
}
