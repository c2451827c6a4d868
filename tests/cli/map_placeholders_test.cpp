// What placeholders stand for, in commands and in shell lines.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

TEST(map_placeholders, forms_of_a_path) {
  for (const char* form : {"{.}", "{/}", "{//}", "{/.}"}) {
    const std::string words = std::string("echo '[' ") + form + " ']' ::: a/b.c.d x .hid a/.b.c a. / a/b/ dir.x/f /f";
    const std::string ours = bash("map " + words).out;
    EXPECT_EQ(lines_of(ours).size(), 9U) << words;
    if (has_gnu_parallel()) {
      EXPECT_EQ(ours, bash("parallel --will-cite -k -q " + words).out) << words;
    }
  }
}
TEST(map_placeholders, forms_of_one_path) {
  expect_prints("map echo {} {.} {/} {//} {/.} ::: a/b.c.d", "a/b.c.d a/b.c b.c.d a b.c\n");
}
TEST(map_placeholders, none_adds_the_item_at_the_end) { expect_prints_as_parallel("echo a ::: b", "a b\n"); }
TEST(map_placeholders, the_number_alone_is_one) { expect_prints_as_parallel("echo {#} ::: a b", "1\n2\n"); }
TEST(map_placeholders, the_slot_is_at_most_the_jobs) {
  expect_prints("map -j2 echo {%} ::: a b c d e f | sort -u | grep -v '^[12]$'; :", "");
}
TEST(map_placeholders, columns_are_counted_from_either_end) {
  expect_prints_as_parallel("echo {-1} {1} ::: a ::: b", "b a\n");
}
TEST(map_placeholders, a_column_takes_forms) {
  expect_prints_as_parallel("echo {2.} {2/} {1/.} ::: a/b.c ::: d/e.f", "d/e e.f b\n");
}
TEST(map_placeholders, a_word_is_repeated_for_each_item) {
  expect_prints("map -n2 echo x{}y ::: a b c", "xay xby\nxcy\n");
}
TEST(map_placeholders, the_words_around_are_repeated_too) {
  expect_prints_as_parallel("-N2 echo {}-{1}-{2} ::: a b", "a-a-b b-a-b\n");
}
TEST(map_placeholders, may_be_the_command) { expect_prints("map '{}' x ::: echo printf", "x\nx"); }
TEST(map_placeholders, capital_i_spells_it_otherwise) { expect_prints_as_parallel("-I @ echo @@ ::: a", "aa\n"); }
TEST(map_placeholders, that_are_none_stay) { expect_prints("map echo {x} {1x} { } {-} ::: a", "{x} {1x} { } {-} a\n"); }
TEST(map_placeholders, perl_expressions_are_refused) {
  expect_refused("map echo '{= s/a/b/ =}' ::: a", "{= perl =} is not read here");
}
TEST(map_placeholders, a_placeholder_in_an_item_is_text) {
  expect_prints("map echo {} ::: '{}' '{#}' '{.}'", "{}\n{#}\n{.}\n");
}
TEST(map_placeholders, jobs_know_their_number_and_slot) {
  expect_prints(R"(map -j1 sh -c 'echo $FORKFUL_SEQ $FORKFUL_SLOT $PARALLEL_SEQ $PARALLEL_JOBSLOT {}' ::: a b)",
                "1 1 1 1 a\n2 1 2 1 b\n");
}
TEST(map_placeholders, in_a_shell_line_the_number_and_slot) {
  expect_prints("map -j1 'echo {#}{%}{}' ::: a b", "11a\n21b\n");
}
TEST(map_placeholders, in_a_shell_line_all_items) {
  expect_prints("map -n3 'printf \"<%s>\" {}; echo' ::: 'a b' c d", "<a b><c><d>\n");
}
TEST(map_placeholders, in_a_shell_line_forms_of_all_items) {
  expect_prints("map -n2 'printf \"<%s>\" {.}; echo' ::: 'a b.c' d.e", "<a b><d>\n");
}
TEST(map_placeholders, in_quotes_of_a_shell_line_all_items) {
  expect_prints("map -n2 'echo \"<{}>\"' ::: a b", "<a b>\n");
}
TEST(map_placeholders, more_than_nine_columns_in_a_shell_line) {
  expect_prints("map -C , 'echo {1}{2}{3}{4}{5}{6}{7}{8}{9}{10}{11}' ::: a,b,c,d,e,f,g,h,i,j,k", "abcdefghijk\n");
}

}  // namespace
}  // namespace forkful_tests
