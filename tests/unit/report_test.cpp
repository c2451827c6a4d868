// The report as text: baselines, because people read it.
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
  return what;
}

TEST(ReportText, SaysWhoDidWhatAndWhatWasCopied) {
  EXPECT_EQ(sample().text(),
            "4 slices in 2 chunks by 2 workers (process), 1.5 ms\ncopied in 60 B, copied out 1.2 MB\n");
}

TEST(ReportText, NamesDeathsOnlyWhenThereWereSome) {
  forkful::report what = sample();
  what.deaths = 1;
  what.retries = 2;
  EXPECT_EQ(what.text(),
            "4 slices in 2 chunks by 2 workers (process), 1.5 ms\ncopied in 60 B, copied out 1.2 MB\n"
            "1 worker died, 2 chunks handed out again\n");
}

TEST(ReportText, PicksReadableUnits) {
  forkful::report what = sample();
  what.slices = what.chunks = what.workers = 1;
  what.wall = std::chrono::nanoseconds(999);
  what.bytes_in = 999'960'000;
  what.bytes_out = 999;
  EXPECT_EQ(what.text(), "1 slice in 1 chunk by 1 worker (process), 999 ns\ncopied in 1.0 GB, copied out 999 B\n");
}

TEST(ReportText, StaysWithinEightyColumns) {
  forkful::report what = sample();
  what.way = "snapshot";
  what.slices = what.chunks = 4'000'000'000;
  what.workers = 1000;
  what.bytes_in = what.bytes_out = std::size_t{1} << 50;
  what.deaths = what.retries = 1'000'000;
  what.wall = std::chrono::hours(100);
  const std::string text = what.text();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 80u) << text.substr(at, end - at);
    at = end + 1;
  }
}

}  // namespace
