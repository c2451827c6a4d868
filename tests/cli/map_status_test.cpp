// What forkful map leaves with, and what it says about jobs that fail.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

void expect_status(const std::string& line, int status, const std::string& said = "") {
  const ran result = bash(line);
  EXPECT_EQ(result.exit_code, status) << line << "\n" << result.err;
  EXPECT_NE(result.err.find(said), std::string::npos) << line << "\n" << result.err;
}

TEST(map_status, is_0_if_all_is_well) { expect_status("map true ::: a b", 0); }
TEST(map_status, is_1_for_any_number_of_failures) {
  expect_status("map -q sh -c 'exit {}' ::: 0 7", 1,
                "forkful: job 2 failed with status 7: sh -c 'exit 7'\nforkful: 1 of 2 jobs failed\n");
  expect_status("map false ::: 1 2 3", 1, "forkful: 3 of 3 jobs failed\n");
}
TEST(map_status, the_rest_runs) { EXPECT_EQ(bash("map -j1 'echo {}; exit {}' ::: 1 0 2").out, "1\n0\n2\n"); }
TEST(map_status, a_signal_is_named) {
  expect_status("map 'kill -SEGV $$ #' ::: 1", 1, "job 1 was ended by signal 11 (SIGSEGV): kill -SEGV $$ # 1");
}
TEST(map_status, ten_failures_are_named) {
  const ran result = bash("map false ::: {1..15}");
  EXPECT_EQ(lines_of(result.err).size(), 11U) << result.err;
  EXPECT_NE(result.err.find("15 of 15 jobs failed; the first 10 are named above; --log FILE has them all"),
            std::string::npos)
      << result.err;
}
TEST(map_status, failures_come_behind_the_output_of_the_job) {
  EXPECT_EQ(bash("map -j2 'echo {}; exit {}' ::: 1 2 2>&1").out,
            "1\nforkful: job 1 failed with status 1: echo 1; exit 1\n2\nforkful: job 2 failed with status 2: echo 2; "
            "exit 2\nforkful: 2 of 2 jobs failed\n");
}
TEST(map_status, quiet_names_none) { EXPECT_EQ(bash("map --quiet false ::: 1").err, "forkful: 1 of 1 job failed\n"); }
TEST(map_status, names_are_harmless_to_terminals) {
  EXPECT_EQ(bash("map false ::: $'\\033[2J'").err.find('\033'), std::string::npos);
}
TEST(map_status, long_commands_are_shortened) {
  EXPECT_LT(bash("map false ::: $(head -c 5000 /dev/zero | tr '\\0' x)").err.size(), 400U);
}
TEST(map_status, ok_says_what_is_no_failure) {
  expect_status("map --ok 0,1 grep x ::: /dev/null", 0);
  expect_status("map --ok 0,1 sh -c 'exit 2' ::: a", 1);
  expect_status("map --ok 1 true ::: a", 1, "job 1 failed with status 0");
}
TEST(map_status, is_127_for_a_command_that_is_not_there_and_nothing_runs) {
  expect_refused("map nosuchcommand ::: a", "there is no command nosuchcommand", 127);
  expect_refused("map ./nosuch ::: a", "there is no command ./nosuch", 127);
}
TEST(map_status, is_126_for_a_command_that_cannot_be_executed) {
  expect_refused("touch f; map ./f ::: a", "./f cannot be executed", 126);
  expect_refused("map / ::: a", "/ cannot be executed", 126);
}
TEST(map_status, a_word_of_the_shell_gets_the_way_out) {
  expect_refused("map cd ::: a", "cd is a word of the shell", 127);
}
TEST(map_status, a_command_that_is_an_item_fails_by_itself) {
  const ran result = bash("map '{}' ok ::: echo nosuchcommand");
  EXPECT_EQ(result.out, "ok\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("job 2 was not started: there is no such command: nosuchcommand ok"), std::string::npos)
      << result.err;
}
TEST(map_status, a_bad_interpreter_is_said) {
  const ran result = bash("printf '#!/no/such\\n' > f; chmod +x f; map ./f ::: a");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("job 1 was not started: ./f: No such file or directory"), std::string::npos) << result.err;
}
TEST(map_status, mistakes_are_2) {
  expect_refused("map -j", "-j needs N");
  expect_refused("map -j x echo ::: a", "-j is a number of jobs, as 4, +1, -1, 50%");
  expect_refused("map --tga echo ::: a", "did you mean '--tag'?");
  expect_refused("map -Z echo ::: a", "there is no option '-Z'");
  expect_refused("map --tag=x echo ::: a", "--tag takes no value");
  expect_refused("map -n x echo ::: a", "-n is a whole number");
  expect_refused("map --timeout soon echo ::: a", "--timeout is a time, as 2s");
  expect_refused("map --halt maybe echo ::: a", "--halt is never, or now or soon");
  expect_refused("map --halt now,fail=0 echo ::: a", "--halt is never");
  expect_refused("map --ok 256 echo ::: a", "--ok is a list of statuses");
  expect_refused("map --retries 0 echo ::: a", "--retries is a whole number from 1 on");
  expect_refused("map -d ab echo ::: a", "-d is one character");
  expect_refused("map --colsep '(' echo ::: a", "is no regular expression");
  expect_refused("map --resume echo ::: a", "--log FILE");
  expect_refused("map --block 1k echo ::: a", "--block is for --pipe");
  expect_refused("map --pipe --block 0 cat", "--block is a size");
  expect_refused("map --pipe cat ::: a", "no items behind :::");
  expect_refused("map -u --tag echo ::: a", "with -u jobs write themselves");
  expect_refused("map --header x echo ::: a", "--header is ':'");
  expect_refused("map echo ::::", ":::: needs a file");
}
TEST(map_status, options_of_other_tools_get_the_way_out) {
  expect_refused("map -S host echo ::: a", "jobs run on this host");
  expect_refused("map --sshlogin host echo ::: a", "ssh HOST forkful map");
  expect_refused("map --semaphore echo ::: a", "flock(1)");
  expect_refused("map --rpl x echo ::: a", "there is no --rpl");
}
TEST(map_status, options_without_effect_are_taken) {
  expect_prints("map --will-cite --gnu --plain --group --no-notice -k echo ::: a", "a\n");
}
TEST(map_status, short_options_bundle) { expect_prints("map -kj2 -qn2 echo ::: a b c", "a b\nc\n"); }
TEST(map_status, help_comes_wherever_it_is_asked_for) {
  EXPECT_TRUE(bash("map --help").out.starts_with("Examples:\n  ls *.log | forkful map gzip -9"));
  EXPECT_EQ(bash("map -j2 -h x").out, bash("map --help").out);
  EXPECT_EQ(bash("map echo --help ::: a").out, "--help a\n");
}
TEST(map_status, jobs_are_counted_in_many_ways) {
  for (const char* jobs : {"2", "+1", "-1", "50%", "0", "1000%", "-99"})
    expect_prints(std::string("map -j ") + jobs + " echo ::: a b", "a\nb\n");
}
TEST(map_status, so_many_run_at_a_time) {
  // Each of three waits until all three are there; with two at a time it would wait for ever.
  expect_prints("map -j3 'touch r{}; until [ -e r1 -a -e r2 -a -e r3 ]; do sleep 0.01; done; echo {}' ::: 1 2 3",
                "1\n2\n3\n");
  expect_prints("map -j0 'touch r{}; until [ -e r1 -a -e r2 -a -e r20 ]; do sleep 0.01; done' ::: {1..20}", "");
}
TEST(map_status, no_more_run_at_a_time) {
  expect_prints("map -j2 'mkdir slot{%} && sleep 0.02; rmdir slot{%}' ::: {1..20}; ls", "");
}
TEST(map_status, halt_soon_starts_no_more) {
  expect_status("map -j1 --halt soon,fail=1 'touch {}; exit 3' ::: a b c; r=$?; ls b && exit 99; exit $r", 3,
                "stopped by --halt with 1 jobs done");
}
TEST(map_status, halt_soon_lets_the_others_end) {
  EXPECT_EQ(bash("map -j2 --halt soon,fail=1 'if [ {} = 1 ]; then until [ -e failed ]; do sleep 0.01; done; echo {}; "
                 "else touch failed; exit 1; fi' ::: 1 2")
                .out,
            "1\n");
}
TEST(map_status, halt_now_ends_the_others) {
  expect_status(
      "map -j2 --halt now,fail=1 'if [ {} = 1 ]; then touch there; exec sleep 1000; else until [ -e there ]; do sleep "
      "0.01; done; exit 7; fi' ::: 1 2 3; r=$?; [ -e 3 ] && exit 99; exit $r",
      7);
}
TEST(map_status, fail_fast_is_halt_now) {
  expect_status("map -j1 --fail-fast 'touch {}; exit 4' ::: a b; r=$?; ls b && exit 99; exit $r", 4);
}
TEST(map_status, halt_counts_failures) {
  expect_status("map -j1 --halt soon,fail=2 'touch {}; exit 5' ::: a b c; r=$?; ls | tr '\\n' ' '; exit $r", 5);
  EXPECT_EQ(bash("map -j1 --halt soon,fail=2 'touch {}; exit 5' ::: a b c; ls").out, "a\nb\n");
}
TEST(map_status, halt_at_a_share_of_failures) {
  EXPECT_EQ(bash("map -j1 --halt soon,fail=40% 'touch {}; exit 5' ::: {a..j}; ls | tail -1").out, "d\n");
}
TEST(map_status, halt_at_success) { expect_prints("map -j1 --halt soon,success=1 echo ::: a b c", "a\n"); }
TEST(map_status, halt_as_numbers) {
  for (const char* number : {"1", "2"})
    expect_status(std::string("map -j1 --halt ") + number + " 'exit 6 #' ::: a b", 6);
  expect_prints("map -j1 --halt -1 echo ::: a b", "a\n");
}
TEST(map_status, halt_leaves_with_a_signal_as_shells_do) {
  expect_status("map -j1 --fail-fast 'kill -9 $$ #' ::: a b", 137);
}
TEST(map_status, retries_run_again_and_only_the_last_output_counts) {
  const ran result = bash(
      "map --retries 3 'echo x >> n; echo try $(wc -l < n); [ $(wc -l < n) = 3 ]; : {}; [ $(wc -l < n) = 3 ]' ::: a");
  EXPECT_EQ(result.out, "try 3\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.exit_code, 0);
}
TEST(map_status, retries_end) {
  expect_status("map --retries 2 'echo x >> n; false #' ::: a; r=$?; wc -l < n; exit $r", 1,
                "job 1 failed with status 1, tried 2 times");
}
TEST(map_status, retries_end_where_it_is_good) {
  expect_prints("map --retries 5 'echo x >> n #' ::: a; wc -l < n", "1\n");
}
TEST(map_status, a_timeout_ends_a_job) {
  expect_status("map --timeout 200ms sleep ::: 1000", 1, "(--timeout): sleep 1000");
}
TEST(map_status, a_timeout_ends_all_that_the_job_has_started) {
  expect_prints(
      "map --quiet --timeout 200ms 'sleep 1000 & echo $! > pid; wait #' ::: '' 2> /dev/null; until_is [ -s pid ]; "
      "gone() "
      "{ ! kill -0 $(cat pid); }; until_is gone",
      "");
}
TEST(map_status, a_timeout_ends_who_ignores_it) {
  expect_status("map --timeout 100ms \"trap '' TERM; while :; do sleep 0.1; done #\" ::: 1", 1, "(--timeout)");
}
TEST(map_status, a_timeout_is_124_to_halt) { expect_status("map --timeout 100ms --fail-fast sleep ::: 1000", 124); }
TEST(map_status, a_timeout_lets_others_be) {
  EXPECT_EQ(bash("map -j2 --timeout 500ms 'sleep {}; echo {}' ::: 1000 0").out, "0\n");
}
TEST(map_status, a_stopped_job_times_out) {
  expect_status("map --timeout 200ms 'kill -STOP $$; echo {}' ::: 1", 1, "(--timeout)");
}
TEST(map_status, delay_lies_between_starts) {
  expect_prints(
      "a=$(date +%s%N); map -j4 --delay 50ms true ::: 1 2 3; echo $(( ($(date +%s%N) - a) / 1000000 >= 100 ))", "1\n");
}

}  // namespace
}  // namespace forkful_tests
