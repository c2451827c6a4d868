#include "score_sheet.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "format/fmt.hpp"
#include "machine_facts.hpp"

namespace forkful_bench {

namespace {

using nlohmann::json;

json as_json(const row& of) {
  json lanes = json::array();
  for (const lane& each : of.lanes) {
    json one{{"name", each.name}, {"ours", each.ours}};
    if (each.ran()) {
      const spread& v = each.values;
      one.update({{"count", v.count},
                  {"median", v.median},
                  {"p10", v.low},
                  {"p90", v.high},
                  {"p99", v.p99},
                  {"p99.9", v.p999}});
    } else {
      one["absent"] = each.absent.empty() ? "it did not run" : each.absent;
    }
    lanes.push_back(one);
  }
  json goals = json::array();
  for (const verdict& each : of.verdicts) {
    json one{{"text", each.text}, {"limit", each.limit}, {"unit", each.unit}, {"reached", each.reached}};
    if (each.value) one["value"] = *each.value;
    goals.push_back(one);
  }
  json lines = json::array();
  for (const series& each : of.curves.lines) lines.push_back({{"name", each.name}, {"points", each.points}});
  const json curves{{"x", of.curves.x},
                    {"x_unit", of.curves.x_unit},
                    {"y", of.curves.y},
                    {"y_unit", of.curves.y_unit},
                    {"lines", lines}};
  return {{"id", of.id},    {"title", of.title}, {"unit", of.unit},  {"per", of.per},   {"tails", of.tails},
          {"lanes", lanes}, {"goals", goals},    {"curves", curves}, {"note", of.note}, {"quarrel", of.quarrel}};
}

}  // namespace

score_sheet::score_sheet(int argc, char** argv, std::string program)
    : program_(std::move(program)), machine_(machine_facts()) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      if (i + 1 == argc) {
        fmt::print(stderr, "--json wants a file\n");
        std::exit(2);
      }
      json_ = argv[++i];
    } else {
      words_.emplace_back(word);
    }
  }
  fmt::print("{}: {}\n", program_, machine_);
  std::fflush(stdout);
}

bool score_sheet::wanted(std::string_view id, std::string_view title) const {
  if (words_.empty()) return true;
  for (const std::string& each : words_)
    if (id == each || title.find(each) != std::string_view::npos) return true;
  return false;
}

void score_sheet::add(row measured) {
  fmt::print("{}", as_text(measured));
  std::fflush(stdout);
  rows_.push_back(std::move(measured));
}

int score_sheet::finish() const {
  json figures = json::array();
  bool agreed = true;
  for (const row& each : rows_) {
    figures.push_back(as_json(each));
    agreed = agreed && each.quarrel.empty();
  }
  if (!json_.empty()) {
    std::ofstream file(json_, std::ios::app);
    file << json{{"program", program_}, {"machine", machine_}, {"figures", figures}}.dump() << "\n";
    if (!file.flush()) {
      fmt::print(stderr, "cannot write {}\n", json_);
      return 2;
    }
  }
  if (!agreed) fmt::print(stderr, "{}: RESULTS DIFFER, see above; its figures mean nothing\n", program_);
  return agreed ? 0 : 1;
}

}  // namespace forkful_bench
