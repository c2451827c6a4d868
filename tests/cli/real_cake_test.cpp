// Step 10: files as slices, good ones and bad ones.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

namespace fs = std::filesystem;

class real_cake : public testing::Test {
 protected:
  real_cake() {
    std::string pattern = (fs::temp_directory_path() / "forkful_cake_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~real_cake() override { fs::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& contents) {
    std::ofstream(directory_ / name) << contents;
    return (directory_ / name).string();
  }
  static ran run_slice(words files) {
    files.insert(files.begin(), {"tour", "--step", "10"});
    return run(files);
  }
  static bool matches(const std::string& text, const std::string& pattern) {
    return std::regex_search(text, std::regex(pattern));
  }

  fs::path directory_;
};

const std::string text(5000, 'a');

TEST_F(real_cake, every_way_gives_the_bytes_of_the_loop_and_its_own_copies) {
  const ran result = run_slice({file("one", text), file("two", text + text), file("three", "short")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(matches(result.out, "one +5.0 KB -> +[0-9]+ B   friend [0-9]+\ntwo +10.0 KB")) << result.out;
  // 15005 bytes there, if they are copied there; the same bytes back, if they are copied back.
  const std::string figures = " +[0-9.]+ [a-z]+ +[0-9.]+ x +";
  EXPECT_TRUE(matches(result.out, "\nloop" + figures + "0 B +0 B  \\(compared\\)\n")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nsnapshot, map" + figures + "0 B +[1-9][0-9]* B  yes\n")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nprocess, map" + figures + "15.0 KB +[1-9][0-9]* B  yes\n")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nprocess, update" + figures + "15.0 KB +[1-9][0-9]* B  yes\n")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nprocess, in place" + figures + "0 B +0 B  yes\n")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nFastest: |\nNo way beat the loop")) << result.out;
}

TEST_F(real_cake, default_is_every_licence_text_once) {
  if (!fs::exists("/usr/share/common-licenses")) GTEST_SKIP() << "this system has no licence texts";
  const ran result = run({"tour", "--step", "10"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const auto& entry : fs::directory_iterator("/usr/share/common-licenses")) {
    const bool listed = matches(result.out, "\n" + entry.path().filename().string() + " +[0-9.]+ K?B ->");
    EXPECT_EQ(listed, !entry.is_symlink()) << entry.path();
  }
}

TEST_F(real_cake, bad_input_costs_its_slice_and_a_sentence_each) {
  const std::string missing = (directory_ / "missing").string();
  const std::string folder = (directory_ / "folder").string();
  const std::string pipe = (directory_ / "pipe").string();
  fs::create_directory(folder);
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string empty = file("empty", "");
  const std::string under_a_file = file("first", text) + "/below";
  const ran result = run_slice(
      {file("first", text), missing, folder, empty, pipe, under_a_file, "/proc/self/mem", file("last", text)});

  EXPECT_EQ(result.exit_code, 1);
  std::string said = result.err;
  for (std::size_t at; (at = said.find(directory_.string())) != std::string::npos;)
    said.replace(at, directory_.string().size(), "DIRECTORY");
  expect_baseline("bad_input", said);
  EXPECT_NE(result.out.find("2 of 8 files are slices of this cake\n"), std::string::npos) << result.out;
  EXPECT_TRUE(matches(result.out, "\nfirst +5.0 KB -> ")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nlast +5.0 KB -> ")) << result.out;
  EXPECT_TRUE(matches(result.out, "\nprocess, in place .* yes\n")) << result.out;
}

TEST_F(real_cake, a_file_without_read_permission_is_bad_input) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const std::string secret = file("secret", text);
  fs::permissions(secret, fs::perms::none);
  const ran result = run_slice({secret, file("good", text)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err,
            "forkful: '" + secret + "' may not be read by you; change its permissions (chmod +r), or leave it out\n");
  EXPECT_TRUE(matches(result.out, "\ngood +5.0 KB -> ")) << result.out;
}

TEST_F(real_cake, with_nothing_but_bad_input_there_is_no_cake) {
  const ran result = run_slice({(directory_ / "missing").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(lines_of(result.err).size(), 2U) << result.err;
  EXPECT_TRUE(result.err.ends_with("forkful: no slice is left, so there is no cake; name files that can be read\n"));
  EXPECT_EQ(result.out.find("speed-up"), std::string::npos);
}

TEST_F(real_cake, names_may_be_anything) {
  const ran result = run_slice({file("two words", text), file("\033[2Jescape\nline", text),
                                file("gr\xc3\xbc\xc3\x9f"
                                     "e",
                                     text),
                                file(std::string(200, 'n'), text), "--", file("-dash", text)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
  EXPECT_TRUE(matches(result.out, "\n\\?\\[2Jescape\\?line +5.0 KB -> ")) << result.out;
  EXPECT_TRUE(matches(result.out,
                      "\ngr\xc3\xbc\xc3\x9f"
                      "e +5.0 KB -> "))
      << result.out;
}

TEST_F(real_cake, the_same_file_twice_is_two_slices) {
  const std::string twice = file("twice", text);
  const ran result = run_slice({twice, twice});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(matches(result.out, "\ntwice .*\ntwice ")) << result.out;
}

TEST_F(real_cake, hundreds_of_slices_stay_within_eighty_columns) {
  words files;
  for (int i = 0; i < 300; ++i) files.push_back(file("slice" + std::to_string(i), text));
  const ran result = run_slice(files);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("\nand 276 more\n"), std::string::npos) << result.out;
  for (const std::string& line : lines_of(result.out)) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace forkful_tests
