#include "advice/passing_times.hpp"

#include <vector>

#include "advice/blocks.hpp"
#include "advice/samples.hpp"
#include "os/cpu.hpp"
#include "worker/this_worker.hpp"

namespace forkful::detail {

namespace {

constexpr double most_seconds = 0.008;
constexpr double encoding_seconds = most_seconds / 16;  // of one round
constexpr std::size_t most_blocks = 24;                 // of one round
constexpr std::size_t most_rounds = 6;

// Broadcast arguments, decoded once.
struct opened : broadcast_storage {
  opened() = default;
  opened(const opened&) = delete;
  opened& operator=(const opened&) = delete;
  ~opened() {
    if (object != nullptr) destroy(object);
  }
};

// Frames of one round, freed at its end.
class frames {
 public:
  frames() = default;
  frames(const frames&) = delete;
  frames& operator=(const frames&) = delete;
  ~frames() {
    for (segment* const each : all_) free_shared_segments(each);
  }
  void add(sink& written) {
    all_.push_back(nullptr);
    all_.back() = written.take();
  }
  [[nodiscard]] segment* operator[](std::size_t i) const { return all_[i]; }

 private:
  std::vector<segment*> all_{};
};

class passer {
 public:
  passer(const job& ships, std::size_t slices, std::size_t count, double mean)
      : ships_(ships), where_(slices, count), running_(mean * static_cast<double>(count)) {}

  passing_times find() {
    const std::uint64_t began = now_ns();
    if (running_ > most_seconds) {  // cold or not: to run more of them is expensive
      pass_round(1);
    } else {
      pass_round(1);
      const std::size_t together = blocks_in(encoding_seconds);
      if (together > 1) pass_round(together);
      sums_ = {};  // all of that ran with cold memory
      passed_ = 0;
      for (std::size_t round = 0; round == 0 || (round < most_rounds && seconds_since(began) < most_seconds); ++round) {
        pass_round(together);
      }
    }
    const auto each = [&](double all) { return all / static_cast<double>(passed_); };
    return {{each(sums_.in.bytes), each(sums_.in.encode), each(sums_.in.decode)},
            {each(sums_.out.bytes), each(sums_.out.encode), each(sums_.out.decode)}};
  }

 private:
  // How many blocks can be encoded, and run, in so long, judging by the first.
  [[nodiscard]] std::size_t blocks_in(double seconds) const {
    const double longest =
        std::max({sums_.in.encode, sums_.in.decode, sums_.out.encode, sums_.out.decode, running_, 1e-9});
    return std::clamp<std::size_t>(static_cast<std::size_t>(seconds / longest), 1, most_blocks);
  }

  void pass_round(std::size_t blocks) {
    std::vector<block> what;
    for (std::size_t i = 0; i != blocks; ++i) what.push_back(where_.next());
    frames sent;
    frames answers;
    encode(what, sent);
    for (std::size_t i = 0; i != blocks; ++i) run_block(what[i], sent[i], answers);
    for (std::size_t i = 0; i != blocks; ++i) decode(what[i], answers[i]);
    passed_ += blocks * what.front().count;
  }

  void encode(const std::vector<block>& what, frames& sent) {
    for (const block& each : what) {
      sink written(shared_segments());
      const std::uint64_t began = now_ns();
      if (ships_.encode != nullptr) {
        sums_.in.bytes +=
            static_cast<double>(ships_.encode(ships_.caller, each.first, each.first + each.count, written));
      }
      sums_.in.encode += seconds_since(began);
      sent.add(written);
    }
  }

  void run_block(const block& what, const segment* frame, frames& answers) {
    sink made(shared_segments());
    source from(frame);
    passing_time parts;
    chunk_io io;
    io.first = what.first;
    io.frame = frame != nullptr ? frame->data() : nullptr;
    io.in = &from;
    io.out = &made;
    io.broadcast = &arguments_;
    io.fail = rethrow_failure;
    if (ships_.passes) io.timed = &parts;
    const worker_scope here(0);
    ships_.run(ships_.plan, io, what.first, what.first + what.count);
    sums_.in.decode += 1e-9 * static_cast<double>(parts.pass_in);
    sums_.out.encode += 1e-9 * static_cast<double>(parts.pass_out);
    sums_.out.bytes += static_cast<double>(made.copied());
    answers.add(made);
  }

  void decode(const block& what, const segment* answers) {
    source back(answers);
    const std::vector<failed_slice> none;
    std::size_t taken = 0;
    const std::uint64_t began = now_ns();
    ships_.collect(ships_.caller, {what.first, what.first + what.count, &back, nullptr, &none, &taken});
    sums_.out.decode += seconds_since(began);
  }

  const job& ships_;
  places where_;
  double running_;  // a block
  opened arguments_{};
  passing_times sums_{};
  std::size_t passed_ = 0;
};

}  // namespace

passing_times time_passing(const job& ships, std::size_t slices, std::size_t count, double mean) {
  return passer(ships, slices, count, mean).find();
}

}  // namespace forkful::detail
