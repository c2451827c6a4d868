// The jobs' output: whole, in order, at once; streams, tags, files, and writes that fail.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

// A job that waits for the file "go".
#define UNTIL_GO "until [ -e go ]; do sleep 0.01; done; "

TEST(map_output, comes_in_the_order_of_the_items) {
  expect_prints("map -j4 'if [ {} = 1 ]; then " UNTIL_GO "fi; [ {} = 4 ] && touch go; echo {}' ::: 1 2 3 4",
                "1\n2\n3\n4\n");
}
TEST(map_output, is_whole) {
  expect_prints("map -j4 'for i in 1 2 3 4 5 6 7 8 9; do echo {} $i; done' ::: a b c d e f g h | uniq -w1 | wc -l",
                "8\n");
}
TEST(map_output, is_byte_for_byte_what_a_loop_prints) {
  expect_prints(R"sh(for i in {1..40}; do head -c $((i * 5003)) /dev/urandom > f$i; done
    for i in {1..40}; do cat f$i; done > loop; map -j4 cat f{} ::: {1..40} > ours; cmp loop ours; map --unordered -j4 cat f{} ::: {1..40} | wc -c > n; [ $(cat n) = $(wc -c < loop) ])sh",
                "");
}
TEST(map_output, gets_no_newline) { expect_prints("map printf %s ::: a b", "ab"); }
TEST(map_output, of_the_job_whose_turn_it_is_streams) {
  // The job ends only when its first line has been seen outside.
  expect_prints("map 'echo first; " UNTIL_GO
                "echo last' ::: 1 > out & until_is grep first out; touch go; wait; cat out",
                "first\nlast 1\n");
}
TEST(map_output, streams_when_its_turn_comes) {
  // The second one's first line waits for the first job, and not for the second one's end.
  expect_prints(
      "map -j2 'echo {}; until [ -e go{} ]; do sleep 0.01; done; echo end' ::: 1 2 > out & "
      "until_is grep 1 out; touch go1; until_is grep 2 out; touch go2; wait; cat out",
      "1\nend\n2\nend\n");
}
TEST(map_output, of_a_short_job_comes_without_another_item) {
  expect_prints("mkfifo f; map echo < f > out & exec 3> f; echo a >&3; until_is grep a out; exec 3>&-; wait; cat out",
                "a\n");
}
TEST(map_output, unordered_comes_as_jobs_end) {
  expect_prints(
      "map --unordered -j2 'if [ {} = 1 ]; then " UNTIL_GO
      "fi; echo {}; [ {} = 2 ] && until_is=1; :' ::: 1 2 > out & until_is grep 2 out; touch go; wait; cat out",
      "2\n1\n");
}
TEST(map_output, unordered_is_whole) {
  expect_prints(
      "map --unordered -j4 'for i in 1 2 3 4 5 6 7 8 9; do echo {} $i; done' ::: a b c d e f g h | uniq -w1 | wc -l",
      "8\n");
}
TEST(map_output, lines_come_as_they_are_printed_and_whole) {
  expect_prints(
      "map --lb -j2 'printf {}; until [ -e go{} ]; do sleep 0.01; done; echo {}' ::: 1 2 > out & "
      "touch go2; until_is grep 22 out; touch go1; wait; cat out",
      "22\n11\n");
}
TEST(map_output, an_unfinished_last_line_comes_at_the_end) { expect_prints("map --line-buffer printf %s ::: a", "a"); }
TEST(map_output, ungrouped_jobs_write_themselves) {
  expect_prints(
      "map -u sh -c 'readlink /proc/self/fd/1; readlink /proc/self/fd/2' ::: a > out 2>&1; sort -u out | sed 's,.*/,,'",
      "out\n");
}
TEST(map_output, stderr_comes_at_its_turn_too) {
  const ran result =
      bash("map -j4 'if [ {} = 1 ]; then " UNTIL_GO "fi; [ {} = 3 ] && touch go; echo {} >&2' ::: 1 2 3");
  EXPECT_EQ(result.err, "1\n2\n3\n");
  EXPECT_EQ(result.out, "");
}
TEST(map_output, pieces_of_both_streams_keep_their_order) {
  // Each piece is read before the next one is printed: they arrive one by one.
  expect_prints(
      "map -j1 'echo a; until grep -q a out; do :; done; echo b >&2; until grep -q b out; do :; done; echo c #' ::: '' "
      "> "
      "out 2>&1; cat out",
      "a\nb\nc\n");
}
TEST(map_output, may_open_its_own_stdout) {
  expect_prints(
      "map 'echo one > /dev/stdout; echo two > /dev/stdout; echo three; echo four > /dev/stderr #' ::: 1 2>&1",
      "one\ntwo\nthree\nfour\n");
}
TEST(map_output, of_a_process_substitution_is_complete) {
  expect_prints("map --shell-program bash 'echo a > >(sed s/a/b/) #' ::: 1", "b\n");
}
TEST(map_output, is_a_pipe) {
  expect_prints("map sh -c 'test -p /dev/stdout && test -p /dev/stderr && echo {}' ::: yes", "yes\n");
}
TEST(map_output, tags_begin_each_line) {
  expect_prints_as_parallel("--tag 'printf \"x\\ny\\n\" #' ::: a 'b c'", "a\tx\na\ty\nb c\tx\nb c\ty\n");
}
TEST(map_output, tags_end_an_unfinished_line) { expect_prints("map --tag 'printf x #' ::: a b", "a\tx\nb\tx\n"); }
TEST(map_output, tags_of_several_sources) { expect_prints_as_parallel("--tag echo ::: a ::: b", "a b\ta b\n"); }
TEST(map_output, tags_have_placeholders) {
  expect_prints_as_parallel("--tagstring '{/.}-{#}' echo ::: a/b.c", "b-1\ta/b.c\n");
}
TEST(map_output, tags_survive_pieces_of_a_line) {
  expect_prints(
      "map --tag 'printf x; until [ -e go ]; do sleep 0.01; done; echo y #' ::: a > out & until_is grep x out; touch "
      "go; "
      "wait; cat out",
      "a\txy\n");
}
TEST(map_output, goes_to_a_file) {
  expect_prints("echo old stuff that is longer > f; map -o f echo ::: a b; cat f", "a\nb\n");
}
TEST(map_output, of_a_file_that_cannot_be_opened_is_said) {
  expect_refused("map -o /none/f echo ::: a", "cannot open /none/f: No such file", 3);
}
TEST(map_output, a_full_disk_is_said_and_ends_the_run) {
  const ran result = bash("map -j1 'echo {}; touch ran{}' ::: {1..50} > /dev/full; r=$?; ls | wc -l >&2; exit $r");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("forkful: cannot write the output: No space left on device; the run has ended"),
            std::string::npos)
      << result.err;
  EXPECT_LT(std::stoi(result.err.substr(result.err.rfind('\n', result.err.size() - 2) + 1)), 50);
}
TEST(map_output, a_closed_stdout_is_said) {
  const ran result = bash("map echo ::: a >&-");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("cannot write the output: Bad file descriptor"), std::string::npos) << result.err;
}
TEST(map_output, a_closed_stderr_harms_nothing) { expect_prints("map sh -c 'echo x >&2; echo {}' ::: a 2>&-", "a\n"); }
TEST(map_output, a_reader_that_leaves_ends_it_in_silence) {
  const ran result = bash("yes | map -j2 echo | head -1; echo ${PIPESTATUS[1]}");
  EXPECT_EQ(result.out, "y\n141\n");
  EXPECT_EQ(result.err, "");
}
TEST(map_output, a_reader_that_leaves_ends_jobs_that_print_for_ever) {
  const ran result = bash("map yes ::: a b | head -1; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(result.out, "a\n141\n");
  EXPECT_EQ(result.err, "");
}
TEST(map_output, where_sigpipe_is_ignored_the_closed_pipe_is_said) {
  const ran result = bash("trap '' PIPE; yes | head -c 1000000 | map echo | head -1; echo ${PIPESTATUS[2]}");
  EXPECT_EQ(result.out, "y\n3\n");
  EXPECT_NE(result.err.find("Broken pipe"), std::string::npos) << result.err;
}
TEST(map_output, ahead_of_its_turn_is_bounded) {
  // 400 MB behind a first job that waits: the others stand still before they have printed all of it, and memory stays far below.
  expect_prints(
      R"sh("$program" map -j2 'if [ {} = 1 ]; then until [ -e go ]; do sleep 0.01; done; else head -c 200000000 /dev/zero; touch ended; fi' ::: 1 2 3 > out & pid=$!
    memory() { awk '/VmRSS/ { print $2 }' /proc/$pid/status; }; full() { [ $(memory) -gt 60000 ]; }; until_is full
    same=0; while [ $same -lt 50 -a ! -e ended ]; do before=$(memory); sleep 0.01; if [ $before = $(memory) ]; then same=$((same + 1)); else same=0; fi; done
    ls ended 2> /dev/null; awk '/VmHWM/ { print ($2 < 120000) }' /proc/$pid/status; touch go; wait $pid; wc -c < out)sh",
      "1\n400000000\n");
}
TEST(map_output, a_gigabyte_streams_in_little_memory) {
  expect_prints(
      "map -j1 'head -c 1000000000 /dev/zero; grep VmHWM /proc/$PPID/status | awk \"{ print \\$2 < "
      "20000 }\" >&2 #' ::: 1 2> small | wc -c; cat small",
      "1000000000\n1\n");
}
TEST(map_output, a_slow_reader_holds_the_jobs_up) {
  // What is printed behind a reader that does not read yet is not swallowed: the jobs wait.
  expect_prints(
      "mkfifo p; map -j1 'head -c 100000000 /dev/zero; touch done' ::: 1 > p & exec 3< p; [ -e done ] || echo waits; "
      "wc -c <&3; wait; ls done",
      "waits\n100000000\ndone\n");
}
TEST(map_output, all_well_says_nothing) { expect_prints("map true ::: a b c", ""); }

}  // namespace
}  // namespace forkful_tests
