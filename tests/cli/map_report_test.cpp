// --report, --advice and --progress: what is said about a run when it is over, and meanwhile.
#include <nlohmann/json.hpp>

#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

TEST(map_report, has_a_row_a_slot_and_a_chunk_a_job) {
  const ran result = bash(
      "map --quiet -j2 --report r.json 'sleep 0.05; printf xyz; exit {}' ::: 0 0 3 > /dev/null 2> /dev/null; cat "
      "r.json");
  const auto all = nlohmann::json::parse(result.out);
  EXPECT_EQ(all["way"], "command");
  EXPECT_EQ(all["verb"], "map");
  EXPECT_EQ(all["slices"], 3);
  EXPECT_EQ(all["workers"], 2);
  EXPECT_EQ(all["bytes_out"], 9);
  EXPECT_EQ(all["per_worker"].size(), 2U);
  EXPECT_EQ(all["timeline"]["chunks"].size(), 3U);
  for (const auto& each : all["timeline"]["chunks"])
    EXPECT_GE(each["end_ns"].get<double>() - each["begin_ns"].get<double>(), 50e6);
  EXPECT_NE(all["timeline"]["events"].dump().find("status 3: sleep 0.05; printf xyz; exit 3"), std::string::npos);
  for (const auto& each : all["per_worker"]) {
    double sum = 0;
    for (const auto& part : each["time_ns"]) sum += part.get<double>();
    EXPECT_EQ(sum, all["wall_ns"].get<double>());
  }
}
TEST(map_report, is_a_page) {
  expect_prints(
      "map --report r.html true ::: a b; grep -c '<html' r.html; grep -c 'true a' r.html | awk '{ print ($1 > 0) }'",
      "1\n1\n");
}
TEST(map_report, is_what_forkful_report_asks_for) {
  expect_prints("FORKFUL_REPORT=r.json map true ::: a; grep -c '\"command\"' r.json", "1\n");
}
TEST(map_report, names_that_say_no_format_are_refused) {
  expect_refused("map --report r.txt true ::: a", "ends in .html, .json or .trace");
}
TEST(map_report, that_cannot_be_written_is_said_before_the_run) {
  expect_refused("map --report /none/r.html touch ::: a", "the report cannot be written", 3);
}
TEST(map_report, short_jobs_are_advised_to_take_several_items) {
  const ran result = bash("seq 200 | map --advice -j2 true");
  EXPECT_NE(result.err.find("% of it starting them: if true takes several arguments, -n "), std::string::npos)
      << result.err;
}
TEST(map_report, waiting_jobs_are_advised_to_be_more) {
  const ran result = bash("map --advice -j2 sleep ::: 0.3 0.3 0.3 0.3 0.3 0.3");
  EXPECT_NE(result.err.find("they waited (CPU "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("more at a time may help: -j 6"), std::string::npos) << result.err;
}
TEST(map_report, a_long_last_job_is_advised_to_be_first) {
  const ran result = bash("map --advice -j2 sleep ::: 0 0 0 1");
  EXPECT_NE(result.err.find("job 4 ran alone for "), std::string::npos) << result.err;
}
TEST(map_report, advice_has_two_sentences_at_most) {
  EXPECT_LE(lines_of(bash("map --advice -j2 sleep ::: 0 0 0 1").err).size(), 2U);
}
TEST(map_report, without_a_terminal_there_is_no_advice) { expect_prints("seq 100 | map true", ""); }
TEST(map_report, at_a_terminal_progress_is_drawn) {
  at_terminal run({"map", "--progress", "sleep 0.3 #", ":::", "1", "2", "3"});
  EXPECT_TRUE(run.says("slices in"));
  EXPECT_EQ(run.end(), 0);
}
TEST(map_report, without_a_terminal_no_progress_is_drawn) {
  expect_prints("map --progress --bar --eta 'echo {}' ::: 1 2", "1\n2\n");
}

}  // namespace
}  // namespace forkful_tests
