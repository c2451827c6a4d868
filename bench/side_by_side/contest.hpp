// Contestants that do the same work, in turns: A B C A B C ..., so that a disturbance of the machine disturbs all of them.
//
// A round may be one measurement or many (a thousand short calls, each timed). Rounds at the beginning are thrown away. Between
// two turns the machine is left alone for a moment: threads of a peer that spin after their work would run the next one's core.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "peer_process.hpp"
#include "row.hpp"
#include "score_sheet.hpp"

namespace forkful_bench {

/// One round: its measurements, and the result: the same from every contestant, or empty.
struct measured {
  std::vector<double> values;
  std::string check{};
};

/// How long `work` takes.
template <class Work>
double seconds(Work&& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Prevents the compiler from leaving out what made `value`.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

struct turns {
  std::size_t rounds = 15;
  double budget = 20;  ///< seconds; no new round begins after that, if there were three to count
  std::size_t thrown_away = 1;
  std::chrono::milliseconds pause{10};
};

class contest {
 public:
  contest(score_sheet& sheet, std::string id, std::string title);

  /// `work` does one round. If it returns `measured`, it measures itself; otherwise it is timed.
  template <class Work>
  contest& ours(std::string name, Work work) {
    return add(std::move(name), true, rounds_of(std::move(work)));
  }
  template <class Work>
  contest& peer(std::string name, Work work) {
    return add(std::move(name), false, rounds_of(std::move(work)));
  }
  /// Another program; absent if it cannot be started.
  contest& peer(std::string name, std::unique_ptr<peer_process> other);
  contest& absent(std::string name, std::string why);

  contest& goal(forkful_bench::goal wanted);
  /// Measurements are of `count` things: divided by it.
  contest& per(double count, std::string thing);
  /// What is measured, if not seconds.
  contest& unit(std::string name);
  contest& tails();
  contest& note(std::string text);

  /// Runs, prints, and leaves the row on the sheet. Returns it.
  row run(const turns& how = {});

 private:
  using round = std::function<measured()>;
  struct contestant {
    lane shown;
    round work{};
    std::vector<double> values{};
    std::string check{};
  };

  template <class Work>
  static round rounds_of(Work work) {
    if constexpr (std::is_same_v<std::invoke_result_t<Work&>, measured>) {
      return round(std::move(work));
    } else {
      return [work = std::move(work)]() mutable { return measured{{seconds(work)}}; };
    }
  }
  contest& add(std::string name, bool ours, round work);
  void take_turn(contestant&, bool counts);

  score_sheet& sheet_;
  row row_;
  double count_ = 1;
  std::vector<contestant> all_{};
  std::vector<forkful_bench::goal> goals_{};
};

}  // namespace forkful_bench
