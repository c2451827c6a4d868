#include "contest.hpp"

#include <algorithm>
#include <exception>
#include <thread>

#include "format/fmt.hpp"

namespace forkful_bench {

contest::contest(score_sheet& sheet, std::string id, std::string title) : sheet_(sheet) {
  row_.id = std::move(id);
  row_.title = std::move(title);
}

contest& contest::add(std::string name, bool ours, round work) {
  all_.push_back({{std::move(name), ours}, std::move(work)});
  return *this;
}

contest& contest::peer(std::string name, std::unique_ptr<peer_process> other) {
  if (!other->alive()) return absent(std::move(name), other->why());
  return add(std::move(name), false, [other = std::shared_ptr<peer_process>(std::move(other))] {
    auto [values, check] = other->round();
    return measured{std::move(values), std::move(check)};
  });
}

contest& contest::absent(std::string name, std::string why) {
  all_.push_back({{.name = std::move(name), .absent = std::move(why)}});
  return *this;
}

contest& contest::goal(forkful_bench::goal wanted) {
  goals_.push_back(std::move(wanted));
  return *this;
}

contest& contest::per(double count, std::string thing) {
  count_ = count;
  row_.per = std::move(thing);
  return *this;
}

contest& contest::unit(std::string name) {
  row_.unit = std::move(name);
  return *this;
}

contest& contest::tails() {
  row_.tails = true;
  return *this;
}

contest& contest::note(std::string text) {
  row_.note = std::move(text);
  return *this;
}

void contest::take_turn(contestant& each, bool counts) {
  try {
    measured taken = each.work();
    if (!each.check.empty() && taken.check != each.check)
      row_.quarrel = fmt::format("{} says {}, and said {} before", each.shown.name, taken.check, each.check);
    each.check = std::move(taken.check);
    if (counts)
      for (const double value : taken.values) each.values.push_back(value / count_);
  } catch (const std::exception& failure) {
    each.shown.absent = failure.what();
  }
}

row contest::run(const turns& how) {
  const auto began = std::chrono::steady_clock::now();
  const auto spent = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  for (std::size_t done = 0; done < how.rounds + how.thrown_away; ++done) {
    if (done >= how.thrown_away + 3 && spent() > how.budget) break;
    for (contestant& each : all_) {
      if (!each.shown.absent.empty()) continue;
      std::this_thread::sleep_for(how.pause);
      take_turn(each, done >= how.thrown_away);
    }
  }
  const contestant* first = nullptr;
  for (contestant& each : all_) {
    if (each.shown.absent.empty()) each.shown.values = spread_of(std::move(each.values));
    row_.lanes.push_back(each.shown);
    if (!each.shown.ran() || each.check.empty()) continue;
    if (first == nullptr)
      first = &each;
    else if (each.check != first->check)
      row_.quarrel =
          fmt::format("{} says {}, {} says {}", first->shown.name, first->check, each.shown.name, each.check);
  }
  for (const forkful_bench::goal& each : goals_) row_.verdicts.push_back(judge(each, row_));
  sheet_.add(row_);
  return row_;
}

}  // namespace forkful_bench
