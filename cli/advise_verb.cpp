// forkful advise: whether it is worth it, for work that is not written yet.
//
// The options become a workload and a situation; judging and simulating are the library's (src/advice/).

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "advice/judge.hpp"
#include "advice/machine.hpp"
#include "advice/machine_text.hpp"
#include "curve.hpp"
#include "format/fmt.hpp"
#include "quantity.hpp"
#include "terminal.hpp"
#include "units.hpp"
#include "verb.hpp"

namespace cli {

namespace {

namespace model = forkful::detail;

constexpr std::string_view help = "forkful advise --help";
constexpr unsigned most_workers = 1000;  // as many as a pool has

constexpr std::array<std::pair<std::string_view, model::lengths::shape>, 5> shapes{
    {{"equal", model::lengths::shape::equal},
     {"linear", model::lengths::shape::linear},
     {"exponential", model::lengths::shape::exponential},
     {"bimodal", model::lengths::shape::bimodal},
     {"giant", model::lengths::shape::giant}}};

class advise final : public verb {
 public:
  [[nodiscard]] std::string name() const override { return "advise"; }
  [[nodiscard]] std::string about() const override { return "Is it worth it? For work not written yet"; }
  [[nodiscard]] std::string examples() const override {
    return "Examples:\n"
           "  forkful advise --slices 1000 --time 20us\n"
           "                             a thousand slices of 20 us each\n"
           "  forkful advise --slices 64 --time 5ms --bytes-in 1MB --bytes-out 1MB\n"
           "                             each copied to a worker and back\n"
           "  forkful advise --slices 64 --time 5ms --cold --memory 4GB\n"
           "                             in a large program, with a pool for each call\n"
           "  forkful advise --slices 1e6 --time 1ms --skew exponential --curve\n"
           "                             and with thousands of workers\n"
           "\n"
           "Says whether going parallel pays, which way is fastest, what it costs most, and\n"
           "what would change that: simulated with what this machine was measured to charge.";
  }

  void describe(CLI::App& app) override {
    const auto text = [&app](const char* option, std::string& to, const char* about, const char* type) {
      app.add_option(option, to, about)->type_name(type);
    };
    text("--slices", slices_, "How many slices a call has", "N");
    text("--time", time_, "What one takes in a loop: 20us, 1.5ms", "T");
    text("--bytes-in", bytes_in_, "Copied to a worker, each: 4KB (else none)", "B");
    text("--bytes-out", bytes_out_, "Copied back, each result", "B");
    text("--broadcast", broadcast_, "Sent to every worker, once a call", "B");
    text("--memory", memory_, "What the program has touched: a fork's cost", "M");
    text("--skew", skew_, "equal, linear, exponential, bimodal or giant", "SHAPE");
    text("--workers", workers_, "At most so many (else one a CPU)", "P");
    app.add_flag("--cold", cold_, "The pool is started for the call");
    text("--inner-threads", inner_, "Cores that a slice keeps busy by itself", "K");
    text("--traffic", traffic_, "What a slice streams through memory: 5GB/s", "RATE");
    text("--chunk", chunk_, "Slices handed out at a time", "N");
    text("--machine", machine_, "Another's figures (forkful doctor --json)", "FILE");
    app.add_flag("--curve", curve_, "1 to 4096 workers on 1 to 64 hosts too");
    app.add_flag("--json", json_, "As JSON");
    text("--html", page_, "Write a page with the curve instead", "FILE");
  }

  int run(const CLI::App& app) override {
    for (const char* const needed : {"--slices", "--time"}) {
      if (app.count(needed) == 0) {
        return misused(fmt::format("advise needs {}, as in: forkful advise --slices 1000 --time 20us", needed), help);
      }
    }
    model::workload work;
    model::situation where;
    if (const std::string wrong = understand(app, work, where); !wrong.empty()) return misused(wrong, help);
    std::optional<model::machine> other;
    if (app.count("--machine") != 0) {
      other = read_machine();
      if (!other) {
        complain(fmt::format("{} holds no machine: write one with forkful doctor --json", harmless(machine_)));
        return input_failed;
      }
    }
    const model::machine on = other ? *other : model::this_machine();

    const forkful::advice given = model::judge(work, where, on);
    std::vector<curve_point> curve;
    if (page_.empty() && !json_) print(given.text());
    if (curve_ || !page_.empty()) curve = simulate_curve(work, where, on);
    if (!page_.empty()) {
      write_page(given, curve);
    } else if (json_) {
      print(fmt::format("{{\"advice\":{},\"curve\":{}}}\n", given.json(), curve_ ? curve_json(curve) : "null"));
    } else if (curve_) {
      print("\n" + draw_curve(curve));
    }
    return all_well;
  }

 private:
  /// What the options say; else what is wrong with them.
  std::string understand(const CLI::App& app, model::workload& work, model::situation& where) {
    std::string wrong;
    const auto given = [&](const char* option) { return wrong.empty() && app.count(option) != 0; };
    const auto size = [&](const char* option, const std::string& text, double& to) {
      if (!given(option)) return;
      const auto found = bytes_of(text);
      if (found)
        to = *found;
      else
        wrong = fmt::format("{} is a size, as 500 or 4KB or 1.5MB, not '{}'", option, harmless(text));
    };
    const auto count = [&](const char* option, const std::string& text, double most) -> std::size_t {
      if (!given(option)) return 0;
      const auto found = count_of(text, most);
      if (!found) {
        wrong = fmt::format("{} is a whole number from 1 to {:.15g}, not '{}'", option, most, harmless(text));
      }
      return found.value_or(0);
    };

    work.slices = count("--slices", slices_, 1e12);
    double mean = 0;
    if (given("--time")) {
      const auto found = seconds_of(time_);
      if (found && *found > 0)
        mean = *found;
      else
        wrong = fmt::format("--time is a time, as 20us or 1.5ms or 2s, not '{}'", harmless(time_));
    }
    auto form = model::lengths::shape::equal;
    if (given("--skew")) {
      const auto* const found =
          std::find_if(shapes.begin(), shapes.end(), [&](const auto& each) { return each.first == skew_; });
      if (found != shapes.end())
        form = found->second;
      else
        wrong = fmt::format("--skew is equal, linear, exponential, bimodal or giant, not '{}'", harmless(skew_));
    }
    size("--bytes-in", bytes_in_, work.in.bytes);
    size("--bytes-out", bytes_out_, work.out.bytes);
    size("--broadcast", broadcast_, work.broadcast_bytes);
    size("--memory", memory_, where.private_memory);
    where.workers = static_cast<unsigned>(count("--workers", workers_, most_workers));
    where.cold = cold_;
    if (given("--inner-threads")) work.inner_threads = static_cast<double>(count("--inner-threads", inner_, 4096));
    if (given("--traffic")) {
      const std::string_view rate = traffic_.ends_with("/s") ? std::string_view(traffic_).substr(0, traffic_.size() - 2)
                                                             : std::string_view(traffic_);
      const auto found = bytes_of(rate);
      if (found)
        work.traffic = *found;
      else
        wrong = fmt::format("--traffic is a rate, as 500MB/s or 5GB/s, not '{}'", harmless(traffic_));
    }
    work.asked_chunk = count("--chunk", chunk_, 1e12);
    if (wrong.empty()) work.time = model::lengths::shaped(work.slices, mean, form);
    return wrong;
  }

  [[nodiscard]] std::optional<model::machine> read_machine() const {
    std::ifstream file(machine_);
    if (!file) throw std::system_error(errno, std::generic_category(), "cannot read " + harmless(machine_));
    return model::machine_from(std::string(std::istreambuf_iterator<char>(file), {}));
  }

  void write_page(const forkful::advice& given, const std::vector<curve_point>& curve) const {
    const std::string title = fmt::format("{} slices of {}: is it worth it?", given.slices, time_text(given.slice));
    std::ofstream file(page_, std::ios::binary);
    file << curve_page(title, given, curve) << std::flush;
    if (!file) throw std::system_error(errno, std::generic_category(), "cannot write " + harmless(page_));
    fmt::print(stderr, "{} holds the advice: open it in a browser\n", harmless(page_));
  }

  std::string slices_, time_, bytes_in_, bytes_out_, broadcast_, memory_, skew_, workers_, inner_, traffic_, chunk_,
      machine_, page_;
  bool cold_ = false;
  bool curve_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<verb> advise_verb() { return std::make_unique<advise>(); }

}  // namespace cli
