#include "map/job_log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "format/fmt.hpp"
#include "map/misuse.hpp"
#include "terminal.hpp"

namespace mapping {

namespace {

constexpr std::string_view header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

template <class Number>
bool read_number(std::string_view text, Number& to) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}

// A line without its newline.
bool read_entry(std::string_view line, log_entry& to) {
  std::array<std::string_view, 8> fields;
  for (std::string_view& field : fields) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) return false;
    field = line.substr(0, tab);
    line.remove_prefix(tab + 1);
  }
  to.command = line;
  return read_number(fields[0], to.number) && read_number(fields[4], to.sent) && read_number(fields[5], to.received) &&
         read_number(fields[6], to.exit_status) && read_number(fields[7], to.signal);
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

[[noreturn]] void unusable(const std::string& path, std::string_view what) {
  throw refusal(own_failure, fmt::format("cannot {} the log {}: {}", what, cli::harmless(path),
                                         std::generic_category().message(errno)));
}

}  // namespace

job_log::job_log(const std::string& path, resuming how) : path_(path), how_(how) {
  file_ = forkful::detail::fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file_.valid()) unusable(path, "open");
  if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) unusable(path, "lock");
    throw refusal(
        own_failure,
        fmt::format("the log {} is in use: another run writes to it; wait for that, or give this one a log of its own",
                    cli::harmless(path)));
  }
  if (!is_log()) {
    throw refusal(own_failure, fmt::format("{} is no log of forkful map or GNU parallel: its first line is another",
                                           cli::harmless(path_)));
  }
  if (how == resuming::no && ::ftruncate(file_.number(), 0) != 0 && errno != EINVAL) unusable(path, "empty");
  if (how != resuming::no) read();
  if (header_end_ == 0 && !write_all(file_.number(), header)) unusable(path, "write to");
  if (header_end_ == 0) header_end_ = header.size();
}

// What is not, is somebody's: nothing of it may be lost, whether this run resumes or begins.
bool job_log::is_log() const {
  struct stat about{};
  if (::fstat(file_.number(), &about) != 0) unusable(path_, "look at");
  if (!S_ISREG(about.st_mode)) return true;  // devices and pipes keep nothing
  std::string begin(header.size(), '\0');
  const ssize_t got = ::pread(file_.number(), begin.data(), begin.size(), 0);
  if (got < 0) unusable(path_, "read");
  return header.starts_with(begin.substr(0, static_cast<std::size_t>(got)));
}

void job_log::read() {
  std::string text;
  std::array<char, 65536> room{};
  for (ssize_t got = 0; (got = ::read(file_.number(), room.data(), room.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unusable(path_, "read");
    text.append(room.data(), static_cast<std::size_t>(got));
  }
  const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  // A kill came in the middle of a line.
  if (whole != text.size() && ::ftruncate(file_.number(), static_cast<off_t>(whole >= header.size() ? whole : 0)) != 0)
    unusable(path_, "cut");
  if (whole < header.size()) return;
  header_end_ = header.size();
  for (std::size_t begin = header.size(); begin < whole;) {
    const std::size_t end = text.find('\n', begin);
    past each;
    each.end = end + 1;
    if (!read_entry(std::string_view(text).substr(begin, end - begin), each.entry)) {
      throw refusal(
          own_failure,
          fmt::format("the log {} has a line that cannot be read: '{}'; take it out, or begin a new log",
                      cli::harmless(path_), cli::harmless(text.substr(begin, std::min<std::size_t>(end - begin, 60)))));
    }
    past_.push_back(std::move(each));
    begin = end + 1;
  }
}

std::uint64_t job_log::received() const {
  std::uint64_t sum = 0;
  for (const past& each : past_) sum += each.entry.received;
  return sum;
}

void job_log::cut_to_output(std::uint64_t bytes) {
  std::uint64_t sum = received();
  if (sum <= bytes) return;
  while (sum > bytes) {
    sum -= past_.back().entry.received;
    past_.pop_back();
  }
  if (::ftruncate(file_.number(), static_cast<off_t>(past_.empty() ? header_end_ : past_.back().end)) != 0)
    unusable(path_, "cut");
}

bool job_log::counts(const log_entry& entry) const {
  return how_ != resuming::succeeded || (entry.exit_status == 0 && entry.signal == 0);
}

void job_log::settle() {
  for (auto each = past_.rbegin(); each != past_.rend(); ++each) {
    highest_ = std::max(highest_, each->entry.number);
    if (how_ == resuming::numbers) {
      by_number_[each->entry.number] = true;
    } else {
      numbers& same = by_command_[each->entry.command];
      (counts(each->entry) ? same.done : same.again).push_back(each->entry.number);
    }
  }
  past_.clear();
}

bool job_log::done(const std::string& command, std::size_t& number) {
  ++position_;
  if (how_ == resuming::numbers) {
    number = position_;
    return by_number_.contains(position_);
  }
  number = 0;
  const auto found = by_command_.find(command);
  if (found == by_command_.end()) return false;
  numbers& same = found->second;
  const auto take = [](std::vector<std::size_t>& from) {
    const std::size_t last = from.back();
    from.pop_back();
    return last;
  };
  if (!same.done.empty()) {
    number = take(same.done);
    // A failure that was made good counts no more.
    std::erase(same.again, number);
    return true;
  }
  if (!same.again.empty()) {
    number = take(same.again);
    std::erase(same.again, number);
  }
  return false;
}

int job_log::append(const log_entry& entry) {
  const std::string line =
      fmt::format("{}\t:\t{:.3f}\t{:10.3f}\t{}\t{}\t{}\t{}\t{}\n", entry.number, entry.began, entry.seconds, entry.sent,
                  entry.received, entry.exit_status, entry.signal, entry.command);
  return write_all(file_.number(), line) ? 0 : errno;
}

}  // namespace mapping
