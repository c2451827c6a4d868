// Reports as JSON and as a trace: baselines of small ones. tests/report/ holds the schema and the checks of large ones.
#include <gtest/gtest.h>

#include <forkful/version.hpp>

#include "report/document.hpp"
#include "support/made_up_reports.hpp"

namespace {

using forkful::detail::document;
using forkful::detail::document_format;
using std::chrono::nanoseconds;

// One chunk, one death, nothing else.
forkful::report tiny() {
  forkful::report call;
  call.way = "process";
  call.verb = "map";
  call.call = 5;
  call.workers = 1;
  call.slices = call.chunks = 1;
  call.wall = nanoseconds{9'000};
  call.has_timeline = true;
  forkful::timeline_chunk chunk;
  chunk.first = 4;
  chunk.count = 2;
  chunk.begin = nanoseconds{1'001};
  chunk.end = nanoseconds{7'001};
  chunk.pass_in = nanoseconds{500};
  call.recorded.chunks = {chunk};
  call.recorded.events = {{forkful::timeline_event::kind::worker_died, 0, 4, nanoseconds{7'002}, "signal 9 (SIGKILL)"}};
  return call;
}

std::string on_one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

TEST(report_json, names_every_field_with_its_unit) {
  EXPECT_EQ(
      tiny().json(),
      R"~({"way":"process","verb":"map","pool":0,"call":5,"calls":1,"finished":true,"began_ns":0,"wall_ns":9000,"slices":1,"chunks":1,)~"
      R"~("workers":1,"queued_ns":0,"away_ns":0,"beside_others":false,"time_ns":{"start":0,"pass_in":0,"wake":0,"compute":0,"idle":0,"pass_out":0,"reassemble":0},)~"
      R"~("caller_ns":{"start":0,"pass_in":0,"wake":0,"compute":0,"idle":0,"pass_out":0,"reassemble":0},"per_worker":[],)~"
      R"~("imbalance":0.0,"bytes_in":0,"bytes_broadcast":0,"bytes_out":0,"bytes_shared":0,"bytes_copied_on_write":0,"page_faults":0,)~"
      R"~("peak_memory_bytes":0,"arena_bytes":0,"slowest":[],"deaths":0,"retries":0,"threads_at_fork":0,"warnings":[],)~"
      R"~("advice":"","timeline":{"thinned":false,"chunks":[{"call":0,"worker":0,"first":4,"count":2,"merged":1,"begin_ns":1001,)~"
      R"~("end_ns":7001,"pass_in_ns":500,"pass_out_ns":0,"idle_ns":0}],"events":[{"what":"worker_died","call":0,"worker":0,"slice":4,)~"
      R"~("at_ns":7002,"text":"signal 9 (SIGKILL)"}],"caller":[]}})~");
}

TEST(report_json, has_no_timeline_where_none_was_asked_for) {
  EXPECT_NE(made_up::without_timeline().json().find(R"~("timeline":null)~"), std::string::npos);
}

TEST(report_json, is_utf8_whatever_an_exception_said) {
  const std::string json = made_up::with_crashes().json();
  EXPECT_EQ(json.find('\xff'), std::string::npos);
  EXPECT_NE(json.find("\xef\xbf\xbd"), std::string::npos);  // the replacement character
}

TEST(report_document, keeps_calls_apart) {
  const std::vector calls{tiny(), made_up::without_timeline()};
  const std::vector totals{tiny()};
  EXPECT_EQ(document(totals, calls, document_format::json), R"~({"forkful":")~" FORKFUL_VERSION R"~(","totals":[)~" +
                                                                totals[0].json() + R"~(],"calls":[)~" +
                                                                calls[0].json() + "," + calls[1].json() + "]}\n");
  EXPECT_EQ(document(totals, calls, document_format::text), calls[0].text() + "\n" + calls[1].text())
      << "a total of one call says nothing new";
  EXPECT_EQ(document({}, document_format::json), R"~({"forkful":")~" FORKFUL_VERSION R"~(","totals":[],"calls":[]})~"
                                                 "\n");
}

TEST(report_document, shows_the_total_of_several_calls_first) {
  const std::vector calls{made_up::ordinary(12, 3), made_up::ordinary(4, 3), tiny()};
  const std::string text = document(calls, document_format::text);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "2 calls of map: 160 slices in 16 chunks by 3 workers (process), 561.3 us");
  EXPECT_NE(text.find(calls[0].text() + "\n" + calls[1].text() + "\n" + calls[2].text()), std::string::npos) << text;
  const std::string page = document(calls, document_format::html);
  EXPECT_LT(page.find("2 calls of map: 160 slices"), page.find("map: 120 slices")) << "also without scripts";
}

TEST(report_trace, draws_chunks_crashes_and_the_caller_on_tracks_of_their_own) {
  EXPECT_EQ(
      on_one_line(tiny().trace()),
      R"~({"traceEvents":[{"name":"process_name","ph":"M","pid":1,"tid":1,"args":{"name":"call 5: map (process)"}},)~"
      R"~({"name":"process_sort_index","ph":"M","pid":1,"tid":1,"args":{"sort_index":1}},)~"
      R"~({"name":"thread_name","ph":"M","pid":1,"tid":1,"args":{"name":"caller"}},)~"
      R"~({"name":"thread_sort_index","ph":"M","pid":1,"tid":1,"args":{"sort_index":0}},)~"
      R"~({"name":"thread_name","ph":"M","pid":1,"tid":2,"args":{"name":"worker 0"}},)~"
      R"~({"name":"thread_sort_index","ph":"M","pid":1,"tid":2,"args":{"sort_index":1}},)~"
      R"~({"name":"map","ph":"X","pid":1,"tid":1,"ts":0.0001,"dur":9.0001,)~"
      R"~("args":{"way":"process","slices":1,"chunks":1,"finished":true}},)~"
      R"~({"name":"slices 4-5","ph":"X","pid":1,"tid":2,"ts":1.0011,"dur":6.0001,"args":{"first":4,"count":2}},)~"
      R"~({"name":"pass_in","ph":"X","pid":1,"tid":2,"ts":1.0011,"dur":0.5001},)~"
      R"~({"name":"compute","ph":"X","pid":1,"tid":2,"ts":1.5011,"dur":5.5001},)~"
      R"~({"name":"worker died: signal 9 (SIGKILL)","ph":"i","pid":1,"tid":2,"s":"t","ts":7.0021,"args":{"slice":4}}]})~");
}

TEST(report_trace, cuts_what_does_not_nest) {
  forkful::report call = tiny();
  forkful::timeline_chunk overlapping = call.recorded.chunks[0];
  overlapping.begin = nanoseconds{6'000};
  overlapping.end = nanoseconds{8'000};
  overlapping.pass_in = nanoseconds{1'500};
  overlapping.pass_out = nanoseconds{5'000};
  call.recorded.chunks.push_back(overlapping);
  const std::string trace = call.trace();
  EXPECT_NE(trace.find(R"~("ts":7.0011,"dur":0.9991,"args")~"), std::string::npos) << trace;
  EXPECT_NE(trace.find(R"~({"name":"pass_in","ph":"X","pid":1,"tid":2,"ts":7.0011,"dur":0.4991})~"), std::string::npos);
  EXPECT_NE(trace.find(R"~({"name":"pass_out","ph":"X","pid":1,"tid":2,"ts":7.5001,"dur":0.5001})~"),
            std::string::npos);
}

TEST(report_trace, says_where_several_chunks_are_drawn_as_one) {
  forkful::report call = tiny();
  call.recorded.chunks[0].merged = 3;
  EXPECT_NE(call.trace().find(R"~({"name":"2 slices from 4 on","ph":"X",)~"), std::string::npos);
  EXPECT_NE(call.trace().find(R"~("args":{"first":4,"count":2,"merged":3})~"), std::string::npos);
}

TEST(report_page, lets_no_text_of_an_exception_end_its_script) {
  const std::string page = made_up::with_crashes().html();
  const std::size_t data = page.find("<script type=\"application/json\"");
  ASSERT_NE(data, std::string::npos);
  EXPECT_EQ(page.find("</script>", data), page.find("</script>\n<script nonce", data));
  EXPECT_EQ(page.find("<img"), std::string::npos);
}

TEST(report_trace, puts_several_calls_on_one_clock) {
  forkful::report later = tiny();
  later.began = nanoseconds{52'000};
  forkful::report earlier = tiny();
  earlier.began = nanoseconds{50'000};
  const std::vector calls{later, earlier};
  const std::string trace = document(calls, document_format::trace);
  EXPECT_NE(trace.find(R"~("pid":3,"tid":3,"ts":2.0001,)~"), std::string::npos) << trace;
  EXPECT_NE(trace.find(R"~("pid":5,"tid":5,"ts":0.0001,)~"), std::string::npos);
  EXPECT_NE(trace.find(R"~("pid":5,"tid":6,"ts":1.0011,)~"), std::string::npos);
  // Before them the total, which has the chunks of both.
  EXPECT_NE(trace.find(R"~("pid":1,"tid":1,"args":{"name":"pool 0: 2 calls of map (process)"})~"), std::string::npos);
  EXPECT_NE(trace.find(R"~("pid":1,"tid":2,"ts":1.0011,)~"), std::string::npos);
}

TEST(report_time, adds_up_to_the_wall_of_all_workers_and_the_caller) {
  const forkful::report call = made_up::ordinary(60, 2);
  EXPECT_EQ(call.time().sum(), call.wall * 3);
  forkful::report uneven = call;
  uneven.per_worker[0].time.compute = nanoseconds{300};
  uneven.per_worker[1].time.compute = nanoseconds{100};
  EXPECT_EQ(uneven.imbalance(), 1.5);
  EXPECT_EQ(forkful::report{}.imbalance(), 0);
}

}  // namespace
