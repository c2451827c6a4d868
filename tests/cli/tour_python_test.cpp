// forkful tour --python: the talk's lines in the real interpreter; and interpreters that are missing, fail, hang or are killed, which
// scripts play.
#include <sys/stat.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "cli/program.hpp"

namespace forkful_tests {
namespace {

namespace fs = std::filesystem;

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex(pattern));
}

// A process is gone when it has ended, whether or not somebody has asked for its status. Waits for that.
void expect_gone(const std::string& pid) {
  for (std::string state = "R"; state != "Z" && state != "X";) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string name;
    if (!(stat >> name >> name >> state)) return;
  }
}

class python_tour : public testing::Test {
 protected:
  python_tour() {
    std::string pattern = (fs::temp_directory_path() / "forkful_python_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~python_tour() override { fs::remove_all(directory_); }

  // An interpreter that has the module, and given lines does `does`. Its arguments are those of session.py, behind "-c" and the
  // session: the tool's directory $3, what was before $4, the lines $5, the files.
  std::string interpreter(const std::string& does) {
    const std::string path = (directory_ / "python").string();
    std::ofstream(path) << "#!/bin/sh\n[ -n \"$5\" ] || exit 0\n" << does << '\n';
    chmod(path.c_str(), 0700);
    return path;
  }
  static words step(int number, const words& more) {
    words arguments{"tour", "--step", std::to_string(number), "--python"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  static std::string in_python(const std::string& out) {
    const std::string head = "\nand in Python:\n";
    const std::size_t at = out.find(head);
    EXPECT_NE(at, std::string::npos) << out;
    return at == std::string::npos ? "" : out.substr(at + head.size());
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }

  fs::path directory_;
};

TEST_F(python_tour, without_an_interpreter_says_what_to_install_and_walks_nowhere) {
  const ran result = run(step(1, {"--interpreter", "/no/such/python3"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "forkful: tour --python cannot run /no/such/python3: No such file or directory; install python3, or name "
            "another with --interpreter\n");
}

TEST_F(python_tour, without_the_module_says_how_to_build_it_and_walks_nowhere) {
  const std::string path = (directory_ / "python").string();
  std::ofstream(path) << "#!/bin/sh\nexec /usr/bin/python3 -S \"$1\" \"$2\" /nowhere \"$4\" \"$5\"\n";
  chmod(path.c_str(), 0700);
  const ran result = run(step(1, {"--interpreter", path}), {"PYTHONPATH="});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  EXPECT_TRUE(
      result.err.starts_with("forkful: " + path + " has no module forkful (ModuleNotFoundError: No module named"))
      << result.err;
  EXPECT_TRUE(matches(result.err, "\\./dev python builds it, too")) << result.err;
}

TEST_F(python_tour, with_an_interpreter_that_does_not_start_says_so) {
  const ran result = run(step(1, {"--interpreter", directory_.string()}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err,
            "forkful: " + directory_.string() + " left with exit code 127 when it was asked for the module forkful\n");
}

TEST_F(python_tour, gives_lines_and_names_of_files_as_they_are) {
  const std::string name = file("; echo $(id) `id` \"x\" *", "text");
  const ran result = run(step(10, {name, "--interpreter", interpreter("echo \"$6\"; echo \"$5\"; cat")}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string shown = in_python(result.out);
  EXPECT_TRUE(shown.starts_with(name + "\nimport forkful as multiprocessing\ncake = [open(path, 'rb').read()"))
      << shown;
}

TEST_F(python_tour, shows_whole_lines_within_eighty_columns_that_cannot_move_the_cursor) {
  const ran result =
      run(step(1, {"--interpreter", interpreter("printf 'one \\033[2J\\n'; for i in 1 2 3 4 5 6 7; do printf 'a word "
                                                "of many, '; done >&2; printf 'the end'")}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(
      in_python(result.out),
      "one ?[2J\na word of many, a word of many, a word of many, a word of many, a word of many,\n  a word of many, "
      "a word of many, the end\n\n");
}

TEST_F(python_tour, says_how_an_interpreter_ended_and_fails) {
  for (const auto& [does, said] :
       {std::pair{"exit 1", "raised an exception, see above"}, std::pair{"exit 7", "left with exit code 7"},
        std::pair{"kill -SEGV $$", "was killed by signal 11 (Segmentation fault)"}}) {
    const ran result = run(step(2, {"--interpreter", interpreter(std::string("echo seen; ") + does)}));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(in_python(result.out), "seen\n\n");
    EXPECT_EQ(result.err, std::string("forkful: step 2: Python ") + said + "\n");
  }
}

TEST_F(python_tour, goes_on_with_the_next_step_where_the_lines_of_one_failed) {
  const ran result =
      run({"tour", "--python", "--interpreter", interpreter("case $5 in *EatSliceLambda*) exit 1;; esac")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "forkful: step 3: Python raised an exception, see above\n");
  EXPECT_NE(result.out.find("--- 10 of 10 ---"), std::string::npos);
}

TEST_F(python_tour, ends_an_interpreter_that_hangs_and_what_it_has_started) {
  const std::string hangs = interpreter("echo $$; sleep 1000 & echo $!; wait");
  // On a busy machine it may not have come to say its number in so short a time: then with a longer one.
  words pids;
  for (const std::string seconds : {"0.3", "3.0", "30.0"}) {
    const ran result = run(step(1, {"--timeout", seconds + "s", "--interpreter", hangs}));
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(matches(result.err,
                        "^forkful: step 1: Python had not ended after [0-9.]+ m?s and was killed; --timeout gives it "
                        "longer\n$"))
        << result.err;
    pids = lines_of(in_python(result.out));
    if (pids.size() == 3) break;
  }
  ASSERT_EQ(pids.size(), 3U);
  expect_gone(pids[0]);
  expect_gone(pids[1]);
}

TEST_F(python_tour, ends_what_an_interpreter_has_left_behind) {
  const ran result = run(step(1, {"--interpreter", interpreter("sleep 1000 >/dev/null 2>&1 & echo $!")}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  expect_gone(lines_of(in_python(result.out)).at(0));
}

TEST_F(python_tour, leaves_on_interrupt_with_its_interpreter_and_what_that_has_started) {
  at_terminal tour(step(3, {"--interpreter", interpreter("echo pids $$; sleep 1000 & echo $! ready; wait")}));
  ASSERT_TRUE(tour.says(" ready"));
  tour.type("\x03");
  EXPECT_EQ(tour.end(), 130);
  EXPECT_TRUE(matches(tour.said(), "interrupted in step 3 of 10; go on with: forkful tour --step 3")) << tour.said();
  std::smatch pids;
  const std::string said = tour.said();
  ASSERT_TRUE(std::regex_search(said, pids, std::regex("pids ([0-9]+)\r\n([0-9]+) ready"))) << said;
  expect_gone(pids[1]);
  expect_gone(pids[2]);
}

TEST_F(python_tour, takes_its_interpreter_along_when_it_is_killed) {
  const std::string path = interpreter("echo pid $$ ready; exec sleep 1000");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t tour = fork();
  if (tour == 0) {
    dup2(ends[1], STDOUT_FILENO);
    become_program(step(1, {"--interpreter", path}), {});
  }
  close(ends[1]);
  std::string said;
  char room[4096];
  while (said.find(" ready") == std::string::npos) {
    const ssize_t got = read(ends[0], room, sizeof room);
    ASSERT_GT(got, 0) << said;
    said.append(room, static_cast<std::size_t>(got));
  }
  kill(tour, SIGKILL);
  exit_code_of(tour);
  close(ends[0]);
  std::smatch pid;
  ASSERT_TRUE(std::regex_search(said, pid, std::regex("pid ([0-9]+) ready")));
  expect_gone(pid[1]);
}

// ---- the real one, with the module beside the tool ----------------------------------------------------------------

#ifdef FORKFUL_MODULE
constexpr bool has_module = true;
#else
constexpr bool has_module = false;
#endif

class real_python : public python_tour {
 protected:
  void SetUp() override {
    if (!has_module) GTEST_SKIP() << "built without the Python module";
  }
};

TEST_F(real_python, runs_the_talk_s_lines_on_forkful) {
  const std::string fresh = "['slice_0', 'slice_1', 'slice_2', 'slice_3']\n";
  const std::string eaten = "['slice_0_eaten', 'slice_1_eaten', 'slice_2_eaten', 'slice_3_eaten']\n";
  const std::string loop = "Eating slice 0\nEating slice 1\nEating slice 2\nEating slice 3\n";
  const std::vector<std::string> expected{fresh, loop + eaten, eaten, fresh, "array([1., 1., 1., 1.])\n", eaten, eaten};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const ran result = run(step(static_cast<int>(i) + 1, {}));
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(in_python(result.out), expected[i] + "\n") << "step " << i + 1;
  }
}

TEST_F(real_python, shows_the_lines_that_run_and_the_talk_s_own_where_they_would_wait_for_ever) {
  const std::string pools = run(step(7, {})).out;
  EXPECT_TRUE(
      matches(pools, " Python \\| import forkful as multiprocessing\n        \\| with multiprocessing.Pool\\(2\\)"))
      << pools;
  EXPECT_FALSE(matches(pools, "talk \\|")) << pools;
  const std::string dead = run(step(8, {})).out;
  EXPECT_TRUE(matches(dead,
                      "   talk \\| with multiprocessing.Pool\\(2\\) as pool:\n.*waits for the dead friend, for ever\n"
                      " Python \\| import forkful as multiprocessing\n        \\| def EatSlice"))
      << dead;
}

TEST_F(real_python, loses_one_slice_to_a_friend_who_faints) {
  const ran result = run(step(8, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string shown = in_python(result.out);
  EXPECT_TRUE(matches(shown, "^slice_0_eaten\nitem 1 of try_map crashed worker [01] \\(SIGKILL")) << shown;
  EXPECT_TRUE(shown.ends_with("\nslice_2_eaten\nslice_3_eaten\n\n")) << shown;
  for (const std::string& line : lines_of(result.out)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(real_python, asks_for_advice_about_a_matrix_product) {
  const ran result = run(step(9, {}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string shown = in_python(result.out);
  EXPECT_TRUE(matches(shown, "\n  loop  .*\n  ThreadPool ") || matches(shown, "left out: this Python has no NumPy"))
      << shown;
  for (const std::string& line : lines_of(result.out)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(real_python, eats_the_real_cake) {
  const std::string text(5000, 'a');
  uLongf size = compressBound(text.size());
  std::string room(size, '\0');
  ASSERT_EQ(
      compress(reinterpret_cast<Bytef*>(room.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size()),
      Z_OK);
  const ran result = run(step(10, {file("one", text), file("two", text)}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(in_python(result.out), "[10000, " + std::to_string(2 * size) + "]\n\n");
}

TEST_F(real_python, shows_the_exception_of_a_file_that_cannot_be_read_without_our_own_lines) {
  const ran result = run(step(10, {file("one", "text"), "/no/such/\xc3\xa9"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.ends_with("forkful: step 10: Python raised an exception, see above\n")) << result.err;
  const std::string shown = in_python(result.out);
  EXPECT_TRUE(shown.starts_with("Traceback (most recent call last):\n  File \"<the tour>\", line 2, in <module>\n"))
      << shown;
  EXPECT_TRUE(shown.ends_with("\nFileNotFoundError: [Errno 2] No such file or directory: '/no/such/\\xe9'\n\n"))
      << shown;
}

TEST_F(real_python, leaves_steps_out_that_need_numpy_where_there_is_none) {
  fs::create_directories(directory_ / "numpy");
  std::ofstream(directory_ / "numpy/__init__.py")
      << "raise ModuleNotFoundError('No module named numpy', name='numpy')\n";
  for (const int number : {5, 9}) {
    const ran result = run(step(number, {}), {"PYTHONPATH=" + directory_.string()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(in_python(result.out), "(left out: this Python has no NumPy; Debian's package is python3-numpy)\n\n");
  }
}

TEST_F(real_python, imports_nothing_of_the_working_directory) {
  std::ofstream(directory_ / "ast.py") << "raise SystemExit(9)\n";
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  const ran result = run(step(1, {}));
  fs::current_path(before);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(real_python, stands_on_the_page_of_an_exported_tour) {
  const std::string page = (directory_ / "tour.html").string();
  const ran exported = run(step(8, {"--export", page}));
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_EQ(exported.out, "");
  std::ifstream in(page);
  const std::string html(std::istreambuf_iterator<char>(in), {});
  EXPECT_NE(html.find("<p>What ran in Python:</p>\n<pre>import forkful as multiprocessing"), std::string::npos);
  EXPECT_NE(html.find("<p>And in Python:</p>\n<pre>slice_0_eaten\nitem 1 of try_map crashed"), std::string::npos);
}

}  // namespace
}  // namespace forkful_tests
