// What is said about all calls of a pool together: what one call could not know, and nothing that only holds for one.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "report/document.hpp"

namespace {

using namespace forkful;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

report call_of(const char* verb, std::size_t slices, std::size_t chunks, nanoseconds wall,
               std::initializer_list<nanoseconds> computed) {
  report r;
  r.way = "process";
  r.verb = verb;
  r.slices = slices;
  r.chunks = chunks;
  r.wall = wall;
  r.caller.idle = wall;
  for (const nanoseconds one : computed) {
    worker_row row;
    row.worker = r.workers++;
    row.time.compute = one;
    row.time.idle = wall - one;
    r.per_worker.push_back(row);
  }
  r.per_worker[0].slices = slices;
  r.per_worker[0].chunks = chunks;
  return r;
}

using calls = std::vector<report>;

// The same call again and again, each after the one before it.
calls repeated(const report& one, std::size_t times) {
  calls all(times, one);
  for (std::size_t at = 0; at < times; ++at) {
    all[at].call = at + 1;
    all[at].began = one.wall * static_cast<std::int64_t>(at);
  }
  return all;
}

// Submitted at once, run in their order, asked for in it too: each ends when two workers have run those before it and itself.
calls submitted(std::size_t times, nanoseconds length) {
  calls all;
  for (std::size_t at = 0; at < times; ++at) {
    const nanoseconds before = length * static_cast<std::int64_t>(at / 2);
    report one = call_of("submit", 1, 1, before + length, {nanoseconds(0), nanoseconds(0)});
    one.call = at + 1;
    one.queued = before;
    one.away = before;  // waiting for the others
    one.beside_others = true;
    worker_row& row = one.per_worker[at % 2];
    row.time = {.compute = length, .idle = before};
    std::swap(row.slices, one.per_worker[0].slices);
    one.slowest = {{0, 1, row.worker, length}};
    all.push_back(one);
  }
  return all;
}

struct row {
  const char* program;
  std::function<calls()> made;
  std::vector<const char*> says;
  std::vector<const char*> is_silent_about;
  unsigned cpus = 2;
};

const std::vector<row>& programs() {
  static const std::vector<row> all{
      {"submitted at once, on as many workers as there are cores",
       [] { return submitted(112, milliseconds(25)); },
       {"next: nothing to mend: 2 workers computed 100 % of the time"},
       {"more slices", "a loop would", "more workers", "of other calls", "nobody asked"}},
      {"submitted at once, on fewer",
       [] { return submitted(112, milliseconds(25)); },
       {"next: use more workers: a call waited 687.5 ms until one was free, and computed 25.0 ms"},
       {"more slices", "nothing to mend"},
       8},
      {"submitted one after another",
       [] { return repeated(call_of("submit", 1, 1, milliseconds(10), {milliseconds(9), nanoseconds(0)}), 50); },
       {"submitted one at a time",
        "next: submit several calls before you ask for the first result; or use a serial_pool"},
       {"more slices", "chunk"}},
      {"submitted so that the caller can do something else meanwhile",
       [] {
         report one = call_of("submit", 1, 1, milliseconds(10), {milliseconds(9), nanoseconds(0)});
         one.away = milliseconds(9);
         one.caller.pass_in = microseconds(900);
         one.caller.idle -= one.caller.pass_in;
         return repeated(one, 50);
       },
       {"next: nothing to mend here: nobody asked for results 90 % of the time"},
       {"one at a time", "a loop would", "the caller spent"}},
      {"submitted at once, and one takes as long as all others",
       [] {
         calls made = submitted(20, milliseconds(10));
         report& last = made.back();
         last.wall += milliseconds(200);
         last.per_worker[1].time.compute += milliseconds(200);
         last.slowest[0].time += milliseconds(200);
         return made;
       },
       {"call 20 alone took 210.0 ms, 70 % of what its worker computed",
        "next: submit call 20 first, or cut it in several"},
       {"slice 0", "one at a time"}},
      {"submitted calls too short to be worth it",
       [] {
         calls made = submitted(1000, microseconds(2));
         for (report& one : made) {
           one.wall *= 10;
           one.away = one.queued = nanoseconds(0);
         }
         return made;
       },
       {"1000 calls took 10.0 ms, and a loop would have taken about 2.0 ms"},
       {"more slices"}},
      {"a loop of calls that the caller takes back slowly",
       [] {
         report one = call_of("map", 1000, 40, milliseconds(10), {milliseconds(8), milliseconds(8)});
         one.caller.reassemble = milliseconds(6);
         one.caller.idle -= milliseconds(6);
         return repeated(one, 100);
       },
       {"the caller spent 60 % of the time taking back results"},
       {"nothing to mend", "nothing stands out"}},
      {"a hundred calls of which one lost a worker",
       [] {
         calls made = repeated(call_of("map", 400, 400, milliseconds(4), {milliseconds(2), milliseconds(2)}), 100);
         made[3].deaths = 1;
         return made;
       },
       {"1 worker died", "hand out larger chunks", "next: "},
       {"smaller"}},
      {"a hundred calls of which one was stopped",
       [] {
         calls made = repeated(call_of("map", 400, 400, milliseconds(4), {milliseconds(2), milliseconds(2)}), 100);
         made[3].per_worker[0].slices = 7;
         return made;
       },
       {"next: hand out larger chunks"},
       {"not all slices"}},
      {"calls that were all stopped",
       [] {
         calls made = repeated(call_of("map", 400, 400, milliseconds(4), {milliseconds(2), milliseconds(2)}), 100);
         for (report& one : made) one.per_worker[0].slices = 7;
         return made;
       },
       {"next: not all slices were run: figures of calls that were stopped say little"},
       {"chunks"}},
      {"workers that died in calls of several verbs",
       [] {
         calls made = repeated(call_of("map", 20, 4, milliseconds(4), {milliseconds(4), milliseconds(4)}), 2);
         made[1].verb = "submit";
         made[0].deaths = made[1].deaths = 1;
         return made;
       },
       {"next: find out why workers died: what the calls threw, and the outcomes that failed, say it"},
       {"try_map"}},
      {"small calls of a loop on a serial_pool",
       [] {
         calls made = repeated(call_of("map", 100, 1, microseconds(50), {microseconds(50)}), 1000);
         for (report& one : made) one.way = "serial";
         return made;
       },
       {"next: nothing to mend: too little work to share"},
       {"try a process_pool"}},
      {"calls of two threads, each cut in few slices",
       [] {
         calls made = repeated(call_of("map", 1, 1, milliseconds(10), {milliseconds(5), nanoseconds(0)}), 20);
         for (report& one : made) one.beside_others = true;
         return made;
       },
       {"next: "},
       {"more slices", "of other calls"}},
      {"a large broadcast argument in every call",
       [] {
         report one = call_of("map", 20, 8, milliseconds(10), {milliseconds(9), milliseconds(9)});
         one.bytes_in = one.bytes_broadcast = 2'000'000;
         return repeated(one, 30);
       },
       {"broadcast arguments of 2.0 MB a call were encoded"},
       {"60.0 MB"}},
  };
  return all;
}

bool has(const std::string& text, const char* what) { return text.find(what) != std::string::npos; }

TEST(sentences_of_a_total, fit_the_program) {
  for (const row& one : programs()) {
    const report total = detail::totals_of(one.made(), one.cpus).front();
    std::string all;
    for (const std::string& warning : total.warnings) all += warning + "\n";
    all += "next: " + total.advice;
    for (const char* what : one.says)
      EXPECT_TRUE(has(all, what)) << one.program << " should say: " << what << "\n" << all;
    for (const char* what : one.is_silent_about)
      EXPECT_FALSE(has(all, what)) << one.program << " should not say: " << what << "\n" << all;
  }
}

TEST(sentences_of_a_total, name_the_call_of_the_slice_to_cut) {
  calls made = repeated(call_of("map", 20, 20, milliseconds(4), {milliseconds(2), milliseconds(2)}), 2);
  made[1].wall = milliseconds(40);
  made[1].per_worker[0].time = {.compute = milliseconds(40)};
  made[1].per_worker[1].time.idle = milliseconds(38);
  made[1].slowest = {{12, 1, 0, milliseconds(38)}};
  EXPECT_EQ(detail::totals_of(made, 2).front().advice, "cut slice 12 of call 2 smaller, or put it first");
}

TEST(a_total_as_text, says_how_long_one_call_was_queued) {
  const std::string text = detail::totals_of(submitted(112, milliseconds(25)), 2).front().text();
  EXPECT_TRUE(has(text, "\nqueued: 687.5 ms a call until a worker began\n")) << text;
  EXPECT_TRUE(has(text, "\nslowest: call 1, 25.0 ms\n")) << text;
  EXPECT_FALSE(has(text, "away")) << text;
}

}  // namespace
