// Draws the line of a progress bar: when, where and how wide.
//
// Invariant: `open_` while the terminal's cursor stands behind an unfinished line of ours, which then gets its newline from
// finish(), in the process that drew it.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <forkful/progress.hpp>
#include <mutex>
#include <string_view>
#include <utility>

#include "os/identity.hpp"
#include "os/terminal.hpp"
#include "report/progress_text.hpp"

namespace forkful {

namespace detail {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds redraw_time = std::chrono::milliseconds(100);
constexpr nanoseconds reprint_time = std::chrono::seconds(10);

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

}  // namespace

class progress_line {
 public:
  progress_line(std::string label, progress_bar_options how)
      : label_(std::move(label)),
        how_(how),
        maker_(this_process()),
        redraws_(terminal_columns(how.fd) != 0 && environment("TERM") != "dumb"),
        silent_(!how.always && terminal_columns(how.fd) == 0) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { finish(); }

  void tell(const progress& so_far) {
    if (silent_) return;
    const std::lock_guard lock(mutex_);
    if (so_far.elapsed < last_.elapsed || so_far.done < last_.done) {  // another call
      finish();
      last_ = {};
      rate_ = 0;
      drawn_ = false;
    }
    const bool ended = so_far.total != 0 && so_far.done >= so_far.total;
    if (drawn_ && !ended && so_far.elapsed - last_.elapsed < (redraws_ ? redraw_time : reprint_time)) return;
    if (ended && ended_ && so_far.done == last_.done && drawn_) return;
    rate_ = smoothed_rate(rate_, static_cast<double>(so_far.done - last_.done),
                          std::chrono::duration<double>(so_far.elapsed - last_.elapsed).count());
    last_ = so_far;
    ended_ = ended;
    drawn_ = true;
    // A line as wide as the terminal would already move the cursor on.
    const std::string text = progress_text(label_, so_far, rate_, columns() - 1, ended);
    write_what_can_be(how_.fd, redraws_ ? "\r" + text + "\x1b[K" : text + "\n");
    open_ = redraws_;
    if (ended) finish();
  }

 private:
  void finish() noexcept {
    if (open_ && this_process() == maker_) write_what_can_be(how_.fd, "\n");
    open_ = false;
  }

  [[nodiscard]] std::size_t columns() const {
    if (how_.columns != 0) return std::max(how_.columns, 2U);
    const std::string_view said = environment("COLUMNS");
    unsigned asked = 0;
    std::from_chars(said.data(), said.data() + said.size(), asked);
    if (asked >= 2 && asked <= 10'000) return asked;
    const unsigned found = terminal_columns(how_.fd);
    return found >= 2 ? found : 80;
  }

  const std::string label_;
  const progress_bar_options how_;
  const std::uint64_t maker_;
  const bool redraws_;  // the cursor can go back
  const bool silent_;
  std::mutex mutex_;
  progress last_;    // as it was drawn last
  double rate_ = 0;  // slices a second
  bool drawn_ = false;
  bool ended_ = false;
  bool open_ = false;
};

}  // namespace detail

progress_bar::progress_bar(std::string label, progress_bar_options how)
    : line_(std::make_shared<detail::progress_line>(std::move(label), how)) {}

void progress_bar::operator()(const progress& so_far) const { line_->tell(so_far); }

}  // namespace forkful
