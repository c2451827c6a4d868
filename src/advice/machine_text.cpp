#include "advice/machine_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace forkful::detail {

namespace {

using json = nlohmann::ordered_json;

constexpr unsigned format = 4;  // another number whenever a field, or what it means, changes

// A figure's name, and its bounds on any machine there is or may soon be, sanitizers included.
template <class Owner>
struct figure {
  const char* name;
  double Owner::* member;
  double least;
  double most;
};

constexpr double longest = 10;  // seconds

constexpr std::array<figure<machine>, 12> machine_figures{{
    {"crowded_wake", &machine::crowded_wake, 1e-9, longest},
    {"fork_start", &machine::fork_start, 1e-7, longest},
    {"fork_per_byte", &machine::fork_per_byte, 1e-16, 1e-6},
    {"template_start", &machine::template_start, 1e-7, longest},
    {"page_fault", &machine::page_fault, 1e-10, 1e-2},
    {"copy_on_write", &machine::copy_on_write, 1e-10, 1e-2},
    {"copy_rate", &machine::copy_rate, 1e5, 1e14},
    {"copy_rate_all", &machine::copy_rate_all, 1e5, 1e16},
    {"fresh_copy_rate", &machine::fresh_copy_rate, 1e5, 1e14},
    {"spread", &machine::spread, 0, 100},
    {"taken", &machine::taken, 0, 1e11},
    {"disturbance", &machine::disturbance, 0, 1},
}};

constexpr std::array<figure<way_costs>, 5> way_figures{{
    {"call", &way_costs::call, 1e-9, longest},
    {"wake", &way_costs::wake, 1e-9, longest},
    {"rouse", &way_costs::rouse, 0, longest},
    {"hand_out", &way_costs::hand_out, 0, longest},
    {"claim", &way_costs::claim, 1e-10, longest},
}};

// 0: no call has shown it.
constexpr std::array<figure<shown_figures::way>, 3> shown_way_figures{{
    {"call", &shown_figures::way::call, 0, longest},
    {"wake", &shown_figures::way::wake, 0, longest},
    {"hand_out", &shown_figures::way::hand_out, 0, longest},
}};

constexpr std::array<figure<shown_figures>, 2> shown_rates{{
    {"copy_rate", &shown_figures::copy_rate, 0, 1e14},
    {"fresh_copy_rate", &shown_figures::fresh_copy_rate, 0, 1e14},
}};

template <class Owner, std::size_t Count>
void put(json& into, const Owner& from, const std::array<figure<Owner>, Count>& figures) {
  for (const auto& each : figures) into[each.name] = from.*each.member;
}

template <class Owner, std::size_t Count>
void take(const json& from, Owner& into, const std::array<figure<Owner>, Count>& figures) {
  for (const auto& each : figures) into.*each.member = from.at(each.name).template get<double>();
}

template <class Owner, std::size_t Count>
bool sensible(const Owner& all, const std::array<figure<Owner>, Count>& figures) {
  for (const auto& each : figures) {
    const double value = all.*each.member;
    if (!std::isfinite(value) || value < each.least || value > each.most) return false;
  }
  return true;
}

json figures_of(const machine& what) {
  json text;
  text["cpus"] = what.cpus;
  put(text, what, machine_figures);
  put(text["threads"], what.threads, way_figures);
  put(text["processes"], what.processes, way_figures);
  return text;
}

json shown_of(const shown_figures& shown) {
  json text;
  put(text, shown, shown_rates);
  put(text["threads"], shown.threads, shown_way_figures);
  put(text["processes"], shown.processes, shown_way_figures);
  return text;
}

machine machine_of(const json& read) {
  machine found;
  found.cpus = read.at("cpus").get<unsigned>();
  for (const auto& each : machine_figures) {
    // Older programs did not say when and how quietly they measured.
    const bool new_figure = each.member == &machine::taken || each.member == &machine::disturbance;
    if (!new_figure || read.contains(each.name)) found.*each.member = read.at(each.name).get<double>();
  }
  take(read.at("threads"), found.threads, way_figures);
  take(read.at("processes"), found.processes, way_figures);
  return found;
}

shown_figures shown_from(const json& read) {
  shown_figures found;
  take(read, found, shown_rates);
  take(read.at("threads"), found.threads, shown_way_figures);
  take(read.at("processes"), found.processes, shown_way_figures);
  return found;
}

bool plausible(const shown_figures& shown) {
  return sensible(shown, shown_rates) && sensible(shown.threads, shown_way_figures) &&
         sensible(shown.processes, shown_way_figures);
}

}  // namespace

std::string as_text(const machine& what) { return figures_of(what).dump(2) + "\n"; }

std::string as_text(const machine_history& of, const machine_key& key) {
  json text;
  text["format"] = format;
  text["boot"] = key.boot;
  text["build"] = key.build;
  text["cpus"] = key.cpus;
  text["measured"] = json::array();
  for (const machine& each : of.measured) text["measured"].push_back(figures_of(each));
  text["shown_by_calls"] = shown_of(of.shown);
  return text.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

bool plausible(const machine& what) {
  return what.cpus != 0 && sensible(what, machine_figures) && sensible(what.threads, way_figures) &&
         sensible(what.processes, way_figures);
}

bool worth_keeping(const machine& what, std::size_t private_bytes) {
  return plausible(what) && what.fork_per_byte * static_cast<double>(private_bytes) <= what.fork_start;
}

std::optional<machine> machine_from(std::string_view text) {
  try {
    const json whole = json::parse(text);
    const machine found = machine_of(whole.contains("machine") ? whole.at("machine") : whole);
    return plausible(found) ? std::optional(found) : std::nullopt;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::optional<machine_history> history_from(std::string_view text, const machine_key& key) {
  try {
    const json read = json::parse(text);
    if (read.at("format") != format || read.at("boot") != key.boot || read.at("build") != key.build ||
        read.at("cpus") != key.cpus)
      return std::nullopt;
    machine_history found{.measured = {}, .shown = shown_from(read.at("shown_by_calls"))};
    for (const json& each : read.at("measured")) found.measured.push_back(machine_of(each));
    const bool all = plausible(found.shown) &&
                     std::all_of(found.measured.begin(), found.measured.end(),
                                 [&](const auto& one) { return one.cpus == key.cpus && detail::plausible(one); });
    return all && !found.measured.empty() ? std::optional(std::move(found)) : std::nullopt;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace forkful::detail
