// Where items come from, how they are combined, and how many a job gets.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

TEST(map_items, lines_of_standard_input_are_items) {
  expect_prints_as_parallel("echo x", "x a\nx b\n", "printf 'a\\nb\\n' | ");
}
TEST(map_items, the_last_line_needs_no_newline) { expect_prints_as_parallel("echo", "a\nb\n", "printf 'a\\nb' | "); }
TEST(map_items, no_input_is_all_well) { expect_prints("map echo < /dev/null", ""); }
TEST(map_items, words_behind_colons_are_items) { expect_prints_as_parallel("echo ::: a 'b c'", "a\nb c\n"); }
TEST(map_items, empty_lines_are_items) {
  expect_prints_as_parallel("echo x{}", "xa\nx\nxb\n", "printf 'a\\n\\nb\\n' | ");
}
TEST(map_items, dash_r_leaves_empty_lines_out) {
  expect_prints_as_parallel("-r echo x{}", "xa\nxb\n", "printf 'a\\n\\nb\\n' | ");
}
TEST(map_items, nothing_in_a_line_is_special) {
  expect_prints(R"(printf '%s\n' "it's" 'a "b' 'c\d' '  e  ' '-n' '$x' '*' | map printf '[%s]\n')",
                "[it's]\n[a \"b]\n[c\\d]\n[  e  ]\n[-n]\n[$x]\n[*]\n");
}
TEST(map_items, end_in_nul_with_0) {
  expect_prints_as_parallel("-0 printf '[%s]'", "[a\nb][c]", "printf 'a\\nb\\0c\\0' | ");
}
TEST(map_items, end_in_what_d_says) { expect_prints_as_parallel("-d , echo", "a\nb\n", "printf 'a,b' | "); }
TEST(map_items, d_takes_an_escape) { expect_prints_as_parallel("-d '\\t' echo", "a\nb\n", "printf 'a\\tb' | "); }
TEST(map_items, bytes_that_are_no_text_pass) {
  expect_prints("printf '\\377\\376\\n' | map printf %s | od -An -tx1", " ff fe\n");
}
TEST(map_items, carriage_returns_stay) { expect_prints("printf 'a\\r\\n' | map printf %s | od -An -c", "   a  \\r\n"); }
TEST(map_items, come_from_files_with_a) {
  expect_prints_as_parallel("-a list echo", "a\nb\n", "printf 'a\\nb\\n' > list; ");
}
TEST(map_items, come_from_files_behind_four_colons) {
  expect_prints_as_parallel("echo :::: list other", "a 1\na 2\nb 1\nb 2\n",
                            "printf 'a\\nb\\n' > list; printf '1\\n2\\n' > other; ");
}
TEST(map_items, dash_is_standard_input) { expect_prints_as_parallel("echo :::: -", "a\n", "echo a | "); }
TEST(map_items, come_from_a_pipe_of_the_shell) { expect_prints("map -a <(echo a) echo", "a\n"); }
TEST(map_items, of_several_sources_are_combined_the_last_turns_fastest) {
  expect_prints_as_parallel("echo ::: a b ::: 1 2", "a 1\na 2\nb 1\nb 2\n");
}
TEST(map_items, three_sources_are_combined) {
  expect_prints_as_parallel("echo {3}{2}{1} ::: a b ::: 1 ::: x y", "x1a\ny1a\nx1b\ny1b\n");
}
TEST(map_items, an_empty_source_combines_to_nothing) { expect_prints("map echo ::: a b :::", ""); }
TEST(map_items, with_a_plus_they_stand_side_by_side) {
  expect_prints_as_parallel("echo ::: a b c :::+ 1 2", "a 1\nb 2\n");
}
TEST(map_items, files_stand_side_by_side_too) {
  expect_prints_as_parallel("echo ::: a b ::::+ list", "a 1\nb 2\n", "printf '1\\n2\\n' > list; ");
}
TEST(map_items, linked_sources_begin_again) {
  expect_prints_as_parallel("--link echo ::: a b c ::: 1 2", "a 1\nb 2\nc 1\n");
}
TEST(map_items, linked_and_combined) {
  expect_prints_as_parallel("echo ::: a b :::+ 1 2 ::: x y", "a 1 x\na 1 y\nb 2 x\nb 2 y\n");
}
TEST(map_items, n_are_given_to_a_job) { expect_prints_as_parallel("-n 2 echo", "1 2\n3 4\n5\n", "seq 5 | "); }
TEST(map_items, capital_n_numbers_them) { expect_prints_as_parallel("-N2 echo {2} {1} ::: a b c d", "b a\nd c\n"); }
TEST(map_items, n_of_0_runs_once_an_item_without_it) { expect_prints_as_parallel("-N0 echo hi ::: a b", "hi\nhi\n"); }
TEST(map_items, as_many_as_fit_are_shared_evenly_at_the_end) {
  expect_prints("map -j2 -X echo ::: a b c d e", "a b c\nd e\n");
}
TEST(map_items, as_many_as_fit_pass_all_of_them_once) {
  expect_prints(
      "seq 200000 | map -j3 -X printf '%s\\n' | sort -n | cmp - <(seq 200000) && seq 200000 | map -X echo | wc -l | "
      "awk '{ print ($1 > 5 && $1 < 60) }'",
      "1\n");
}
TEST(map_items, fill_keeps_to_n) { expect_prints("map -j1 -X -n 2 echo ::: a b c", "a b\nc\n"); }
TEST(map_items, fall_into_columns) {
  expect_prints_as_parallel("--colsep , echo {2}-{1} ::: a,b 'c , d'", "b-a\nd-c\n");
}
TEST(map_items, columns_at_a_regular_expression) { expect_prints_as_parallel("-C ' +' echo {3} ::: 'a   b c'", "c\n"); }
TEST(map_items, columns_at_a_tab) {
  expect_prints_as_parallel("--colsep '\\t' echo {2}", "y\n", "printf 'x\\ty\\n' | ");
}
TEST(map_items, a_column_that_is_not_there_is_empty) { expect_prints_as_parallel("-C , echo [{3}] ::: a,b", "[]\n"); }
TEST(map_items, a_header_names_the_columns) {
  expect_prints_as_parallel("--header : --colsep , echo {age} {name}", "3 eve\n", "printf 'name,age\\neve,3\\n' | ");
}
TEST(map_items, a_header_names_the_sources) {
  expect_prints_as_parallel("--header : echo {y}{x} ::: x 1 ::: y 2 3", "21\n31\n");
}
TEST(map_items, a_named_column_takes_forms) {
  expect_prints_as_parallel("--header : echo {f.} {f/} {f//} {f/.} ::: f a/b.c", "a/b b.c a b\n");
}
TEST(map_items, arrive_one_by_one_and_are_run_at_once) {
  // The second line comes only when the first one's job has printed.
  expect_prints(
      "mkfifo f; (exec 3> f; echo 1 >&3; until_is grep -q 1 out; echo 2 >&3) & map -j2 echo < f > out; wait; cat out",
      "1\n2\n");
}
TEST(map_items, a_million_lines_are_read_as_needed) {
  expect_prints("seq 1000000 | map -n 5000 echo | tr ' ' '\\n' | cmp - <(seq 1000000)", "");
}
TEST(map_items, an_endless_list_is_read_as_needed) {
  expect_prints("yes | head -c 100000000 | map --halt soon,done=3 -j1 echo | head -3", "y\ny\ny\n");
}
TEST(map_items, a_line_of_ten_megabytes_is_one_job_that_was_not_started) {
  const ran result = bash("{ echo a; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo b; } | map echo");
  EXPECT_EQ(result.out, "a\nb\n");
  EXPECT_NE(result.err.find("job 2 was not started: an argument has 10000000 bytes"), std::string::npos)
      << result.err.substr(0, 300);
  EXPECT_LT(result.err.size(), 1000U);
  EXPECT_EQ(result.exit_code, 1);
}
TEST(map_items, an_argument_may_have_128_kilobytes_less_one) {
  expect_prints("head -c 131071 /dev/zero | tr '\\0' x | map printf %s | wc -c", "131071\n");
  EXPECT_EQ(bash("head -c 131072 /dev/zero | tr '\\0' x | map printf %s").exit_code, 1);
}
TEST(map_items, with_a_nul_are_not_started) {
  const ran result = bash("printf 'a\\nb\\0c\\nd\\n' | map echo");
  EXPECT_EQ(result.out, "a\nd\n");
  EXPECT_NE(result.err.find("job 2 was not started: an argument holds a NUL"), std::string::npos) << result.err;
  EXPECT_EQ(result.exit_code, 1);
}
TEST(map_items, a_list_that_is_not_there_is_said_before_anything_runs) {
  expect_refused("map echo :::: nothing", "from nothing: No such file", 3);
}
TEST(map_items, a_list_that_cannot_be_read_ends_the_run) {
  const ran result = bash("map echo :::: /");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("cannot read the items from /: Is a directory"), std::string::npos) << result.err;
}
TEST(map_items, a_closed_standard_input_cannot_be_read) { EXPECT_EQ(bash("map echo <&-").exit_code, 3); }
TEST(map_items, a_terminal_without_items_is_refused_at_once) {
  at_terminal nothing({"map", "echo"});
  EXPECT_TRUE(nothing.says("there are no items: put them behind :::"));
  EXPECT_EQ(nothing.end(), 2);
}

}  // namespace
}  // namespace forkful_tests
