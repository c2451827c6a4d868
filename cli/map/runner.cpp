#include "map/runner.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "format/fmt.hpp"
#include "map/misuse.hpp"

namespace mapping {

namespace {

using forkful::detail::command;

constexpr std::size_t longest_argument = std::size_t{128} * 1024;  // the kernel's MAX_ARG_STRLEN, its NUL included

// What keeps words from being a process's arguments; empty: nothing.
std::string unfit(const std::vector<std::string>& words) {
  for (const std::string& each : words) {
    if (each.find('\0') != std::string::npos) return "an argument holds a NUL, which no argument of a process can";
    if (each.size() >= longest_argument) {
      return fmt::format(
          "an argument has {} bytes, and Linux takes at most {}; --pipe gives items to a command's standard input",
          each.size(), longest_argument - 1);
    }
  }
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (const std::string& each : words) all.push_back(const_cast<char*>(each.c_str()));
  all.push_back(nullptr);
  return all;
}

int milliseconds_until(std::chrono::steady_clock::time_point when) {
  if (when == std::chrono::steady_clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
}

}  // namespace

runner::runner(crew& of, unsigned slot)
    : crew_(of), slot_(slot), stack_(new std::byte[command::stack_bytes]), room_(65536) {
  // Jobs that use forkful, too, must not overwrite the report of this run.
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view one(*each);
    const auto is = [&](std::string_view name) {
      return one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=';
    };
    if (!is("FORKFUL_REPORT") && !is("FORKFUL_SEQ") && !is("FORKFUL_SLOT") && !is("PARALLEL_SEQ") &&
        !is("PARALLEL_JOBSLOT"))
      inherited_environment_.push_back(*each);
  }
}

std::vector<char*> runner::environment(std::size_t number) {
  own_environment_ = {fmt::format("FORKFUL_SEQ={}", number), fmt::format("FORKFUL_SLOT={}", slot_ + 1),
                      fmt::format("PARALLEL_SEQ={}", number), fmt::format("PARALLEL_JOBSLOT={}", slot_ + 1)};
  std::vector<char*> all = inherited_environment_;
  for (const std::string& each : own_environment_) all.push_back(const_cast<char*>(each.c_str()));
  all.push_back(nullptr);
  return all;
}

void runner::run(job next) {
  const options& how = crew_.shared_.how;
  const auto output = std::make_shared<job_output>();
  output->of = std::move(next);
  output->of.items.slot = slot_ + 1;
  if (how.tag || how.tag_text) {
    std::vector<std::string> words;
    if (how.tag_text) {
      fill_in(read_pieces(*how.tag_text, {how.placeholder, {}}), output->of.items, words);
    } else {
      for (const std::string_view each : output->of.items.values()) words.emplace_back(each);
    }
    for (const std::string& each : words) output->tag += (output->tag.empty() ? "" : " ") + each;
    output->tag += '\t';
  }
  turn& to = crew_.shared_.output;
  output->result.taken = clock::now();
  output->may_flow = how.tries <= 1;
  to.enter(output);
  for (std::size_t tried = 1;; ++tried) {
    if (tried == how.tries) to.let_flow(*output);
    attempt(*output);
    output->result.attempts = tried;
    const bool again = !output->result.good && tried < how.tries && output->result.how != job_result::fate::stopped &&
                       crew_.how_ends() != ending::stopping;
    if (!again) break;
    to.drop(*output);
  }
  job_result& result = output->result;
  result.ended = clock::now();
  if (result.how != job_result::fate::stopped) {
    const auto enough = crew_.shared_.limit.ended(result.good, result.exit_status, crew_.shared_.jobs.total());
    if (enough) crew_.end(*enough == halting::moment::now ? ending::stopping : ending::closing);
  }
  to.finish(*output);
  if (to.broken() != 0) crew_.end(ending::stopping);
}

void runner::attempt(job_output& output) {
  job_result& result = output.result;
  result = {.taken = result.taken, .starting = result.starting, .cpu = result.cpu};
  output.sent = 0;
  result.began = std::chrono::system_clock::now();
  const auto began = clock::now();
  const recipe::words_of_job words = crew_.shared_.does.for_job(output.of.items);
  if (crew_.shared_.how.say_commands) crew_.shared_.output.say(crew_.shared_.does.shown(output.of.items, false) + "\n");
  if (!start(words, output, result)) {
    result.good = false;
    result.ran = clock::now() - began;
    return;
  }
  crew_.shared_.groups.enter(slot_, command_.pid());
  // Who ends all jobs may have looked at the table before this one was in it.
  if (crew_.how_ends() == ending::stopping) forkful::detail::signal_group(command_.pid(), SIGKILL);
  watch(output);
}

// False: it was not started, `result` says why.
bool runner::start(const recipe::words_of_job& words, const job_output& output, job_result& result) {
  const auto refuse = [&](int exit_status, std::string reason) {
    result.how = job_result::fate::not_started;
    result.exit_status = exit_status;
    result.reason = std::move(reason);
    return false;
  };
  if (words.path.empty()) {
    return words.error == EACCES ? refuse(not_executable, "the command cannot be executed")
                                 : refuse(not_found, "there is no such command");
  }
  if (std::string reason = unfit(words.words); !reason.empty()) return refuse(not_executable, std::move(reason));
  std::vector<char*> arguments = pointers(words.words);
  const std::vector<char*> variables = environment(output.of.items.number);
  const char* path = words.path.c_str();
  const auto since = clock::now();
  const options& how = crew_.shared_.how;
  while (true) {
    const command::refusal refused =
        command_.start({path, arguments.data(), variables.data()}, crew_.shared_.setting,
                       {.in = how.blocks, .out = how.output != grouping::none}, {stack_.get(), command::stack_bytes});
    if (!refused.happened()) {
      result.starting += clock::now() - since;
      return true;
    }
    if (refused.at == command::step::execute && refused.error == ENOEXEC && path == words.path.c_str()) {
      // As execvp: a script without its first line.
      static char shell[] = "/bin/sh";
      path = shell;
      arguments.insert(arguments.begin(), shell);
      arguments[1] = const_cast<char*>(words.path.c_str());
      continue;
    }
    if (refused.at == command::step::execute) {
      if (refused.error == E2BIG) {
        std::size_t bytes = 0;
        for (const std::string& each : words.words) bytes += each.size() + 1;
        return refuse(not_executable,
                      fmt::format("its arguments have {} bytes together, more than this system takes", bytes));
      }
      return refuse(refused.error == ENOENT ? not_found : not_executable,
                    fmt::format("{}: {}", words.path, std::generic_category().message(refused.error)));
    }
    const bool passes =
        refused.error == EAGAIN || refused.error == ENOMEM || refused.error == EMFILE || refused.error == ENFILE;
    if (crew_.how_ends() == ending::stopping || !passes || !crew_.wait_for_room(since)) {
      if (crew_.how_ends() != ending::stopping)
        crew_.fail(fmt::format("no process is to be had: {} (is there a limit? ulimit -u, -n, a cgroup's pids.max)",
                               std::generic_category().message(refused.error)),
                   ending::closing);
      result.how = job_result::fate::stopped;
      return false;
    }
  }
}

void runner::watch(job_output& output) {
  const options& how = crew_.shared_.how;
  const auto began = clock::now();
  constexpr auto never = clock::time_point::max();
  auto too_late_at = how.timeout.count() > 0 ? began + how.timeout : never;
  auto kill_at = never;
  auto let_go_at = never;  // of the pipes
  bool too_late = false;
  bool ended = false;
  turn& to = crew_.shared_.output;
  while (!ended || command_.out.valid() || command_.err.valid()) {
    const auto now = clock::now();
    if (!ended && now >= too_late_at) {
      forkful::detail::signal_group(command_.pid(), SIGTERM);
      forkful::detail::signal_group(command_.pid(), SIGCONT);
      too_late = true;
      too_late_at = never;
      kill_at = now + grace;
    }
    if (!ended && now >= kill_at) {
      forkful::detail::signal_group(command_.pid(), SIGKILL);
      kill_at = never;
    }
    if (ended && (now >= let_go_at || lingered_ > linger_bytes)) {
      if (!too_late && crew_.how_ends() != ending::stopping)
        to.say(
            fmt::format("forkful: job {} has ended, but a process that it left still holds its output: what that "
                        "prints from now on is lost\n",
                        output.of.items.number));
      command_.out.reset();
      command_.err.reset();
      break;
    }
    const bool full = to.is_full_for(output);
    std::array<pollfd, 4> watched{{{ended ? -1 : command_.end().number(), POLLIN, 0},
                                   {full ? -1 : command_.out.number(), POLLIN, 0},
                                   {full ? -1 : command_.err.number(), POLLIN, 0},
                                   {command_.in.number(), POLLOUT, 0}}};
    constexpr int look_again = 5;  // milliseconds, until the turn has come
    int wait = milliseconds_until(ended ? let_go_at : std::min(too_late_at, kill_at));
    if (full) wait = wait < 0 ? look_again : std::min(wait, look_again);
    if (::poll(watched.data(), watched.size(), wait) < 0) continue;
    if (watched[1].revents != 0) read_from(command_.out, stream::out, output);
    if (watched[2].revents != 0) read_from(command_.err, stream::err, output);
    if (watched[3].revents != 0) feed(output);
    if (!ended && watched[0].revents != 0) {
      ended = true;
      lingered_ = 0;
      command_.in.reset();
      let_go_at = clock::now() + linger;
    } else if (ended && full) {
      let_go_at = clock::now() + linger;  // it is we who let it wait
    }
  }
  // What is left of a group that was ended goes, too.
  if (too_late || crew_.how_ends() == ending::stopping) forkful::detail::signal_group(command_.pid(), SIGKILL);
  conclude(output, too_late, began);
}

void runner::conclude(job_output& output, bool too_late, clock::time_point began) {
  const bool stopped = crew_.how_ends() == ending::stopping;
  crew_.shared_.groups.leave(slot_);
  const forkful::detail::command_ending ending = command_.reap();
  job_result& result = output.result;
  result.ran = clock::now() - began;
  result.cpu += ending.cpu;
  result.signal = ending.signal;
  result.exit_status = too_late ? timed_out : ending.exit_status;
  const std::vector<int>& good = crew_.shared_.how.good;
  result.good =
      !too_late && ending.signal == 0 && std::find(good.begin(), good.end(), ending.exit_status) != good.end();
  if (too_late) result.how = job_result::fate::timed_out;
  if (stopped && !result.good) result.how = job_result::fate::stopped;
}

void runner::read_from(forkful::detail::fd& from, stream to, job_output& output) {
  const ssize_t got = ::read(from.number(), room_.data(), room_.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    from.reset();
    return;
  }
  lingered_ += static_cast<std::size_t>(got);
  crew_.shared_.output.hand_in(output, to, {room_.data(), static_cast<std::size_t>(got)});
  if (crew_.shared_.output.broken() != 0) crew_.end(ending::stopping);
}

// Its input, as far as it takes it.
void runner::feed(job_output& output) {
  const std::string& block = output.of.block;
  const std::size_t left = block.size() - static_cast<std::size_t>(output.sent);
  const ssize_t written = left == 0 ? 0 : ::write(command_.in.number(), block.data() + output.sent, left);
  if (written > 0) output.sent += static_cast<std::uint64_t>(written);
  const bool refused = written < 0 && errno != EAGAIN && errno != EINTR;  // EPIPE: it reads no more
  if (refused || output.sent == block.size()) command_.in.reset();
}

}  // namespace mapping
