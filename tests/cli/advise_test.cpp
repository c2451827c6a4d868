// forkful advise, on a machine whose figures never change.
#include <nlohmann/json.hpp>
#include <set>

#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

const std::string machine = std::string(FORKFUL_BASELINES) + "/../machine.json";

ran advise(words arguments) {
  words all{"advise", "--machine", machine};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all);
}

TEST(advise, help_begins_with_examples) {
  const ran help = run({"advise", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.starts_with("Examples:\n  forkful advise ")) << help.out;
  expect_baseline("help_advise", help.out);
}

TEST(advise, mistakes_get_one_sentence_and_exit_code2) {
  std::string said;
  for (const words& mistake : {words{},
                               words{"--slices", "10"},
                               words{"--time", "1us"},
                               words{"--slices", "0", "--time", "1us"},
                               words{"--slices", "1.5", "--time", "1us"},
                               words{"--slices", "many", "--time", "1us"},
                               words{"--slices", "10", "--time", "20"},
                               words{"--slices", "10", "--time", "-1us"},
                               words{"--slices", "10", "--time", "0"},
                               words{"--slices", "10", "--time", "1h"},
                               words{"--slices", "10", "--time"},
                               words{"--slices", "10", "--time", "1us", "--bytes-in", "4KiB"},
                               words{"--slices", "10", "--time", "1us", "--bytes-out", "-4"},
                               words{"--slices", "10", "--time", "1us", "--memory", "lots"},
                               words{"--slices", "10", "--time", "1us", "--skew", "crooked"},
                               words{"--slices", "10", "--time", "1us", "--workers", "1001"},
                               words{"--slices", "10", "--time", "1us", "--inner-threads", "0"},
                               words{"--slices", "10", "--time", "1us", "--traffic", "5GB/h"},
                               words{"--slices", "10", "--time", "1us", "--chunk", "0"},
                               words{"--slices", "10", "--time", "1us", "--cruve"},
                               words{"--slices", "10", "--time", "1us\033[2J"}}) {
    const ran result = advise(mistake);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
    EXPECT_EQ(result.err.find('\033'), std::string::npos);
    for (const std::string& word : mistake) said += "[" + word.substr(0, word.find('\033')) + "] ";
    said += "\n  " + result.err;
  }
  expect_baseline("advise_mistakes", said);
}

TEST(advise, a_machine_that_cannot_be_read_is_said) {
  const ran missing = run({"advise", "--machine", "/nowhere", "--slices", "10", "--time", "1us"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("cannot read /nowhere"), std::string::npos) << missing.err;
  const ran wrong = run({"advise", "--machine", "/dev/null", "--slices", "10", "--time", "1us"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_NE(wrong.err.find("/dev/null holds no machine"), std::string::npos) << wrong.err;
}

TEST(advise, answers_for_the_machine_that_doctor_was_asked) {
  const std::string file = testing::TempDir() + "forkful_machine.json";
  std::ofstream(file) << run({"doctor", "--json"}).out;
  const words arguments{"advise", "--machine", file, "--slices", "1000", "--time", "20us"};
  const ran given = run(arguments);
  EXPECT_EQ(given.exit_code, 0) << given.err;
  EXPECT_NE(given.out.find("break-even: "), std::string::npos);
  EXPECT_EQ(given.out, run(arguments).out);
  std::remove(file.c_str());
}

TEST(advise, says_verdict_ways_break_even_cost_and_change_in_this_order) {
  const ran given = advise({"--slices", "1000", "--time", "20us", "--bytes-in", "1KB"});
  EXPECT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(given.err, "");
  std::size_t at = 0;
  for (const char* part : {"go parallel", "\n  loop ", "\n  thread_pool", "\n  snapshot_pool of ",
                           "\n  process_pool of ", "\nbreak-even: ", "\nlargest cost: ", "\nwhat if: "}) {
    const std::size_t found = given.out.find(part, at);
    ASSERT_NE(found, std::string::npos) << part << " in\n" << given.out;
    at = found;
  }
  EXPECT_EQ(given.out, advise({"--slices", "1000", "--time", "20us", "--bytes-in", "1KB"}).out);
  expect_baseline("advise", given.out);
}

TEST(advise, every_option_matters) {
  const words plain{"--slices", "1000", "--time", "20us"};
  const std::string before = advise(plain).out;
  for (const words& option :
       {words{"--bytes-in", "1MB"}, words{"--bytes-out", "1MB"}, words{"--broadcast", "100MB"},
        words{"--memory", "4GB"}, words{"--skew", "giant"}, words{"--workers", "1"}, words{"--cold"},
        words{"--inner-threads", "2"}, words{"--traffic", "20GB/s"}, words{"--chunk", "1"}}) {
    words with = plain;
    with.insert(with.end(), option.begin(), option.end());
    const ran given = advise(with);
    EXPECT_EQ(given.exit_code, 0) << given.err;
    EXPECT_NE(given.out, before) << option[0];
  }
}

TEST(advise, units_mean_what_they_say) {
  const std::string us = advise({"--slices", "1000", "--time", "20us", "--bytes-in", "2000"}).out;
  EXPECT_EQ(advise({"--slices", "1e3", "--time", "0.02ms", "--bytes-in", "2KB"}).out, us);
  EXPECT_EQ(advise({"--slices", "1000", "--time", "20000 ns", "--bytes-in", "0.002 MB"}).out, us);
  EXPECT_EQ(advise({"--slices", "1000", "--time", "0.00002s", "--bytes-in", "2000B"}).out, us);
}

TEST(advise, json_holds_advice_and_curve) {
  const ran alone = advise({"--slices", "1000", "--time", "20us", "--json"});
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  const auto plain = nlohmann::json::parse(alone.out);
  EXPECT_TRUE(plain.at("curve").is_null());
  EXPECT_EQ(plain.at("advice").at("slices"), 1000);
  EXPECT_EQ(plain.at("advice").at("slice_ns"), 20'000);

  const auto both = nlohmann::json::parse(advise({"--slices", "1000", "--time", "20us", "--json", "--curve"}).out);
  EXPECT_EQ(both.at("advice"), plain.at("advice"));
  std::set<unsigned> hosts;
  std::set<unsigned> workers;
  for (const auto& point : both.at("curve")) {
    hosts.insert(point.at("hosts").get<unsigned>());
    workers.insert(point.at("workers").get<unsigned>());
    // The loop takes 20 ms.
    EXPECT_NEAR(point.at("time_ns").get<double>() * point.at("speed_up").get<double>(), 20e6, 20e6 * 1e-3);
  }
  EXPECT_EQ(hosts, (std::set<unsigned>{1, 2, 4, 8, 16, 32, 64}));
  EXPECT_EQ(workers, (std::set<unsigned>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096}));
  EXPECT_EQ(both.at("curve").size(), 7U * 13U);
}

TEST(advise, the_curve_is_readable_without_colour) {
  const ran given = advise({"--slices", "1e6", "--time", "1ms", "--skew", "exponential", "--curve"});
  EXPECT_EQ(given.exit_code, 0) << given.err;
  for (const std::string& line : lines_of(given.out)) EXPECT_LE(line.size(), 80U) << line;
  for (const char* part : {" 4096\n", "o 1 host", "+ 8 hosts", "# 64 hosts", "64 hosts ", "Assumed: "}) {
    EXPECT_NE(given.out.find(part), std::string::npos) << part;
  }
  expect_baseline("advise_curve", given.out);
}

TEST(advise, writes_a_page_that_holds_the_curve) {
  const std::string file = testing::TempDir() + "forkful_advice.html";
  const ran given = advise({"--slices", "1000", "--time", "20us", "--html", file});
  EXPECT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(given.out, "");
  EXPECT_NE(given.err.find(file), std::string::npos);
  std::ifstream in(file);
  const std::string page(std::istreambuf_iterator<char>(in), {});
  EXPECT_NE(page.find("data-curve=\"[{&quot;hosts&quot;:1,"), std::string::npos);
  EXPECT_NE(page.find("break-even:"), std::string::npos);
  EXPECT_EQ(page.find(" style=\""), std::string::npos);
  std::remove(file.c_str());

  const ran refused = advise({"--slices", "1000", "--time", "20us", "--html", "/nowhere/advice.html"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("cannot write /nowhere/advice.html"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace forkful_tests
