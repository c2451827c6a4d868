// Signals, kills, and what jobs inherit: nothing outlives the run, nothing leaks into a job.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

// Two jobs, each a shell with a child of its own that ignores polite signals; their pids are in p1 to p4. `begin` starts forkful.
const std::string two_jobs =
    "job='(trap \"\" INT TERM HUP; echo $BASHPID > p{}; exec sleep 1000) & (trap \"\" INT TERM HUP; echo $BASHPID > "
    "q{}; exec sleep 1001); wait'; "
    "all() { [ -s p1 -a -s p2 -a -s q1 -a -s q2 ]; }; gone() { ! kill -0 $(cat p1) && ! kill -0 $(cat p2) && ! kill -0 "
    "$(cat q1) && ! kill -0 $(cat q2); }; ";

void expect_nothing_left(const std::string& signal, int status, const std::string& said) {
  const ran result =
      bash(two_jobs + "\"$program\" map -j2 --shell-program bash \"$job\" ::: 1 2 & pid=$!; until_is all; kill -" +
           signal + " $pid; wait $pid; echo $?; until_is gone");
  EXPECT_EQ(result.out, std::to_string(status) + "\n") << signal << result.err;
  EXPECT_NE(result.err.find(said), std::string::npos) << result.err;
}

TEST(map_ends, sigkill_leaves_no_job) { expect_nothing_left("KILL", 137, ""); }
TEST(map_ends, sigterm_leaves_no_job) {
  expect_nothing_left("TERM", 143, "forkful: ended by signal 15 (SIGTERM) with 0 jobs done");
}
TEST(map_ends, sighup_leaves_no_job) { expect_nothing_left("HUP", 129, "ended by signal 1 (SIGHUP)"); }
TEST(map_ends, sigint_leaves_no_job) {
  // bash gives background commands an ignored SIGINT; a shell of its own does not.
  const ran result = bash(two_jobs +
                          "set -m; \"$program\" map -j2 --shell-program bash \"$job\" ::: 1 2 & pid=$!; until_is all; "
                          "kill -INT $pid; wait $pid; echo $?; until_is gone");
  EXPECT_EQ(result.out, "130\n") << result.err;
  EXPECT_NE(result.err.find("forkful: interrupted with 0 jobs done; with --log FILE a run can go on with --resume"),
            std::string::npos)
      << result.err;
}
TEST(map_ends, ctrl_c_reaches_the_jobs) {
  at_terminal run({"map", "trap 'echo caught; exit 1' INT; echo there; while :; do sleep 0.01; done #", ":::", "1"});
  EXPECT_TRUE(run.says("there"));
  run.type("\003");
  EXPECT_TRUE(run.says("caught"));
  EXPECT_TRUE(run.says("forkful: interrupted with 0 jobs done"));
  EXPECT_EQ(run.end(), -1);  // of the signal itself
}
TEST(map_ends, ctrl_c_reaches_all_that_a_job_has_started) {
  at_terminal run(
      {"map", "--shell-program", "bash",
       "trap : INT; (trap 'echo caught' INT; echo there; while [ ! -e /none ]; do sleep 0.01; done) & wait; wait #",
       ":::", "1"});
  EXPECT_TRUE(run.says("there"));
  run.type("\003");
  EXPECT_TRUE(run.says("caught"));
  EXPECT_EQ(run.end(), -1);
}
TEST(map_ends, ctrl_c_ends_a_loop_around_it) {
  expect_prints(
      "exec 2> /dev/null; set -m; bash -c 'for i in 1 2 3; do echo $i; \"'$program'\" map sleep ::: 1000; done' > out "
      "2> /dev/null & "
      "pid=$!; until_is grep 1 out; "
      "job() { pgrep -f '^sleep 1000$' -P $(pgrep -P $pid); }; until_is job; kill -INT -$pid; wait $pid; cat out",
      "1\n");
}
TEST(map_ends, an_ignored_sigint_stays_ignored) {
  expect_prints(
      "trap '' INT; \"$program\" map 'touch there; until [ -e go ]; do sleep 0.01; done; grep SigIgn /proc/self/status "
      "| cut -f2 #' ::: 1 > out & pid=$!; "
      "until_is ls there; kill -INT $pid; touch go; wait $pid; echo $?; echo $(( 0x$(cat out) & 2 ))",
      "0\n2\n");
}
TEST(map_ends, ctrl_z_stops_the_jobs_and_fg_continues_them) {
  // bash leaves its own loops when a job stops: so a command waits.
  expect_prints(
      R"sh(exec 2> /dev/null; set -m; "$program" map 'echo $$ > p; until [ -e go ]; do sleep 0.01; done; echo {}' ::: 1 > out & pid=$!
    stopped() { timeout 60 sh -c "until grep -q State:.T /proc/$1/status; do sleep 0.01; done" && echo stopped; }
    until_is [ -s p ]; kill -TSTP $pid; stopped $pid; stopped $(cat p); kill -CONT $pid; touch go; wait $pid; cat out)sh",
      "stopped\nstopped\n1\n");
}
TEST(map_ends, jobs_get_descriptors_0_to_2_only) {
  // 3 is the folder itself.
  expect_prints(
      "exec 7< /dev/null 9> f; map -j4 ls ::: /proc/self/fd /proc/self/fd /proc/self/fd | sort | uniq -c | awk '{ "
      "print $2, $1 }'",
      "0 3\n1 3\n2 3\n3 3\n");
}
TEST(map_ends, jobs_read_nothing) { expect_prints("seq 50000 | map -n 5000 -j1 'cat | wc -c; : {}' | sort -u", "0\n"); }
TEST(map_ends, jobs_have_no_signal_blocked_or_ignored) {
  expect_prints("map sh -c 'grep -E \"Sig(Blk|Ign)\" /proc/self/status | grep -v 0000000000000000; : {}' ::: 1", "");
}
TEST(map_ends, jobs_keep_what_was_ignored) {
  expect_prints("trap '' HUP; map sh -c 'echo $(( 0x$(grep SigIgn /proc/self/status | cut -f2) & 1 )); : {}' ::: 1",
                "1\n");
}
TEST(map_ends, sigpipe_ends_jobs_in_silence) { expect_prints("map 'yes | head -1 #' ::: 1", "y\n"); }
TEST(map_ends, jobs_have_the_limits_that_forkful_has) {
  expect_prints("ulimit -Sn 200; map 'ulimit -Sn #' ::: 1", "200\n");
}
TEST(map_ends, jobs_have_folder_and_environment) {
  expect_prints("mkdir d; cd d; X=y map 'echo ${PWD##*/} $X #' ::: 1", "d y\n");
}
TEST(map_ends, jobs_do_not_see_the_report) {
  expect_prints("FORKFUL_REPORT=r.html map 'echo [$FORKFUL_REPORT] #' ::: 1; ls", "[]\nr.html\n");
}
TEST(map_ends, a_job_ends_with_its_first_process) {
  const ran result = bash("map 'sleep 1000 & echo $! > pid; echo {}' ::: a; echo $?; kill $(cat pid)");
  EXPECT_EQ(result.out, "a\n0\n");
  EXPECT_NE(result.err.find("job 1 has ended, but a process that it left still holds its output"), std::string::npos)
      << result.err;
}
TEST(map_ends, a_child_with_output_of_its_own_holds_nothing_up) {
  expect_prints("map 'sleep 1000 > /dev/null 2>&1 & echo $! > pid; echo {}' ::: a; kill $(cat pid)", "a\n");
}
TEST(map_ends, a_child_that_prints_for_ever_is_cut_off) {
  const ran result = bash(
      "map 'yes & echo $! > pid' ::: '' | wc -c | awk '{ print ($1 < 3000000) }'; gone() { ! kill -0 $(cat pid); }; "
      "until_is gone");
  EXPECT_EQ(result.out, "1\n") << result.err;
}
TEST(map_ends, what_a_child_prints_soon_after_is_there) {
  expect_prints("map '(sleep 0.02; echo late) & echo {}' ::: a", "a\nlate\n");
}
TEST(map_ends, who_ignores_sigchld_learns_how_jobs_end) {
  const ran result = bash("trap '' CHLD; map 'exit 3 #' ::: 1; echo $?");
  EXPECT_EQ(result.out, "1\n");
  EXPECT_NE(result.err.find("failed with status 3"), std::string::npos) << result.err;
}
TEST(map_ends, few_descriptors_run_fewer_at_a_time) {
  const ran result = bash("ulimit -n 32; map -j 50 echo ::: {1..60} | cmp - <(seq 60)");
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  EXPECT_NE(result.err.find("50 jobs at a time need more than the 32 descriptors there are (ulimit -n)"),
            std::string::npos)
      << result.err;
}
TEST(map_ends, few_processes_run_fewer_at_a_time_or_are_said) {
  if (getuid() != 0 || bash("setpriv --reuid 54321 --clear-groups \"$program\" map echo ::: 1").exit_code != 0)
    GTEST_SKIP() << "the limit holds for other users than root only, and one must be able to run the program";
  for (const char* limit : {"3", "4", "5", "6", "8"}) {
    const ran result = bash(std::string("(ulimit -u ") + limit +
                            "; exec setpriv --reuid 54321 --clear-groups \"$program\" map -j3 echo ::: 1 2 3 4)");
    if (result.exit_code == 0) {
      EXPECT_EQ(result.out, "1\n2\n3\n4\n") << limit;
    } else {
      EXPECT_EQ(result.exit_code, 3) << limit << result.err;
      EXPECT_NE(result.err.find(" is to be had"), std::string::npos) << limit << result.err;
    }
  }
}
TEST(map_ends, many_jobs_at_a_time) {
  expect_prints("map -j200 sh -c 'sleep 0.3; echo {}' ::: {1..200} | cmp - <(seq 200)", "");
}
TEST(map_ends, a_signal_while_input_is_awaited_ends_it) {
  expect_prints(
      "mkfifo f; \"$program\" map echo < f > out 2> /dev/null & pid=$!; exec 3> f; echo 1 >&3; until_is grep 1 out; "
      "kill -TERM $pid; wait $pid; echo $?",
      "143\n");
}
TEST(map_ends, two_ctrl_c_end_it_at_once) {
  const ran result = bash(
      "set -m; \"$program\" map \"trap '' INT; echo \\$\\$ > p; while :; do sleep 0.01; done #\" ::: 1 & pid=$!; "
      "until_is [ -s p ]; kill -INT $pid; kill -INT $pid; wait $pid; echo $?; gone() { ! kill -0 $(cat p); }; until_is "
      "gone");
  EXPECT_EQ(result.out, "130\n") << result.err;
}
TEST(map_ends, a_terminal_whose_reader_waits_does_not_keep_it) {
  // The jobs' output is behind a full pipe that nobody reads: TERM ends the run all the same.
  expect_prints(
      "mkfifo p; \"$program\" map yes ::: 1 > p 2> /dev/null & pid=$!; exec 3< p; full() { grep -q pipe_write "
      "/proc/$pid/task/*/wchan || grep -qs S /proc/$pid/stat; }; until_is full; kill -TERM $pid; wait $pid; echo $?",
      "143\n");
}

}  // namespace
}  // namespace forkful_tests
