// --pipe: standard input in blocks, one a job.
#include "cli/map_program.hpp"

namespace forkful_tests {
namespace {

TEST(map_blocks, all_of_the_input_passes_once_and_in_order) {
  expect_prints("seq 300000 | map --pipe --block 100k -j3 cat | cmp - <(seq 300000)", "");
}
TEST(map_blocks, end_at_line_ends) {
  expect_prints("seq 100000 | map --pipe --block 10k 'tail -n 1 | grep -c .; head -c 0' | sort -u", "1\n");
}
TEST(map_blocks, have_about_the_size_asked_for) {
  expect_prints(
      "yes 123456789 | head -c 10000 | map --pipe --block 1000 wc -c | sort | uniq -c | awk '{ print $1, $2 }'",
      "10 1000\n");
}
TEST(map_blocks, have_so_many_lines) {
  expect_prints_as_parallel("--pipe -N 2 'tr \"\\n\" \" \"; echo'", "1 2 \n3 4 \n5 \n", "seq 5 | ");
}
TEST(map_blocks, a_line_longer_than_a_block_stays_whole) {
  expect_prints("{ echo a; head -c 50000 /dev/zero | tr '\\0' x; echo; echo b; } | map --pipe --block 100 wc -c",
                "2\n50001\n2\n");
}
TEST(map_blocks, the_last_line_needs_no_newline) { expect_prints("printf 'a\\nb' | map --pipe cat", "a\nb"); }
TEST(map_blocks, no_input_runs_nothing) { expect_prints("map --pipe cat < /dev/null", ""); }
TEST(map_blocks, are_not_read_by_all_jobs) { expect_prints("seq 100000 | map --pipe --block 10k true", ""); }
TEST(map_blocks, come_from_a_file) {
  expect_prints("seq 10 > f; map --pipe -a f -N 5 'paste -s -d ,'", "1,2,3,4,5\n6,7,8,9,10\n");
}
TEST(map_blocks, know_their_number) { expect_prints("seq 4 | map --pipe -N 2 'echo {#} $(cat)'", "1 1 2\n2 3 4\n"); }
TEST(map_blocks, are_counted_in_the_log) {
  expect_prints("seq 4 | map --pipe -N 2 --log log cat > /dev/null; cut -f 5,6 log", "Send\tReceive\n4\t4\n4\t4\n");
}
TEST(map_blocks, are_given_again_to_a_retry) {
  expect_prints("seq 3 | map --pipe --retries 2 'cat; [ -e again ] || { touch again; exit 1; }'", "1\n2\n3\n");
}
TEST(map_blocks, resume_by_their_number) {
  expect_prints("seq 6 > f; head -4 f | map --pipe -N 2 --log log cat; map --pipe -N 2 -a f --log log --resume cat",
                "1\n2\n3\n4\n5\n6\n");
}
TEST(map_blocks, end_in_nul) {
  expect_prints("printf 'a\\0b\\0c\\0' | map --pipe -0 -N 2 'tr \"\\0\" ,; echo'", "a,b,\nc,\n");
}

}  // namespace
}  // namespace forkful_tests
