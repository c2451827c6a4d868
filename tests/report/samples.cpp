// samples FOLDER: writes reports in every form, made-up ones and those of real calls, for the checks beside this file.
#include <algorithm>
#include <csignal>
#include <forkful/forkful.hpp>
#include <fstream>
#include <iostream>
#include <tuple>

#include "report/document.hpp"
#include "report/page.hpp"
#include "support/made_up_reports.hpp"

namespace {

using forkful::detail::document;
using forkful::detail::document_format;

std::vector<std::pair<std::string, forkful::report>> real() {
  std::vector<std::pair<std::string, forkful::report>> made;
  const auto heavy = [](std::size_t slice) {
    double sum = 0;
    for (std::size_t i = 0; i < 20'000; ++i) sum += 1.0 / static_cast<double>(i + slice + 1);
    return sum;
  };
  {
    forkful::process_pool pool{forkful::pool_options{.workers = 2, .record_timeline = true}};
    std::ignore = pool.map(forkful::indices(400), heavy);
    made.emplace_back("real-map", pool.report());
    std::ignore = pool.with({.chunk = 1}).try_map(forkful::indices(30), [](std::size_t slice) {
      if (slice == 17) std::raise(SIGKILL);
      if (slice == 21) throw std::out_of_range("no such crumb");
      return slice;
    });
    made.emplace_back("real-crash", pool.report());
    forkful::shared_vector<double> table(100'000, 2.0);
    pool.for_each(table, [](double& x) { x = 1 / x; });
    made.emplace_back("real-in-place", pool.report());
  }
  {
    forkful::snapshot_pool pool{forkful::pool_options{.workers = 2, .record_timeline = true}};
    std::vector<double> input(1'000'000, 1.0);
    std::ignore = pool.map(forkful::indices(8), [&](std::size_t part) {  // changes a copy, on purpose
      const auto begin = input.begin() + static_cast<std::ptrdiff_t>(part * input.size() / 8);
      std::fill(begin, begin + static_cast<std::ptrdiff_t>(input.size() / 8), 2.0);
      return *begin;
    });
    made.emplace_back("real-snapshot", pool.report());
  }
  forkful::serial_pool alone;
  std::ignore = alone.map(forkful::indices(50), heavy);
  made.emplace_back("real-serial", alone.report());
  return made;
}

// A program that calls one loop again and again, on one pool and now and then on another, submits, and loses a worker.
std::vector<forkful::report> program(forkful::report& all_of_one) {
  std::vector<forkful::report> calls;
  const auto work = [](std::size_t slice) {
    double sum = 0;
    for (std::size_t i = 0; i < 5'000; ++i) sum += 1.0 / static_cast<double>(i + slice + 1);
    return sum;
  };
  forkful::process_pool first{forkful::pool_options{.workers = 2, .record_timeline = true}};
  forkful::thread_pool second{forkful::pool_options{.workers = 2, .record_timeline = true}};
  for (std::size_t call = 0; call < 40; ++call) {
    std::ignore = first.with({.chunk = 10}).map(forkful::indices(20 + 5 * call), work);
    calls.push_back(first.report());
    if (call % 10 != 5) continue;
    std::ignore = second.map(forkful::indices(500), work);
    calls.push_back(second.report());
  }
  std::ignore = first.with({.chunk = 1}).try_map(forkful::indices(10), [](std::size_t slice) {
    if (slice == 7) std::raise(SIGKILL);
    return slice;
  });
  calls.push_back(first.report());
  std::vector<forkful::future<double>> later;
  for (std::size_t call = 0; call < 20; ++call) later.push_back(first.submit(work, call));
  for (auto& each : later) {
    std::ignore = each.get();
    calls.push_back(first.report());
  }
  all_of_one = first.totals();
  forkful::serial_pool alone;
  std::ignore = alone.map(forkful::indices(50), work);
  calls.push_back(alone.report());
  return calls;
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = std::string(argv[1]) + "/";
  auto reports = made_up::all();
  for (auto& each : real()) reports.push_back(std::move(each));
  reports.emplace_back("real-totals", forkful::report{});
  const std::vector<forkful::report> calls = program(reports.back().second);
  std::vector<forkful::report> several;
  for (const auto& [name, report] : reports) {
    write(folder + name + ".json", document({&report, 1}, document_format::json));
    write(folder + name + ".trace", report.trace());
    write(folder + name + ".html", report.html());
    if (name == "wide" || name == "large" || name == "real-totals") continue;
    several.push_back(report);
    if (!name.starts_with("real")) {  // one after another, as the calls of a pool mostly are
      several.back().call = several.size();
      several.back().began += std::chrono::seconds(several.size());
    }
  }
  write(folder + "several.json", document(several, document_format::json));
  write(folder + "several.trace", document(several, document_format::trace));
  write(folder + "several.html", document(several, document_format::html));
  write(folder + "program.json", document(calls, document_format::json));
  write(folder + "program.trace", document(calls, document_format::trace));
  write(folder + "program.html", document(calls, document_format::html));
  write(folder + "none.html", document({}, document_format::html));
  write(folder + "embedded.page.html",
        forkful::detail::page("A tour",
                              "<h1>Two calls</h1><div data-call=\"1\" data-compact></div><div data-call=\"0\"></div>",
                              std::span(several).first(2)));
  write(folder + "none.json", document({}, document_format::json));
  std::cout << reports.size() << " reports in " << folder << "\n";
}
