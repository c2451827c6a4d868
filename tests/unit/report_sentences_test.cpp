// What is said about a call, on reports as real programs gave them: each sentence where it is true, and no two that
// advise opposite things. Each row is such a program, with the sentences that it must and must not get.
#include "report/remarks.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

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
    row.slices = slices / computed.size();
    row.chunks = chunks / computed.size();
    r.per_worker.push_back(row);
  }
  r.per_worker[0].slices += slices % computed.size();
  r.per_worker[0].chunks += chunks % computed.size();
  return r;
}

void spend(report& r, nanoseconds time_split::* part, nanoseconds time) {
  r.caller.*part += time;
  r.caller.idle -= time;
}

struct row {
  const char* program;
  std::function<report()> made;
  std::vector<const char*> says;
  std::vector<const char*> is_silent_about;
  unsigned cpus = 8;
};

const std::vector<row>& programs() {
  static const std::vector<row> all{
      {"a submitted call that waited in the queue",
       [] {
         report r = call_of("submit", 1, 1, milliseconds(2780), {milliseconds(61), nanoseconds(0)});
         r.queued = milliseconds(2700);
         return r;
       },
       {"next: use more workers: it waited 2.70 s until a worker was free, and computed 61.0 ms"},
       {"more slices", "a loop would", "serial_pool", "smaller chunks"}},
      {"the same where there are no more cores",
       [] {
         report r = call_of("submit", 1, 1, milliseconds(2780), {milliseconds(61), nanoseconds(0)});
         r.queued = milliseconds(2700);
         return r;
       },
       {"next: nothing to mend: it waited 2.70 s until a worker was free, and computed 61.0 ms then"},
       {"more slices", "a loop would", "serial_pool", "use more workers"},
       2},
      {"a submitted call that nobody asked for a while",
       [] {
         report r = call_of("submit", 1, 1, milliseconds(900), {milliseconds(20), nanoseconds(0)});
         r.away = milliseconds(870);
         return r;
       },
       {"next: nothing to mend: it computed 20.0 ms"},
       {"more slices", "a loop would", "waited"}},
      {"a submitted call that crashed",
       [] {
         report r = call_of("submit", 1, 1, milliseconds(9), {milliseconds(1), nanoseconds(0)});
         r.per_worker[0].slices = 0;
         r.deaths = 1;
         return r;
       },
       {"1 worker died\n", "next: find out why workers died: what the future throws says it"},
       {"handed out", "once more", "slices", "try_map"}},
      {"a slice that hung until its timeout",
       [] {
         report r = call_of("try_map", 4, 4, milliseconds(301), {milliseconds(300), microseconds(30)});
         r.slowest = {{1, 1, 0, milliseconds(300)}};
         r.deaths = r.retries = 1;
         r.per_worker[0].slices = 0;
         return r;
       },
       {"1 worker died, and 1 chunk was handed out again\n", "the outcomes that failed say it"},
       {"a loop would", "smaller", "larger", "try_map", "once more"}},
      {"an update in which a worker died",
       [] {
         report r = call_of("update", 100, 10, milliseconds(20), {milliseconds(18), milliseconds(18)});
         r.deaths = 1;
         return r;
       },
       {"next: find out why workers died: try_update names the slices"},
       {"handed out"}},
      {"workers that could not be started",
       [] {
         report r =
             call_of("map", 100, 32, milliseconds(10), {milliseconds(9), milliseconds(9), {}, {}, {}, {}, {}, {}});
         for (std::size_t i = 2; i < 8; ++i) r.per_worker[i].missing = true;
         r.warnings = {"6 of 8 workers could not be started: fork failed"};
         return r;
       },
       {"6 of 8 workers could not be started", "next: make room for the 6 workers that could not be started"},
       {"starting workers", "chunks for", "waited", "later calls"}},
      {"long slices on a busy machine",
       [] {
         report r = call_of("map", 2000, 200, milliseconds(10), {milliseconds(9), milliseconds(5)});
         r.slowest = {{1844, 1, 0, microseconds(5100), microseconds(4900)}};
         r.per_worker[0].off_core = microseconds(4900);
         return r;
       },
       {"workers had to wait for a core for 35 % of the time that counts as computing",
        "next: measure again when the machine is quiet"},
       {"slice 1844", "smaller", "differ"}},
      {"more workers than cores",
       [] {
         report r = call_of("map", 400, 40, milliseconds(10),
                            {milliseconds(10), milliseconds(10), milliseconds(10), milliseconds(10)});
         for (worker_row& one : r.per_worker) one.off_core = milliseconds(5);
         return r;
       },
       {"other workers, the caller or other programs had it", "next: use no more workers than there are cores (2)"},
       {"smaller", "larger"},
       2},
      {"short slices and a worker that woke late",  // larger and smaller chunks, in one report
       [] {
         report r = call_of("map", 20'000, 20'000, milliseconds(10), {milliseconds(6), milliseconds(2)});
         r.slowest = {{100, 1, 0, microseconds(30)}};
         return r;
       },
       {"hand out larger chunks"},
       {"smaller chunks", "differ"}},
      {"long slices first, in large chunks",
       [] {
         report r = call_of("map", 1000, 8, milliseconds(100), {milliseconds(100), milliseconds(30)});
         r.per_worker[0].chunks = 1;
         r.per_worker[0].slices = 125;
         r.per_worker[1].chunks = 7;
         r.per_worker[1].slices = 875;
         r.slowest = {{0, 1, 0, milliseconds(1)}};
         return r;
       },
       {"one worker computed 1.5 times the mean while others waited: slices differ in length; hand out smaller chunks",
        "next: hand out smaller chunks: pool.with({.chunk = 1})"},
       {"larger chunks"}},
      {"chunks of one long slice each",
       [] {
         report r = call_of("map", 6, 6, milliseconds(100), {milliseconds(100), milliseconds(40)});
         r.slowest = {{3, 1, 0, milliseconds(40)}};
         return r;
       },
       {"slices differ in length; put the long ones first", "next: cut the long slices smaller, or put them first"},
       {"chunk = ", "smaller chunks"}},
      {"one giant that everybody begins with",
       [] {
         report r = call_of("map", 100, 100, milliseconds(100), {milliseconds(100), milliseconds(20)});
         r.slowest = {{0, 1, 0, milliseconds(95)}};
         return r;
       },
       {"slice 0 alone took 95.0 ms", "next: cut slice 0 smaller"},
       {"put it first"}},
      {"an imap whose results are used slowly",
       [] {
         report r = call_of("imap", 100, 100, milliseconds(500), {milliseconds(20), milliseconds(20)});
         r.away = milliseconds(450);
         spend(r, &time_split::pass_in, milliseconds(30));  // of the 50 ms in between
         return r;
       },
       {"next: nothing to mend here: nobody asked for results 90 % of the time"},
       {"larger chunks", "more slices", "the caller spent"}},
      {"an imap whose input is read slowly",
       [] {
         report r = call_of("imap", 100, 100, milliseconds(500), {milliseconds(300), milliseconds(300)});
         r.bytes_in = 80'000'000;
         spend(r, &time_split::pass_in, milliseconds(480));
         return r;
       },
       {"the caller spent 96 % of the time reading and encoding its input"},
       {"copying took longer"}},
      {"results that the caller decodes longer than workers compute",
       [] {
         report r = call_of("map", 1000, 40, milliseconds(100), {milliseconds(95), milliseconds(95)});
         spend(r, &time_split::reassemble, milliseconds(56));
         return r;
       },
       {"the caller spent 56 % of the time taking back results, which it does alone", "next: return less"},
       {"nothing to mend", "nothing stands out"}},
      {"a reduce that takes the time",
       [] {
         report r = call_of("transform_reduce", 1000, 40, milliseconds(100), {milliseconds(40), milliseconds(40)});
         r.bytes_out = 9'000'000;
         spend(r, &time_split::reassemble, milliseconds(90));
         return r;
       },
       {"the caller spent 90 % of the time reducing results of blocks", "let transform do more"},
       {"copying took longer", "map_into"}},
      {"two threads with a call each",
       [] {
         report r = call_of("map", 1000, 100, milliseconds(20), {milliseconds(5), milliseconds(5)});
         r.beside_others = true;
         return r;
       },
       {"next: nothing stands out: workers ran slices of other calls too"},
       {"a loop would", "larger chunks", "waited"}},
      {"a call that a slice's exception ended",
       [] {
         report r = call_of("map", 1000, 1, milliseconds(20), {milliseconds(2), nanoseconds(0)});
         r.per_worker[0].slices = 3;
         r.per_worker[1].slices = 0;
         return r;
       },
       {"next: not all slices were run"},
       {"more slices", "a loop would", "smaller chunks"}},
      {"the first call of a pool, which starts its workers",
       [] {
         report r = call_of("map", 100, 20, milliseconds(3), {milliseconds(1), milliseconds(1)});
         spend(r, &time_split::start, microseconds(1500));
         for (worker_row& one : r.per_worker) {
           one.time.start = microseconds(1800);
           one.time.idle -= microseconds(1800);
         }
         return r;
       },
       {"starting workers took 60 % of their time", "next: call again before you judge"},
       {"a loop would", "serial_pool"}},
      {"a large broadcast argument in a long call",
       [] {
         report r =
             call_of("map", 1000, 100, std::chrono::minutes(10), {std::chrono::minutes(10), std::chrono::minutes(10)});
         r.bytes_in = r.bytes_broadcast = 2'000'000;
         return r;
       },
       {"next: nothing to mend"},
       {"broadcast"}},
      {"a loop on one core",
       [] {
         report r = call_of("map", 1000, 1, milliseconds(10), {milliseconds(10)});
         r.way = "serial";
         return r;
       },
       {"next: nothing to mend: there is one core to use"},
       {"try a process_pool"},
       1},
  };
  return all;
}

std::string said(const row& one) {
  report r = one.made();
  detail::advise_on(r, one.cpus);
  std::string all;
  for (const std::string& warning : r.warnings) all += warning + "\n";
  return all + "next: " + r.advice;
}

bool has(const std::string& text, const char* what) { return text.find(what) != std::string::npos; }

TEST(report_sentences, fit_the_program) {
  for (const row& one : programs()) {
    const std::string all = said(one);
    for (const char* what : one.says)
      EXPECT_TRUE(has(all, what)) << one.program << " should say: " << what << "\n" << all;
    for (const char* what : one.is_silent_about)
      EXPECT_FALSE(has(all, what)) << one.program << " should not say: " << what << "\n" << all;
  }
}

TEST(report_sentences, never_advise_opposite_things) {
  // Whatever the figures are.
  for (const std::size_t chunks : {1U, 2U, 4U, 8U, 40U, 400U, 4000U}) {
    for (const std::size_t slices_a_chunk : {1U, 3U, 100U}) {
      for (const int first : {1, 10, 40, 90, 99}) {
        for (const int second : {0, 1, 10, 40, 99}) {
          for (const nanoseconds wall :
               {nanoseconds(microseconds(50)), nanoseconds(milliseconds(2)), nanoseconds(milliseconds(400))}) {
            report r = call_of("map", chunks * slices_a_chunk, chunks, wall, {wall * first / 100, wall * second / 100});
            r.slowest = {{0, 1, 0, wall * first / 300}};
            detail::advise_on(r, 2);
            std::string all = r.advice;
            for (const std::string& warning : r.warnings) all += "\n" + warning;
            EXPECT_FALSE(has(all, "larger chunks") && has(all, "smaller")) << all;
            EXPECT_FALSE(has(all, "larger chunks") && has(all, "more slices")) << all;
            EXPECT_FALSE(has(all, "nothing to mend") && !r.warnings.empty()) << all;
          }
        }
      }
    }
  }
}

TEST(report_text, names_what_is_missing_and_what_was_waited_for) {
  report r = call_of("submit", 1, 1, milliseconds(100), {milliseconds(10), nanoseconds(0)});
  r.queued = milliseconds(50);
  r.away = milliseconds(30);
  r.per_worker[1].missing = true;
  const std::string text = r.text();
  EXPECT_TRUE(has(text, "\nworker 1    could not be started\n")) << text;
  EXPECT_TRUE(has(text, "\nqueued: 50.0 ms until a worker began\n")) << text;
  EXPECT_TRUE(has(text, "\naway: 30.0 ms while nobody asked for results\n")) << text;
  r.queued = r.away = microseconds(900);
  EXPECT_FALSE(has(r.text(), "queued")) << r.text();
  EXPECT_FALSE(has(r.text(), "away")) << r.text();
}

}  // namespace
