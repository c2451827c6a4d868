// Who reads the words: a command, or a shell; and that no item ever becomes code.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

// Items that would do something, were they ever part of a program.
constexpr const char* evil =
    R"('$(touch pwned)' '`touch pwned`' '; touch pwned' "'; touch pwned; '" '"; touch pwned; "' '| touch pwned' $'\ntouch pwned\n' '> pwned' '${x:=$(touch pwned)}' '-n' '\' 'a  b' '*' '' ')' '}')";

// The line prints each item, exactly, and nothing was run.
void expect_harmless(const std::string& words) {
  const std::string line = std::string("items=(") + evil + "); map " + words +
                           " ::: \"${items[@]}\" > out; echo $?; printf '%s\\0' \"${items[@]}\" | cmp - out && ls";
  expect_prints(line, "0\nout\n");
}

TEST(map_quoting, several_words_are_passed_as_they_are) {
  expect_prints(R"(map printf '[%s]' 'a  b' '$HOME' "it's" '' {} ::: x)", "[a  b][$HOME][it's][][x]");
}
TEST(map_quoting, items_are_words_of_a_command) { expect_harmless(R"(printf '%s\0')"); }
TEST(map_quoting, items_are_harmless_outside_of_quotes) { expect_harmless(R"('printf "%s\0" {}')"); }
TEST(map_quoting, items_are_harmless_in_double_quotes) { expect_harmless(R"('printf "%s\0" "{}"')"); }
TEST(map_quoting, items_are_harmless_in_single_quotes) { expect_harmless(R"("printf '%s\0' '{}'")"); }
TEST(map_quoting, items_are_harmless_at_the_end_of_a_line) { expect_harmless(R"('printf "%s\0"')"); }
TEST(map_quoting, items_are_harmless_inside_of_a_substitution) {
  expect_harmless(R"('x=$(printf "%sx" {}); printf "%s\0" "${x%x}"')");
}
TEST(map_quoting, items_are_harmless_inside_of_a_quoted_substitution) {
  expect_harmless(R"sh('x="$(printf "%sx" "{}")"; printf "%s\0" "${x%x}"')sh");
}
TEST(map_quoting, items_are_harmless_in_a_default) { expect_harmless(R"('printf "%s\0" "${none-{}}"')"); }
TEST(map_quoting, items_are_harmless_in_backquotes) {
  expect_harmless(R"('x=`printf "%sx" {}`; printf "%s\0" "${x%x}"')");
}
TEST(map_quoting, items_are_harmless_in_a_function_and_a_case) {
  expect_harmless(R"('f() { case "$1" in *) printf "%s\0" "$1" ;; esac; }; f {}')");
}
TEST(map_quoting, items_are_harmless_in_the_text_of_a_shell) { expect_harmless(R"(sh -c 'printf "%s\0" {}')"); }
TEST(map_quoting, items_are_harmless_in_the_quoted_text_of_a_shell) {
  expect_harmless(R"(sh -c 'printf "%s\0" "{}"')");
}
TEST(map_quoting, items_are_harmless_in_the_text_of_bash) {
  expect_harmless(R"(bash -e -o pipefail -c "printf '%s\0' '{}'")");
}
TEST(map_quoting, items_are_harmless_in_a_shell_behind_another_command) {
  expect_harmless(R"(env X=1 nice sh -ec 'printf "%s\0" {}')");
}
TEST(map_quoting, items_are_harmless_behind_dollar_single_quotes) {
  expect_harmless(R"(--shell-program bash "printf '%s\0' \$'{}'")");
}
TEST(map_quoting, items_are_harmless_with_c) { expect_harmless(R"(-c printf "'%s\0'" {})"); }
TEST(map_quoting, items_are_harmless_where_the_scan_is_fooled) {
  // A value may fall into words or gain quotes there, and no more.
  const std::string line = std::string("items=(") + evil + R"sh(); map 'x="$(case a in a) echo {} ;; esac)";
  cat << END > / dev / null {}
  END' ::: "${items[@]}" > /dev/null 2>&1; ls)sh";
  EXPECT_EQ(bash(line).out, "");
}
TEST(map_quoting, numbers_in_arithmetic) { expect_prints("map 'echo $(( {} * (2 + {}) ))' ::: 3 4", "15\n24\n"); }
TEST(map_quoting, a_comment_has_no_placeholders) { expect_prints("map 'echo {} # it'\"'\"'s {}' ::: a", "a\n"); }
TEST(map_quoting, a_placeholder_behind_a_backslash_is_text) { expect_prints("map 'echo \\{} {}' ::: a", "{} a\n"); }
TEST(map_quoting, words_of_a_shell_text_stay) {
  expect_prints(R"(map sh -c 'echo $0 $1 $2 {}' name 'x y' z ::: a)", "name x y z a\n");
}
TEST(map_quoting, a_shell_text_without_placeholders_gets_items_as_xargs_gives_them) {
  expect_prints(R"(map sh -c 'echo $0 $1' _ ::: a; printf 'a\n' | xargs sh -c 'echo $0 $1' _)", "_ a\n_ a\n");
}
TEST(map_quoting, one_word_is_a_line_for_the_shell) {
  expect_prints_as_parallel("'echo a; echo {} | tr a b' ::: a", "a\nb\n");
}
TEST(map_quoting, one_word_that_is_a_program_is_run) {
  expect_prints(
      "mkdir 'my dir'; printf '#!/bin/sh\\necho ran \"$1\"\\n' > 'my dir/a b'; chmod +x 'my dir/a b'; map 'my dir/a b' "
      "::: 1",
      "ran 1\n");
}
TEST(map_quoting, redirections_of_a_line_work) {
  expect_prints("map 'echo {} > {.}.out' ::: a.x 'b c.x'; cat a.out 'b c.out'", "a.x\nb c.x\n");
}
TEST(map_quoting, without_a_command_the_items_are_lines) {
  expect_prints_as_parallel("::: 'echo a; echo b' 'echo c | tr c d'", "a\nb\nd\n");
}
TEST(map_quoting, c_makes_a_line_of_words) { expect_prints("map -c echo {} '|' tr a b ::: a", "b\n"); }
TEST(map_quoting, q_passes_operators_on) { expect_prints("map -q echo '|' '>x' ';' ::: a", "| >x ; a\n"); }
TEST(map_quoting, an_operator_among_words_is_refused) {
  for (const char* word :
       {";", "|", "&", "&&", "||", "<", ">", ">>", "2>", "2>&1", ">file", ">>file", "2>file", "</dev/null"}) {
    expect_refused(std::string("map echo '") + word + "' x ::: a",
                   std::string("'") + word + "' is one word of several");
  }
}
TEST(map_quoting, the_refusal_shows_the_line_to_write) {
  expect_refused("map grep -c '>' x ::: a", "forkful map 'grep -c > x', or -c; for the command, as it is: -q");
}
TEST(map_quoting, words_that_only_look_like_operators_pass) {
  expect_prints("map echo '<html>' 'a;b' 'x|y' '->' '=>' 'a>b' ::: 1", "<html> a;b x|y -> => a>b 1\n");
}
TEST(map_quoting, a_line_that_ends_in_an_operator_has_no_place_for_items) {
  expect_refused("map 'echo hi;' ::: rm", "the shell line ends in ;, so items at its end would be commands");
  expect_refused("map 'echo hi | ' ::: rm", "the shell line ends in |");
  expect_prints("map 'echo {} &' ::: a; wait", "a\n");
}
TEST(map_quoting, an_exported_function_is_a_command) {
  expect_prints("f() { echo \"f[$1][$2]\"; }; export -f f; map f 'a b' ::: 'c d'", "f[a b][c d]\n");
}
TEST(map_quoting, an_exported_function_is_known_in_lines) {
  expect_prints("f() { echo \"f[$1]\"; }; export -f f; map 'f {}; f x' ::: 'c d'", "f[c d]\nf[x]\n");
}
TEST(map_quoting, the_shell_is_sh_whatever_SHELL_says) {
  expect_prints("SHELL=/bin/false map 'echo {}' ::: a; map 'test -z \"$BASH_VERSION\" && echo {}' ::: b", "a\nb\n");
}
TEST(map_quoting, another_shell_can_be_named) {
  expect_prints("map --shell-program bash 'a=(x {}); echo ${a[1]}' ::: y", "y\n");
}
TEST(map_quoting, a_shell_that_is_not_there_is_said) {
  expect_refused("map --shell-program nosh 'echo {}' ::: y", "there is no such program", 127);
}
TEST(map_quoting, a_script_without_a_first_line_is_one_of_sh) {
  expect_prints("echo 'echo ran \"$1\"' > script; chmod +x script; map ./script ::: a", "ran a\n");
}
TEST(map_quoting, a_dry_run_can_be_pasted) {
  const std::string line = std::string("items=(") + evil +
                           R"(); for words in 'printf %s\n' 'printf "%s\n" {}' "printf '%s\\n' 'a{}b' \"c{}d\""; do
    map "$words" ::: "${items[@]}" > direct; map --dry-run "$words" ::: "${items[@]}" > lines; bash lines > pasted; cmp direct pasted; wc -l < lines; done
    map printf '%s\n' ::: "${items[@]}" > direct; map --dry-run printf '%s\n' ::: "${items[@]}" | bash | cmp - direct; ls)";
  expect_prints(line, "16\n16\n16\ndirect\nlines\npasted\n");
}
TEST(map_quoting, a_dry_run_runs_nothing) {
  expect_prints("map --dry-run touch ::: a 'b c'; ls", "touch a\ntouch 'b c'\n");
}
TEST(map_quoting, t_says_each_command_first) {
  const ran result = bash("map -j1 -t echo ::: a 'b c'");
  EXPECT_EQ(result.out, "a\nb c\n");
  EXPECT_EQ(result.err, "echo a\necho 'b c'\n");
}
TEST(map_quoting, options_end_at_the_command) { expect_prints("map echo -n -j2 --tag x ::: a", "-j2 --tag x a"); }
TEST(map_quoting, options_end_at_two_dashes) { expect_refused("map -- -x ::: a", "there is no command -x", 127); }

}  // namespace
}  // namespace forkful_tests
