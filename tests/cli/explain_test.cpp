// forkful explain: every error there is has an entry, which reads well in 80 columns; mistakes get a suggestion.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/baseline.hpp"
#include "cli/program.hpp"

namespace forkful_tests {
namespace {

using nlohmann::json;

const std::string sources = std::string(FORKFUL_BASELINES) + "/../../..";

std::string file(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex of(pattern);
  for (std::sregex_iterator each(text.begin(), text.end(), of); each != std::sregex_iterator(); ++each)
    found.insert((*each)[1]);
  return found;
}

std::set<std::string> explained() {
  std::set<std::string> codes;
  for (const json& each : json::parse(run({"explain", "--json"}).out)) codes.insert(each.at("code"));
  return codes;
}

std::set<std::string> classes() {
  return matches(file(sources + "/include/forkful/errors.hpp"),
                 R"(\nclass (\w+) : public (?:error|std::runtime_error, public slice_info))");
}

TEST(explain, has_an_entry_for_every_error_there_is) {
  const auto found = classes();
  ASSERT_GE(found.size(), 10U);
  EXPECT_EQ(explained(), found);
  for (const std::string& code :
       matches(file(sources + "/src/errors/errors.cpp"), R"re(code\(\) const noexcept \{ return "(\w+)")re"))
    EXPECT_TRUE(code == "error" || explained().contains(code)) << code;
}

// All classes of its own that the library's sources throw, and all that their sentences send users to look up.
TEST(explain, knows_what_the_library_throws_and_mentions) {
  const auto known = explained();
  const auto all = classes();
  std::size_t thrown = 0;
  for (const char* folder : {"/src", "/include", "/cli"}) {
    for (const auto& each : std::filesystem::recursive_directory_iterator(sources + folder)) {
      const std::string extension = each.path().extension();
      if (extension != ".cpp" && extension != ".hpp") continue;
      const std::string text = file(each.path());
      for (const std::string& name : matches(text, R"(throw (?:forkful::)?([a-z]\w*)[({])")) {
        if (name == "refused_call") continue;  // errors/refused.hpp makes start_failed of it
        if (name == "refusal") continue;       // cli/map/misuse.hpp: the tool says it and leaves
        EXPECT_TRUE(known.contains(name)) << each.path() << " throws " << name;
        ++thrown;
      }
      for (const std::string& code : matches(text, R"(forkful explain ([a-z]+_[a-z_]+))"))
        EXPECT_TRUE(known.contains(code)) << each.path() << " mentions " << code;
    }
  }
  EXPECT_GT(thrown, 10U) << "the search looks for the wrong thing";
}

TEST(explain, every_entry_says_what_happened_why_and_what_to_do) {
  for (const std::string& code : explained()) {
    const json entry = json::parse(run({"explain", code, "--json"}).out);
    for (const char* part : {"code", "what_happened", "why", "what_to_do", "example"}) {
      ASSERT_TRUE(entry.contains(part)) << code << " lacks " << part;
      EXPECT_FALSE(entry.at(part).get<std::string>().empty()) << code;
    }
    const ran said = run({"explain", code});
    EXPECT_EQ(said.exit_code, 0);
    EXPECT_EQ(said.err, "");
    EXPECT_TRUE(said.out.starts_with(code + "\n\nWhat happened: ")) << said.out;
    for (const char* part : {"\nWhy: ", "\nWhat to do: ", "\nExample: "})
      EXPECT_NE(said.out.find(part), std::string::npos) << code << " lacks " << part;
    EXPECT_EQ(said.out.find("**"), std::string::npos) << said.out;
    for (const std::string& line : lines_of(said.out)) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(explain, reads_as_it_should) {
  expect_baseline("explain", run({"explain"}).out);
  expect_baseline("explain_slice_timeout", run({"explain", "slice_timeout"}).out);
  expect_baseline("help_explain", run({"explain", "--help"}).out);
}

TEST(explain, knows_a_class_by_its_full_name) {
  EXPECT_EQ(run({"explain", "forkful::not_shared"}).out, run({"explain", "not_shared"}).out);
}

TEST(explain, a_mistyped_code_gets_a_suggestion_and_exit_code2) {
  const ran mistyped = run({"explain", "worker_crash"});
  EXPECT_EQ(mistyped.exit_code, 2);
  EXPECT_EQ(mistyped.out, "");
  EXPECT_EQ(mistyped.err,
            "forkful: there is no error 'worker_crash'; did you mean 'worker_crashed'? (see forkful explain)\n");
  EXPECT_EQ(run({"explain", "xylophone"}).err, "forkful: there is no error 'xylophone' (see forkful explain)\n");
  EXPECT_EQ(run({"explain", ""}).exit_code, 2);
}

TEST(explain, colour_is_for_terminals) {
  EXPECT_EQ(run({"explain"}).out.find('\033'), std::string::npos);
  at_terminal coloured({"explain", "cancelled"});
  EXPECT_EQ(coloured.end(), 0);
  const std::string plain = std::regex_replace(coloured.said(), std::regex("\033\\[[0-9;]*m|\r"), "");
  EXPECT_NE(coloured.said(), plain);
  EXPECT_EQ(plain, run({"explain", "cancelled"}).out);
}

}  // namespace
}  // namespace forkful_tests
