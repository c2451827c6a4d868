// --log and --resume: what is written, what counts as done, and that a run killed at any moment goes on byte for byte.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

TEST(map_log, has_a_line_a_job_in_the_format_of_gnu_parallel) {
  expect_prints(
      "map --log log -j1 'printf {}; exit {}' ::: 0 22 2> /dev/null > /dev/null; awk -F '\\t' '{ print NF }' log; cut "
      "-f 1,2,5-9 log | tr '\\t' '|'",
      "9\n9\n9\nSeq|Host|Send|Receive|Exitval|Signal|Command\n1|:|0|1|0|0|printf 0; exit 0\n2|:|0|2|22|0|printf 22; "
      "exit 22\n");
}
TEST(map_log, begins_as_the_one_of_gnu_parallel) {
  if (!has_gnu_parallel()) GTEST_SKIP();
  expect_prints(
      "parallel --will-cite --joblog theirs echo ::: a > /dev/null; map --log ours echo ::: a > /dev/null; head -1 "
      "theirs | cmp - <(head -1 ours); cut -f 1,2,5-9 theirs | cmp - <(cut -f 1,2,5-9 ours)",
      "");
}
TEST(map_log, times_are_seconds) {
  expect_prints(
      "map --log log 'sleep 0.1 #' ::: a; now=$(date +%s); awk -F '\\t' -v now=$now 'NR == 2 { print ($3 > now - 100 "
      "&& $3 <= now + 1), ($4 >= 0.1 && $4 < 60) }' log",
      "1 1\n");
}
TEST(map_log, commands_are_on_one_line_that_can_be_pasted) {
  expect_prints("map --log log printf %s ::: $'a\\nb' 'c d' > /dev/null; wc -l < log; cut -f 9 log | tail -2 | bash",
                "3\na\nbc d");
}
TEST(map_log, is_in_the_order_of_delivery) {
  expect_prints(
      "map -j2 --log log 'if [ {} = 1 ]; then until [ -e go ]; do sleep 0.01; done; else touch go; fi' ::: 1 2; cut -f "
      "1 log",
      "Seq\n1\n2\n");
}
TEST(map_log, a_signal_is_there) {
  EXPECT_EQ(bash("map --quiet --log log 'kill -9 $$ #' ::: a 2> /dev/null; tail -1 log | cut -f 7,8").out, "0\t9\n");
}
TEST(map_log, is_begun_anew_without_resume) {
  expect_prints("map --log log true ::: a b; map --log log true ::: c; cut -f 9 log", "Command\ntrue c\n");
}
TEST(map_log, in_use_is_refused) {
  const ran result = bash(
      "\"$program\" map --log log 'touch there; until [ -e go ]; do sleep 0.01; done #' ::: a & until_is ls there; map "
      "--log log echo ::: b; r=$?; touch go; wait; exit $r");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("the log log is in use"), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}
TEST(map_log, that_is_none_is_refused) {
  expect_refused(
      "echo hello world, this is not a log of any kind, but long enough > log; map --log log --resume echo ::: a",
      "is no log of forkful map or GNU parallel", 3);
}
TEST(map_log, that_is_somebody_elses_file_stays_as_it_is) {
  const std::string theirs =
      "my thesis, which is much longer than the first line of a log is, and of which there is no copy\\n";
  for (const char* resume : {"", "--resume "}) {
    const ran result = bash("printf '" + theirs + "' > thesis; map --log thesis " + resume +
                            "echo ::: a; echo $?; cmp thesis <(printf '" + theirs + "') && echo whole");
    EXPECT_EQ(result.out, "3\nwhole\n") << resume << result.err;
  }
}
TEST(map_log, that_cannot_be_written_is_said) {
  expect_refused("map --log /none/log echo ::: a", "cannot open the log /none/log", 3);
  const ran full = bash("map --log /dev/full echo ::: a");
  EXPECT_EQ(full.exit_code, 3);
  EXPECT_NE(full.err.find("cannot write to the log /dev/full: No space left"), std::string::npos) << full.err;
}
TEST(map_log, resume_leaves_out_what_is_done) {
  expect_prints("map --log log echo ::: a c; map --log log --resume echo ::: b a c d", "a\nc\nb\nd\n");
}
TEST(map_log, resume_counts_equal_commands) {
  expect_prints("map --log log echo ::: a a; map --log log --resume echo ::: a a a", "a\na\na\n");
}
TEST(map_log, numbers_stay_with_their_jobs) {
  expect_prints(
      "map --log log -j1 'echo {#} {}' ::: a c; map --log log --resume -j1 'echo {#} {}' ::: b a c d; cut -f 1,9 log | "
      "tail -2",
      "1 a\n2 c\n3 b\n4 d\n3\techo {#} b\n4\techo {#} d\n");
}
TEST(map_log, resume_leaves_failures_be) {
  expect_prints(
      "map --quiet --log log 'echo {}; exit {}' ::: 0 1 2> /dev/null; map --log log --resume 'echo {}; exit {}' ::: 0 "
      "1",
      "0\n1\n");
}
TEST(map_log, resume_failed_runs_them_again) {
  expect_prints(
      "map --quiet -j1 --log log 'echo {}; [ -e go -o {} = a ]' ::: a b c 2> /dev/null; touch go; map -j1 --log log "
      "--resume-failed 'echo {}; [ -e go -o {} = a ]' ::: a b c; "
      "map --log log --resume-failed 'echo {}; [ -e go -o {} = a ]' ::: a b c; cut -f 1,7 log",
      "a\nb\nc\nb\nc\nSeq\tExitval\n1\t0\n2\t1\n3\t1\n2\t0\n3\t0\n");
}
TEST(map_log, resume_by_number_is_there_for_those_who_ask) {
  expect_prints("map --log log echo ::: a c; map --log log --resume=number echo ::: b a d", "a\nc\nd\n");
}
TEST(map_log, of_gnu_parallel_is_gone_on_with) {
  if (!has_gnu_parallel()) GTEST_SKIP();
  expect_prints("parallel --will-cite -k --joblog log echo ::: a b; map --log log --resume echo ::: a b c",
                "a\nb\nc\n");
}
TEST(map_log, a_torn_line_is_cut_off) {
  expect_prints(
      "map --log log echo ::: a b > /dev/null; head -c -5 log > torn; map --log torn --resume echo ::: a b; cut -f 9 "
      "torn",
      "b\nCommand\necho a\necho b\n");
}
TEST(map_log, a_torn_header_is_begun_anew) {
  expect_prints("printf 'Seq\\tHo' > log; map --log log --resume echo ::: a; wc -l < log", "a\n2\n");
}
TEST(map_log, output_is_cut_back_to_what_the_log_says) {
  expect_prints(
      "map --log log -o out echo ::: a b; printf half >> out; map --log log --resume -o out echo ::: a b c; cat out",
      "a\nb\nc\n");
}
TEST(map_log, the_log_is_cut_back_to_the_output) {
  expect_prints(
      "map --log log -o out echo ::: a b c; head -c 3 out > short; mv short out; map --log log --resume -o out echo "
      "::: a b c; cat out; cut -f 9 log",
      "a\nb\nc\nCommand\necho a\necho b\necho c\n");
}
TEST(map_log, stopped_jobs_are_not_in_it) {
  expect_prints(
      "\"$program\" map -j1 --log log 'echo {}; [ {} = 1 ] || exec sleep 1000' ::: 1 2 3 > out 2> /dev/null & pid=$!; "
      "until_is grep 2 out; kill -TERM $pid; wait $pid; cut -f 9 log | wc -l; "
      "map --log log --resume 'echo {}; [ {} = 1 ] || exec sleep 1000' ::: 1",
      "2\n");
}
TEST(map_log, the_way_on_is_said) {
  const ran result = bash(
      "\"$program\" map --log log 'touch there; exec sleep 1000 #' ::: 1 & pid=$!; until_is ls there; kill -TERM $pid; "
      "wait $pid");
  EXPECT_NE(result.err.find("with 0 jobs done; the same line with --resume goes on"), std::string::npos) << result.err;
}
TEST(map_log, killed_at_any_moment_it_goes_on_byte_for_byte) {
  // Jobs of 70 KB to 200 KB that print in two pieces; killed again and again until a run comes through.
  const ran result = bash(
      R"sh(line='head -c $(({} % 3 * 65000 + 70000)) /dev/zero | tr "\0" $(printf %s {} | tail -c 1); echo {}; echo rest {}'
    map "$line" ::: {1..60} > whole; kills=0; resume=
    while :; do
      "$program" map -j3 --log log $resume -o out "$line" ::: {1..60} 2> /dev/null & pid=$!; resume=--resume
      sleep 0.0$((RANDOM % 10)); if kill -9 $pid 2> /dev/null; then kills=$((kills + 1)); fi; wait $pid 2> /dev/null && break
      until_is flock -n log true
      [ $kills -gt 300 ] && break
    done
    [ $kills -gt 0 ] && cmp whole out && sort -n log | cut -f 1 | uniq -d; cut -f 1 log | sort -n | tail -60 | cmp - <(seq 60))sh");
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace forkful_tests
