#include "curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "advice/simulate.hpp"
#include "format/fmt.hpp"
#include "report/page.hpp"
#include "terminal.hpp"
#include "units.hpp"

namespace cli {

namespace {

namespace model = forkful::detail;

constexpr unsigned most_workers = 4096;
constexpr unsigned most_hosts = 64;
constexpr std::array drawn_hosts{64U, 8U, 1U};  // where lines meet, the one of the fewest hosts is visible
constexpr std::array marks{'#', '+', 'o'};
constexpr std::array table_workers{1U, 4U, 16U, 64U, 256U, 1024U, 4096U};
constexpr std::size_t doubling = 5;  // columns
constexpr std::size_t width = 12 * doubling + 1;
constexpr std::size_t height = 18;
constexpr std::size_t margin = 10;

constexpr std::string_view assumed =
    "Costs are those of this machine, as measured. Assumed: a core for each worker and for the caller, memory that "
    "carries as much for each core as here, and between hosts 50 us and 1.2 GB/s.";

double speed_up(const std::vector<curve_point>& curve, unsigned hosts, unsigned workers) {
  for (const curve_point& each : curve) {
    if (each.hosts == hosts && each.workers == workers) return each.speed_up;
  }
  return 0;
}

/// Between powers of two a straight line on logarithmic paper.
double at_column(const std::vector<curve_point>& curve, unsigned hosts, std::size_t column) {
  const unsigned before = 1U << (column / doubling);
  const double low = std::log2(speed_up(curve, hosts, before));
  if (before == most_workers) return low;
  const double high = std::log2(speed_up(curve, hosts, 2 * before));
  return low + (high - low) * static_cast<double>(column % doubling) / doubling;
}

std::string times(double ratio) {
  if (ratio >= 9999.5) return fmt::format("{:.0f}k", ratio / 1000);
  return ratio_text(ratio);
}

std::string table(const std::vector<curve_point>& curve) {
  std::string text = fmt::format("{:>{}}", "workers", margin);
  for (const unsigned workers : table_workers) text += fmt::format("{:>9}", workers);
  text += '\n';
  for (unsigned hosts = 1; hosts <= most_hosts; hosts *= 2) {
    text += fmt::format("{:>{}}", fmt::format("{} {}", hosts, hosts == 1 ? "host" : "hosts"), margin);
    for (const unsigned workers : table_workers) {
      text += fmt::format("{:>9}", times(speed_up(curve, hosts, workers)));
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::vector<curve_point> simulate_curve(const model::workload& work, const model::situation& where,
                                        const model::machine& on) {
  const double loop = model::simulate(work, {.by = model::way::serial}, on).wall;
  std::vector<curve_point> curve;
  for (unsigned hosts = 1; hosts <= most_hosts; hosts *= 2) {
    for (unsigned workers = 1; workers <= most_workers; workers *= 2) {
      model::machine large = on;
      large.copy_rate_all *= std::max(1.0, (workers + 1.0) / on.cpus);
      const double wall = model::simulate(work,
                                          {.by = model::way::processes,
                                           .workers = workers,
                                           .cores = workers + 1,
                                           .cold = where.cold,
                                           .from_template = where.from_template,
                                           .private_memory = where.private_memory,
                                           .hosts = hosts},
                                          large)
                              .wall;
      curve.push_back({hosts, workers, wall, loop / wall});
    }
  }
  return curve;
}

std::string draw_curve(const std::vector<curve_point>& curve) {
  const auto [least, most] = std::minmax_element(
      curve.begin(), curve.end(), [](const curve_point& a, const curve_point& b) { return a.speed_up < b.speed_up; });
  const double bottom = std::floor(std::log2(least->speed_up));
  const double top = std::max(std::ceil(std::log2(most->speed_up)), bottom + 1);
  std::vector<std::string> rows(height, std::string(width, ' '));
  const auto row_of = [&](double level) {
    const double share = (level - bottom) / (top - bottom);
    return height - 1 - static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * (height - 1)));
  };
  // A dotted line where the loop is.
  if (bottom < 0) rows[row_of(0)] = std::string(width, '.');
  for (std::size_t i = 0; i != drawn_hosts.size(); ++i) {
    for (std::size_t column = 0; column != width; ++column) {
      rows[row_of(at_column(curve, drawn_hosts[i], column))][column] = marks[i];
    }
  }
  std::string picture = "Speed-up over the loop, by workers:\n";
  std::vector<std::string> labels(height);
  const int last = static_cast<int>(std::floor(top * std::log10(2)));
  for (int power = static_cast<int>(std::ceil(bottom * std::log10(2))); power <= last; ++power) {
    labels[row_of(power * std::log2(10))] = fmt::format("{:g} x", std::pow(10, power));
  }
  for (std::size_t row = 0; row != height; ++row) {
    rows[row].erase(rows[row].find_last_not_of(' ') + 1);
    picture += fmt::format("{:>{}} |{}\n", labels[row], margin - 2, rows[row]);
  }
  std::string axis(margin + width + 3, ' ');
  for (unsigned power = 0; power <= 12; power += 2) {
    const std::string label = fmt::format("{}", 1U << power);
    axis.replace(margin + power * doubling - (label.size() - 1) / 2, label.size(), label);
  }
  axis.erase(axis.find_last_not_of(' ') + 1);
  picture += fmt::format("{:>{}}+{}\n", "", margin - 1, std::string(width, '-'));
  picture += axis + "\n";
  picture += fmt::format("{:>{}}workers on each host;  o 1 host  + 8 hosts  # 64 hosts{}\n", "", margin,
                         bottom < 0 ? "  . the loop" : "");
  return picture + "\n" + table(curve) + wrapped(assumed);
}

std::string curve_json(const std::vector<curve_point>& curve) {
  std::string text = "[";
  const char* between = "";
  for (const curve_point& each : curve) {
    text += fmt::format(R"({}{{"hosts":{},"workers":{},"time_ns":{:.0f},"speed_up":{:.4g}}})", between, each.hosts,
                        each.workers, 1e9 * each.seconds, each.speed_up);
    between = ",";
  }
  return text + "]";
}

std::string curve_page(std::string_view title, const forkful::advice& given, const std::vector<curve_point>& curve) {
  using model::html_escaped;
  std::string body = fmt::format("<h1>{}</h1>\n", html_escaped(title));
  body += fmt::format("<pre>{}</pre>\n", html_escaped(given.text()));
  // The page is drawn from it; without scripts there is the table.
  body += fmt::format("<div data-curve=\"{}\"></div>\n", html_escaped(curve_json(curve)));
  body += fmt::format("<noscript><pre>{}</pre></noscript>\n<p class=\"hint\">{}</p>\n", html_escaped(table(curve)),
                      html_escaped(assumed));
  return model::page(title, body, {});
}

}  // namespace cli
