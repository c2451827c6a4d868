// The report as text: baselines, because users read it.
#include <gtest/gtest.h>
#include <forkful/report.hpp>

namespace {

forkful::report sample() {
  forkful::report what;
  what.way = "process";
  what.slices = 4;
  what.chunks = 2;
  what.workers = 2;
  what.wall = std::chrono::microseconds(1500);
  what.bytes_in = 60;
  what.bytes_out = 1'234'567;
  what.bytes_shared = 80'000'000;
  what.verb = "map";
  using std::chrono::microseconds;
  what.caller.pass_in = microseconds(300);
  what.caller.idle = microseconds(950);
  what.caller.reassemble = microseconds(250);
  what.per_worker.resize(2);
  what.per_worker[0].time.compute = microseconds(1130);
  what.per_worker[0].time.pass_in = microseconds(345);
  what.per_worker[0].time.idle = microseconds(25);
  what.per_worker[1].worker = 1;
  what.per_worker[1].time.start = microseconds(500);
  what.per_worker[1].time.idle = microseconds(1000);
  what.slowest = {{3, 1, 0, microseconds(700)}};
  what.peak_memory = 12'300'000;
  what.page_faults = 1;
  what.advice = "cut slice 3 smaller, or put it first";
  return what;
}

TEST(report_text, says_who_did_what_and_what_was_copied) {
  EXPECT_EQ(sample().text(),
            "map: 4 slices in 2 chunks by 2 workers (process), 1.5 ms\n"
            "worker 0    #######################=======  computing 75 %, passing 23 %\n"
            "worker 1    ++++++++++....................  waiting 67 %, starting 33 %\n"
            "caller      ======...................=====  waiting 63 %, passing in 20 %\n"
            "copied in 60 B, copied out 1.2 MB, in shared memory 80.0 MB\n"
            "slowest: slice 3, 700.0 us\n"
            "memory: 12.3 MB at most, 1 page fault\n"
            "next: cut slice 3 smaller, or put it first\n");
}

TEST(report_text, says_little_of_little) {
  forkful::report what;
  what.way = "serial";
  what.verb = "for_each";
  EXPECT_EQ(what.text(), "for_each: 0 slices in 0 chunks by 0 workers (serial), 0 ns\ncopied in 0 B, copied out 0 B\n");
}

TEST(report_text, names_deaths_only_when_there_were_some) {
  forkful::report what = sample();
  EXPECT_EQ(what.text().find("died"), std::string::npos);
  what.deaths = 1;
  what.retries = 2;
  EXPECT_NE(what.text().find("\n1 worker died, 2 chunks handed out again\n"), std::string::npos) << what.text();
}

TEST(report_text, picks_readable_units) {
  forkful::report what = sample();
  what.bytes_in = 999'960'000;
  what.bytes_out = 999;
  what.bytes_shared = 0;
  EXPECT_NE(what.text().find("\ncopied in 1.0 GB, copied out 999 B\n"), std::string::npos) << what.text();
}

TEST(report_text, breaks_long_sentences) {
  forkful::report what = sample();
  what.warnings = {
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"};
  EXPECT_NE(what.text().find("\nnote: one two three four five six seven eight nine ten eleven twelve thirteen\n"
                             "      fourteen fifteen sixteen seventeen\nnext: "),
            std::string::npos)
      << what.text();
}

TEST(report_text, sums_up_many_workers) {
  forkful::report what = sample();
  what.workers = 100;
  what.per_worker.assign(100, what.per_worker[0]);
  const std::string text = what.text();
  EXPECT_NE(text.find("\n100 workers #######################=======  computing 75 %, passing 23 %\ncaller "),
            std::string::npos)
      << text;
}

TEST(report_text, stays_within_eighty_columns) {
  forkful::report what = sample();
  what.way = "snapshot";
  what.slices = what.chunks = 4'000'000'000;
  what.workers = 1000;
  what.bytes_in = what.bytes_out = std::size_t{1} << 50;
  what.deaths = what.retries = 1'000'000;
  what.wall = std::chrono::hours(100);
  what.verb = "transform_reduce";
  what.bytes_shared = std::size_t{1} << 50;
  what.slowest = {{4'000'000'000, 256, 0, std::chrono::hours(100)}};
  what.peak_memory = what.bytes_copied_on_write = std::size_t{1} << 50;
  what.page_faults = 4'000'000'000;
  what.advice = std::string(70, 'x') + " " + std::string(20, 'x');
  const std::string text = what.text();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 80u) << text.substr(at, end - at);
    at = end + 1;
  }
}

}  // namespace
