// The progress bar: its text by value, and what it writes to a terminal, which here is a pseudo terminal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <forkful/progress.hpp>
#include <forkful/serial_pool.hpp>
#include <forkful/slices.hpp>
#include <ranges>
#include <sstream>

#include "os/fd.hpp"
#include "report/progress_text.hpp"

namespace {

using forkful::progress;
using forkful::progress_bar;
using forkful::detail::progress_text;
using forkful::detail::smoothed_rate;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(progress_text, says_how_far_how_fast_how_long_and_how_many_are_busy) {
  EXPECT_EQ(progress_text("hashes", {470, 1000, seconds(2), 2}, 212, 79, false),
            "hashes [#############                ]  47 %  470/1000, 212/s, 3 s left, 2 busy");
  EXPECT_EQ(progress_text("hashes", {0, 4, seconds(0), 1}, 0, 79, false),
            "hashes [                                        ]   0 % 0/4, 1 busy");
  EXPECT_EQ(progress_text("hashes", {1000, 1000, milliseconds(4'250), 0}, 9, 79, true),
            "hashes [########################################] 1000 slices in 4.2 s, 235/s");
  EXPECT_EQ(progress_text("hashes", {1, 1, seconds(1), 0}, 1, 79, true),
            "hashes [########################################] 1 slice in 1.0 s, 1.0/s");
}

TEST(progress_text, does_not_say_hundred_percent_before_it_is_true) {
  EXPECT_EQ(progress_text("x", {999'999, 1'000'000, seconds(75), 2}, 13'333, 79, false),
            "x [######################## ]  99 %  999999/1000000, 13.3 k/s, 1 s left, 2 busy");
}

TEST(progress_text, knows_no_end_of_an_unsized_input) {
  EXPECT_EQ(progress_text("reading", {4'100, 0, milliseconds(1'500), 3}, 2'733, 79, false),
            "reading 4100 slices, 2.7 k/s, 1.5 s, 3 busy");
}

TEST(progress_text, counts_minutes_and_hours) {
  EXPECT_EQ(progress_text("x", {1, 101, seconds(10), 1}, 0.5, 40, false), "x   0 %   1/101, 0.5/s, 3 min 20 s left,");
  EXPECT_EQ(progress_text("x", {1, 101, seconds(10), 1}, 0.01, 60, false),
            "x [         ]   0 %   1/101, 0.01/s, 2 h 46 min left, 1 busy");
  EXPECT_EQ(progress_text("x", {5'000'000'000, 0, seconds(7'322), 1}, 2.5e9, 60, false),
            "x 5000000000 slices, 2.5 G/s, 2 h 02 min, 1 busy");
}

TEST(progress_text, stays_within_its_columns_whatever_the_label) {
  const progress half{50, 100, seconds(5), 2};
  for (std::size_t columns = 1; columns < 120; ++columns)
    EXPECT_LE(progress_text("a label of some length", half, 10, columns, false).size(), columns);
  EXPECT_EQ(progress_text("K\u00fcche", half, 10, 4, false), "K\u00fcch");  // letters, not bytes
  EXPECT_EQ(progress_text("a\nb\x1b[1m", half, 10, 8, false), "a?b?[1m ");
}

TEST(progress_rate, follows_within_seconds_and_does_not_jump) {
  EXPECT_EQ(smoothed_rate(0, 50, 0.5), 100);
  EXPECT_EQ(smoothed_rate(100, 0, 0), 100);
  EXPECT_NEAR(smoothed_rate(100, 20, 0.1), 102, 0.1);   // twice as fast for a tenth of a second
  EXPECT_NEAR(smoothed_rate(100, 1'000, 5), 163, 0.5);  // and for five
}

// Both ends of a pseudo terminal that is 60 columns wide.
class terminal {
 public:
  terminal() : ours_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    EXPECT_EQ(::grantpt(ours_.number()), 0);
    EXPECT_EQ(::unlockpt(ours_.number()), 0);
    theirs_ = forkful::detail::fd(::open(::ptsname(ours_.number()), O_RDWR | O_NOCTTY));
    const winsize size{.ws_row = 24, .ws_col = 60, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::ioctl(theirs_.number(), TIOCSWINSZ, &size), 0);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("COLUMNS");
  }
  ~terminal() { ::unsetenv("TERM"); }

  [[nodiscard]] int fd() const { return theirs_.number(); }
  /// What was written so far; a newline comes as "\r\n".
  std::string shown() {
    std::string all;
    for (pollfd waiting{ours_.number(), POLLIN, 0}; ::poll(&waiting, 1, 0) == 1;) {
      char room[4096];
      const ssize_t got = ::read(ours_.number(), room, sizeof room);
      if (got <= 0) break;
      all.append(room, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  forkful::detail::fd ours_;
  forkful::detail::fd theirs_;
};

TEST(progress_bar, redraws_one_line_and_ends_it_when_the_call_is_through) {
  terminal screen;
  const progress_bar bar{"hashes", {.fd = screen.fd()}};
  bar({0, 100, milliseconds(0), 2});
  EXPECT_EQ(screen.shown(), "\rhashes [                            ]   0 %   0/100, 2 busy\x1b[K");
  bar({50, 100, milliseconds(500), 2});
  EXPECT_EQ(screen.shown(), "\rhashes [#####      ]  50 %  50/100, 100/s, 1 s left, 2 busy\x1b[K");
  bar({100, 100, milliseconds(520), 0});
  EXPECT_EQ(screen.shown(), "\rhashes [#######################] 100 slices in 0.5 s, 192/s\x1b[K\r\n");
}

TEST(progress_bar, redraws_at_most_ten_times_a_second) {
  terminal screen;
  const progress_bar bar{"hashes", {.fd = screen.fd()}};
  for (int at = 0; at < 1'000; ++at) bar({static_cast<std::size_t>(at), 2'000, milliseconds(at), 2});
  const std::string shown = screen.shown();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\r'), 10);
}

TEST(progress_bar, ends_the_line_of_a_call_that_failed_when_its_last_copy_is_gone) {
  terminal screen;
  {
    const progress_bar bar{"hashes", {.fd = screen.fd()}};
    const progress_bar copy = bar;
    copy({3, 9, milliseconds(300), 2});
    EXPECT_EQ(screen.shown().back(), 'K');
  }
  EXPECT_EQ(screen.shown(), "\r\n");
}

TEST(progress_bar, gives_every_call_a_line_of_its_own) {
  terminal screen;
  const progress_bar bar{"hashes", {.fd = screen.fd()}};
  bar({3, 9, milliseconds(300), 2});
  screen.shown();
  bar({1, 9, milliseconds(100), 2});
  EXPECT_EQ(screen.shown(), "\r\n\rhashes [#             ]  11 % 1/9, 10.0/s, 1 s left, 2 busy\x1b[K");
  bar({9, 9, milliseconds(200), 0});
  bar({9, 9, milliseconds(200), 0});  // reported twice, drawn once
  const std::string shown = screen.shown();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 1);
}

TEST(progress_bar, takes_its_width_from_the_options_or_columns_or_the_terminal) {
  terminal screen;
  progress_bar{"hashes", {.fd = screen.fd(), .columns = 20}}({1, 9, milliseconds(1), 2});
  EXPECT_EQ(screen.shown(), "\rhashes  11 % 1/9, 1\x1b[K\r\n");
  ::setenv("COLUMNS", "30", 1);
  progress_bar{"hashes", {.fd = screen.fd()}}({1, 9, milliseconds(1), 2});
  EXPECT_EQ(screen.shown(), "\rhashes  11 % 1/9, 1.0 k/s, 1 \x1b[K\r\n");
  ::setenv("COLUMNS", "wide", 1);
  progress_bar{"hashes", {.fd = screen.fd()}}({1, 9, milliseconds(1), 2});
  EXPECT_EQ(screen.shown(), "\rhashes [#            ]  11 % 1/9, 1.0 k/s, 1 s left, 2 busy\x1b[K\r\n");
  ::unsetenv("COLUMNS");
}

TEST(progress_bar, prints_whole_lines_where_nothing_can_be_drawn_again) {
  terminal screen;
  ::setenv("TERM", "dumb", 1);
  const progress_bar bar{"hashes", {.fd = screen.fd()}};
  for (int second = 0; second < 25; ++second) bar({static_cast<std::size_t>(second), 25, seconds(second), 1});
  bar({25, 25, seconds(25), 0});
  const std::string shown = screen.shown();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 4);  // at 0, 10, 20 s and the end
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_NE(shown.find("25 slices in 25 s, 1.0/s\r\n"), std::string::npos) << shown;
}

TEST(progress_bar, is_silent_where_nobody_looks_unless_asked) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const forkful::detail::fd out(ends[0]);
  const forkful::detail::fd in(ends[1]);
  char room[200];
  progress_bar{"hashes", {.fd = in.number()}}({9, 9, milliseconds(100), 2});
  EXPECT_EQ(::read(out.number(), room, sizeof room), -1);
  progress_bar{"hashes", {.fd = in.number(), .always = true, .columns = 40}}({9, 9, milliseconds(100), 2});
  const ssize_t got = ::read(out.number(), room, sizeof room);
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(room, static_cast<std::size_t>(got)), "hashes 9 slices in 0.1 s, 90.0/s\n");
}

TEST(progress_bar, is_a_progress_function_of_map_and_of_imap_of_unknown_length) {
  terminal screen;
  forkful::serial_pool pool;
  EXPECT_EQ(pool.with({.progress = progress_bar{"mapping", {.fd = screen.fd()}}})
                .map({1, 2, 3}, [](int x) { return x; })
                .size(),
            3u);
  const std::string mapped = screen.shown();
  EXPECT_NE(mapped.find("] 3 slices in "), std::string::npos) << mapped;
  EXPECT_EQ(mapped.substr(mapped.size() - 2), "\r\n");

  std::istringstream words("to be or not");
  std::size_t letters = 0;
  {
    auto lengths =
        pool.with({.progress = progress_bar{"reading", {.fd = screen.fd()}}})
            .imap(std::ranges::istream_view<std::string>(words), [](const std::string& word) { return word.size(); });
    for (const std::size_t length : lengths) letters += length;
  }
  EXPECT_EQ(letters, 9u);
  const std::string read = screen.shown();
  EXPECT_NE(read.find("4 slices in "), std::string::npos) << read;
}

}  // namespace
