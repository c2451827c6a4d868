// forkful race: every work, every form of what it says, and its mistakes. What the referee says is in tests/race.
#include <gmock/gmock.h>
#include <png.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

const words every_way{"serial", "thread", "snapshot", "process", "shared"};
const words all_but_shared{"serial", "thread", "snapshot", "process"};

// What is said at once about the race that is running, and what else went to stderr.
ran run(const words& arguments) {
  ran result = forkful_tests::run(arguments, {});
  if (arguments.front() == "race" && result.err.starts_with("racing ")) {
    const std::size_t end = result.err.find('\n');
    EXPECT_THAT(result.err.substr(0, end), MatchesRegex("racing [a-z]+: [a-z, ]+ in turns, until it is sure"));
    result.err.erase(0, end + 1);
  }
  return result;
}

words race(words more) {
  more.insert(more.begin(), {"race", "--rounds", "2", "--workers", "2"});
  return more;
}

json run_json(words more) {
  more.emplace_back("--json");
  const ran result = run(race(more));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return json::parse(result.out);
}

const json& way_of(const json& race, const std::string& name) {
  for (const json& each : race.at("ways"))
    if (each.at("way") == name) return each;
  throw std::out_of_range(name);
}

// Which ways ran; each that did has two times and the loop's results.
words ran_of(const json& race) {
  words names;
  EXPECT_EQ(race.at("same_results"), true) << race.dump(2);
  for (const json& each : race.at("ways")) {
    if (!each.at("ran")) {
      EXPECT_NE(each.at("why_not"), "");
      continue;
    }
    EXPECT_EQ(each.at("times_ns").size(), 2U);
    EXPECT_GT(each.at("median_ns"), 0);
    EXPECT_GT(each.at("peak_memory_bytes"), 0);
    EXPECT_EQ(each.at("same_results"), true) << each.dump(2);
    names.push_back(each.at("way"));
  }
  return names;
}

class race_program : public testing::Test {
 protected:
  race_program() {
    std::string pattern = (fs::temp_directory_path() / "forkful_race_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~race_program() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (directory_ / name).string(); }
  std::string file(const std::string& name, const std::string& contents) {
    std::ofstream(path(name), std::ios::binary) << contents;
    return path(name);
  }
  [[nodiscard]] std::string contents_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Of what lies in sharp.png.
  [[nodiscard]] words race_to(const std::string& out) const {
    return race({"--work", "blur", "--in", path("sharp.png"), "--slices", "5", "--out", out});
  }
  std::string without_directory(std::string said) const {
    for (std::size_t at; (at = said.find(directory_.string())) != std::string::npos;)
      said.replace(at, directory_.string().size(), "DIRECTORY");
    return said;
  }

  fs::path directory_;
};

TEST_F(race_program, list_names_every_work_in_a_line) {
  const ran list = run({"race", "--list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.err, "");
  expect_baseline("race_list", list.out);
}

TEST_F(race_program, help_begins_with_examples) {
  const ran help = run({"race", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful race")) << help.out;
  for (const std::string& line : lines_of(help.out)) EXPECT_LE(line.size(), 80U) << line;
  expect_baseline("help_race", help.out);
}

TEST_F(race_program, strings_travel_with_the_bytes_they_have) {
  const json race = run_json({"--work", "strings", "--slices", "50", "--bytes", "100B"});
  EXPECT_EQ(ran_of(race), every_way);
  EXPECT_GE(way_of(race, "process").at("bytes_in"), 5'000);
  EXPECT_GE(way_of(race, "process").at("bytes_out"), 5'300);
  EXPECT_EQ(way_of(race, "serial").at("bytes_in"), 0);
  EXPECT_EQ(way_of(race, "thread").at("bytes_in"), 0);
  EXPECT_EQ(way_of(race, "shared").at("bytes_in"), 0);
  EXPECT_EQ(way_of(race, "shared").at("bytes_out"), 0);
}

TEST_F(race_program, numbers_are_copied_only_where_they_have_to_be) {
  const json race = run_json({"--work", "numbers", "--slices", "10", "--bytes", "8KB"});
  EXPECT_EQ(ran_of(race), every_way);
  EXPECT_EQ(way_of(race, "process").at("bytes_in"), 80'000);
  EXPECT_EQ(way_of(race, "process").at("bytes_out"), 10 * (8'000 + 8)) << "a block comes back behind its length";
  EXPECT_EQ(way_of(race, "snapshot").at("bytes_in"), 0);
  EXPECT_EQ(way_of(race, "snapshot").at("bytes_out"), 10 * (8'000 + 8));
  EXPECT_EQ(way_of(race, "shared").at("bytes_in").get<int>() + way_of(race, "shared").at("bytes_out").get<int>(), 0);
}

TEST_F(race_program, works_on_numbers_only_have_nothing_to_change_in_place) {
  EXPECT_EQ(ran_of(run_json({"--work", "sleep", "--slices", "4", "--time", "50us"})), all_but_shared);
  EXPECT_EQ(ran_of(run_json({"--work", "montecarlo", "--slices", "4", "--time", "50us"})), all_but_shared);
}

TEST_F(race_program, monte_carlo_says_what_pi_is) {
  const json race = run_json({"--work", "montecarlo", "--slices", "64", "--time", "100us", "--ways", "serial"});
  const std::string remark = race.at("remark");
  ASSERT_THAT(remark, MatchesRegex("pi is about [0-9.]+"));
  EXPECT_NEAR(std::stod(remark.substr(12)), 3.14159, 0.05);
}

TEST_F(race_program, within_no_time_the_loop_runs_once_and_the_rest_is_left_out) {
  const ran result = forkful_tests::run(
      {"race", "--work", "montecarlo", "--slices", "4", "--time", "1us", "--within", "1ns", "--json"}, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "racing montecarlo: serial, thread, snapshot, process, shared in turns, within 1 ns\n");
  const json race = json::parse(result.out);
  EXPECT_EQ(way_of(race, "serial").at("times_ns").size(), 1U);
  for (const char* way : {"thread", "snapshot", "process"})
    EXPECT_EQ(way_of(race, way).at("why_not"), "there was no time left for it");
  EXPECT_EQ(race.at("left_out").size(), 7U) << race.at("left_out");
}

TEST_F(race_program, says_how_long_it_will_take_before_it_does) {
  const ran result = run(race({"--work", "montecarlo", "--slices", "4", "--time", "1us"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::size_t foretold = result.out.find("Once through takes ");
  ASSERT_NE(foretold, std::string::npos) << result.out;
  EXPECT_LT(foretold, result.out.find("median")) << result.out;
}

TEST_F(race_program, every_shape_of_skewed_slices) {
  for (const char* shape : {"equal", "linear", "exponential", "bimodal", "giant"}) {
    const json race = run_json({"--work", "skewed", "--slices", "20", "--time", "5us", "--skew", shape});
    EXPECT_EQ(ran_of(race), all_but_shared);
    EXPECT_EQ(race.at("slices"), std::string("20 slices of 5.0 us on average, ") + shape);
  }
}

TEST_F(race_program, matrices_need_open_blas_and_say_so) {
  const ran result = run(race({"--work", "matrix", "--slices", "3", "--bytes", "20KB", "--json"}));
  if (result.exit_code == 1) {
    EXPECT_THAT(result.err, HasSubstr("needs OpenBLAS, which is not installed here"));
    GTEST_SKIP() << "OpenBLAS is not installed";
  }
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(ran_of(json::parse(result.out)), every_way);
}

TEST_F(race_program, a_crash_is_survived_by_processes_and_not_tried_elsewhere) {
  const json race = run_json({"--work", "crash", "--slices", "5", "--time", "1us"});
  EXPECT_EQ(ran_of(race), (words{"snapshot", "process"}));
  EXPECT_EQ(way_of(race, "serial").at("why_not"), "would end the program");
  EXPECT_EQ(way_of(race, "thread").at("why_not"), "would end the program");
  EXPECT_EQ(way_of(race, "process").at("deaths"), 1);
  EXPECT_TRUE(way_of(race, "process").at("speed_up").is_null()) << "there is no loop to compare with";
  EXPECT_EQ(race.at("remark"), "slice 2 crashed in every call: it was named, and all 4 others came back");
}

TEST_F(race_program, only_the_ways_that_were_asked_for_the_loop_first) {
  const json race = run_json({"--work", "strings", "--slices", "4", "--ways", "process,serial,process"});
  ASSERT_EQ(race.at("ways").size(), 2U);
  EXPECT_EQ(ran_of(race), (words{"serial", "process"}));
}

TEST_F(race_program, says_what_is_running_before_it_reads_anything) {
  const ran result = forkful_tests::run(race({"--json", path("missing")}));
  EXPECT_TRUE(
      result.err.starts_with("racing gzip: serial, thread, snapshot, process, shared in turns, until it is sure\n"))
      << result.err;
}

TEST_F(race_program, markdown_is_a_table_and_a_verdict) {
  const ran result = run(race({"--work", "strings", "--slices", "4", "--ways", "serial,process", "--markdown"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const words lines = lines_of(result.out);
  ASSERT_GE(lines.size(), 8U) << result.out;
  EXPECT_EQ(lines[0], "strings: 4 slices of text, 28 B in all; 2 workers");
  EXPECT_EQ(lines[2], "| way | median | range | speed-up | copied in | out | memory |");
  EXPECT_EQ(lines[3], "|---|---:|---:|---:|---:|---:|---:|");
  EXPECT_TRUE(lines[4].starts_with("| serial | ")) << lines[4];
  EXPECT_TRUE(lines[5].starts_with("| process | ")) << lines[5];
  for (int row : {4, 5}) EXPECT_EQ(std::count(lines[row].begin(), lines[row].end(), '|'), 8) << lines[row];
  EXPECT_TRUE(lines.back().starts_with("**")) << lines.back();
}

TEST_F(race_program, the_verdict_comes_last_and_every_line_fits) {
  const ran result = run(race({"--work", "crash", "--slices", "5", "--time", "1us"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
  const words lines = lines_of(result.out);
  EXPECT_EQ(lines.front(), "race: crash, one slice crashes: only processes survive that");
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  const std::string last = lines[lines.size() - 2] + " " + lines.back();
  EXPECT_THAT(last, testing::ContainsRegex("Fastest: |Too close to say: ")) << result.out;
}

TEST_F(race_program, files_are_gzipped_so_that_gunzip_gives_them_back) {
  std::string first;
  for (int i = 0; i < 3'000; ++i) first += "line " + std::to_string(i) + "\n";
  const std::string second = "short";
  const std::string out = path("all.gz");
  const ran result = run(race({file("first", first), file("second", second), "--bytes", "10KB", "--out", out}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("4 slices of at most 10.0 KB, from 2 files of 28.9 KB in all\n"));
  gzFile packed = gzopen(out.c_str(), "rb");
  std::string unpacked(first.size() + second.size() + 10, '\0');
  const int size = gzread(packed, unpacked.data(), static_cast<unsigned>(unpacked.size()));
  gzclose(packed);
  ASSERT_GE(size, 0);
  unpacked.resize(static_cast<std::size_t>(size));
  EXPECT_TRUE(unpacked == first + second);
  EXPECT_LT(contents_of("all.gz").size(), unpacked.size() / 2);
}

TEST_F(race_program, a_file_that_cannot_be_read_costs_a_sentence) {
  const ran result = run(race({path("missing"), file("good", std::string(5'000, 'a'))}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(without_directory(result.err),
            "forkful: 'DIRECTORY/missing' does not exist; check its name, or leave it out\n");
  EXPECT_THAT(result.out, HasSubstr("1 slice of at most 64.0 KB, from 1 file of 5.0 KB in all\n"));
  EXPECT_THAT(result.out, HasSubstr("\nprocess "));
  const ran nothing = run(race({path("missing")}));
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_TRUE(nothing.err.ends_with("forkful: no file is left to compress; name files that can be read\n"));
}

struct pixels {
  unsigned width = 0;
  unsigned height = 0;
  std::vector<unsigned char> grey{};  // one value a pixel
  [[nodiscard]] double mean() const {
    return std::accumulate(grey.begin(), grey.end(), 0.0) / static_cast<double>(grey.size());
  }
  [[nodiscard]] double variance() const {
    double sum = 0;
    for (const unsigned char each : grey) sum += (each - mean()) * (each - mean());
    return sum / static_cast<double>(grey.size());
  }
};

void write_grey(const std::string& file, const pixels& what) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = what.width;
  png.height = what.height;
  png.format = PNG_FORMAT_GRAY;
  ASSERT_NE(png_image_write_to_file(&png, file.c_str(), 0, what.grey.data(), 0, nullptr), 0) << png.message;
}

pixels read_grey(const std::string& file) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&png, file.c_str()), 0) << png.message;
  png.format = PNG_FORMAT_RGBA;
  std::vector<unsigned char> bytes(PNG_IMAGE_SIZE(png));
  EXPECT_NE(png_image_finish_read(&png, nullptr, bytes.data(), 0, nullptr), 0) << png.message;
  pixels read{.width = png.width, .height = png.height};
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    EXPECT_TRUE(bytes[i] == bytes[i + 1] && bytes[i] == bytes[i + 2] && bytes[i + 3] == 255);
    read.grey.push_back(bytes[i]);
  }
  return read;
}

// Both sums at once, in doubles, straight from the definition.
unsigned char straightforward_blur(const pixels& from, int x, int y) {
  static constexpr std::array weights{6760, 6552, 5966, 5103, 4100, 3095, 2195, 1462, 915};
  double sum = 0;
  for (int v = -8; v <= 8; ++v)
    for (int u = -8; u <= 8; ++u) {
      const int column = std::clamp(x + u, 0, static_cast<int>(from.width) - 1);
      const int row = std::clamp(y + v, 0, static_cast<int>(from.height) - 1);
      sum += weights[std::abs(u)] * static_cast<double>(weights[std::abs(v)]) *
             from.grey[static_cast<std::size_t>(row) * from.width + column];
    }
  return static_cast<unsigned char>(sum / 65536 / 65536 + 0.5);
}

TEST_F(race_program, a_picture_is_really_blurred) {
  pixels sharp{.width = 61, .height = 47};
  for (unsigned i = 0; i < sharp.width * sharp.height; ++i)
    sharp.grey.push_back(static_cast<unsigned char>((i * 2654435761U) >> 24));
  write_grey(path("sharp.png"), sharp);
  // Five strips: some have neighbours on both sides, and none is as high as the blur reaches twice.
  const json race = run_json(
      {"--work", "blur", "--in", path("sharp.png"), "--ways", "serial,snapshot,process,shared", "--slices", "5"});
  EXPECT_EQ(race.at("slices"), "5 slices of your picture of 61 x 47 pixels");
  EXPECT_THAT(ran_of(race), ElementsAre("serial", "snapshot", "process", "shared"));

  const ran result = run(race_to(path("blurred.png")));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(without_directory(result.err), "DIRECTORY/blurred.png holds what came of it\n");
  const pixels blurred = read_grey(path("blurred.png"));
  ASSERT_EQ(blurred.width, sharp.width);
  ASSERT_EQ(blurred.height, sharp.height);
  EXPECT_NEAR(blurred.mean(), sharp.mean(), 4);
  EXPECT_LT(blurred.variance(), sharp.variance() / 10);
  for (int y = 0; y < 47; ++y)
    for (int x = 0; x < 61; ++x)
      EXPECT_NEAR(blurred.grey[static_cast<std::size_t>(y) * 61 + x], straightforward_blur(sharp, x, y), 1)
          << x << ", " << y;
}

TEST_F(race_program, a_picture_of_one_colour_stays_as_it_is) {
  const pixels plain{.width = 5, .height = 3, .grey = std::vector<unsigned char>(15, 77)};
  write_grey(path("sharp.png"), plain);
  EXPECT_EQ(run(race_to(path("blurred.png"))).exit_code, 0);
  EXPECT_EQ(read_grey(path("blurred.png")).grey, plain.grey);
}

TEST_F(race_program, without_a_picture_it_draws_one) {
  const ran result = run(race({"--work", "blur", "--ways", "serial", "--out", path("drawn.png")}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("32 slices of a drawn picture of 1200 x 800 pixels\n"));
  EXPECT_TRUE(contents_of("drawn.png").starts_with("\x89PNG"));
}

TEST_F(race_program, what_is_no_picture_is_refused) {
  const ran result = run(race({"--work", "blur", "--in", file("text", "no picture at all")}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(without_directory(result.err),
            "forkful: 'DIRECTORY/text' is no picture to blur (Not a PNG file); name a PNG file\n");
}

TEST_F(race_program, the_page_has_the_table_and_a_call_of_every_way) {
  const ran result =
      run(race({"--work", "strings", "--slices", "4", "--ways", "serial,process,shared", "--html", path("race.html")}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(without_directory(result.err), "DIRECTORY/race.html holds the race: open it in a browser\n");
  const std::string page = contents_of("race.html");
  for (const char* part : {"<h1>forkful race: strings</h1>", "<th>serial</th>", "<th>process</th>",
                           "<svg class=\"lanes\"", "data-call=\"0\"", "data-call=\"1\"", "data-call=\"2\""})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_EQ(page.find("data-call=\"3\""), std::string::npos);
  EXPECT_EQ(page.find(" style=\""), std::string::npos) << "the page forbids it";
  EXPECT_FALSE(fs::exists(path("race.html.part")));
}

TEST_F(race_program, what_cannot_be_written_is_said_before_the_race) {
  const ran result = run(race({"--work", "strings", "--html", path("no_such_folder/race.html")}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(without_directory(result.err),
            "forkful: cannot write DIRECTORY/no_such_folder/race.html: No such file or directory\n");
  EXPECT_EQ(result.out.find("median"), std::string::npos);
}

TEST_F(race_program, mistakes_get_a_sentence_and_exit_code2) {
  std::string said;
  for (const words& mistake : {words{"--wrok", "strings"},
                               words{"--work", "strnigs"},
                               words{"--work"},
                               words{"--work", "sleep", "--bytes", "3B"},
                               words{"--work", "strings", "a_file"},
                               words{"--time", "20us"},
                               words{"--work", "sleep", "--time", "20"},
                               words{"--work", "sleep", "--time", "20 parsecs"},
                               words{"--work", "sleep", "--time", "-1s"},
                               words{"--work", "sleep", "--time", "1h"},
                               words{"--work", "sleep", "--time", "11s"},
                               words{"--work", "sleep", "--time", "nans"},
                               words{"--bytes", "8XB"},
                               words{"--bytes", "0B"},
                               words{"--work", "numbers", "--bytes", "4B"},
                               words{"--work", "numbers", "--bytes", "1GB"},
                               words{"--work", "strings", "--slices", "0"},
                               words{"--work", "strings", "--slices", "many"},
                               words{"--work", "strings", "--slices", "99999999999999999999"},
                               words{"--work", "crash", "--slices", "1"},
                               words{"--work", "skewed", "--skew", "gaint"},
                               words{"--work", "skewed", "--skew"},
                               words{"--workers", "0"},
                               words{"--rounds", "x"},
                               words{"--within", "soon"},
                               words{"--within", "0s"},
                               words{"--ways", "seriel"},
                               words{"--ways", "process,,serial"},
                               words{"--ways"},
                               words{"--json", "--markdown"}}) {
    words all = mistake;
    all.insert(all.begin(), "race");
    const ran result = run(all);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    for (const std::string& word : mistake) said += "[" + word + "] ";
    said += "\n  " + result.err;
  }
  expect_baseline("race_mistakes", said);
}

TEST_F(race_program, ctrl_c_ends_it_wherever_it_is) {
  at_terminal race({"race", "--work", "sleep", "--slices", "2", "--time", "10s"});
  ASSERT_TRUE(race.says("warm-up round"));
  race.type("\x03");
  EXPECT_EQ(race.end(), 130);
  EXPECT_THAT(race.said(), HasSubstr("forkful: interrupted in the warm-up round of the race"));
}

}  // namespace
}  // namespace forkful_tests
