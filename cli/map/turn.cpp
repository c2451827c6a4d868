#include "map/turn.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mapping {

namespace {

// What the job whose turn it is may have waiting behind another thread that writes.
constexpr std::size_t most_behind_writer = std::size_t{1} << 20;

// 0, or errno. The other end may be set not to block, by another program that has it, too.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{file, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

std::string tagged(std::string_view bytes, std::string_view tag, bool& at_begin) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    if (at_begin) text += tag;
    text += bytes.substr(0, end);
    at_begin = bytes[end - 1] == '\n';
    bytes.remove_prefix(end);
  }
  return text;
}

void turn::enter(const std::shared_ptr<job_output>& job) {
  const std::lock_guard lock(mutex_);
  jobs_.emplace(job->of.order, job);
}

bool turn::has_turn(const job_output& job) const {
  return how_ == grouping::ordered ? job.of.order == next_ : owner_ == &job;
}

void turn::add(job_output& job, stream to, std::string_view bytes) {
  if (bytes.empty() || broken_ != 0) return;
  if (job.held.empty() || job.held.back().to != to || job.held.back().bytes.size() > most_behind_writer)
    job.held.push_back({to, {}});
  job.held.back().bytes += bytes;
  job.held_bytes += bytes.size();
  held_ += bytes.size();
  peak_ = std::max(peak_, held_);
}

void turn::hand_in(job_output& job, stream to, std::string_view bytes) {
  const auto index = static_cast<std::size_t>(to);
  std::string changed;
  if (!job.tag.empty()) {
    changed = tagged(bytes, job.tag, job.at_line_begin[index]);
    bytes = changed;
  }
  std::string whole;
  if (how_ == grouping::lines && job.may_flow) {
    std::string& unfinished = job.unfinished[index];
    const std::size_t last = bytes.rfind('\n');
    if (last == std::string_view::npos) {
      unfinished += bytes;
      return;
    }
    whole = std::move(unfinished);
    whole += bytes.substr(0, last + 1);
    unfinished = bytes.substr(last + 1);
    bytes = whole;
  }
  guard lock(mutex_);
  if (how_ == grouping::lines && job.may_flow) {
    room_.wait(lock, [&] { return !writing_; });
    writing_ = true;
    lock.unlock();
    write(to, bytes, &job);
    lock.lock();
    writing_ = false;
    room_.notify_all();
    write_ready(lock);
    return;
  }
  // Straight from the runner's buffer, where nothing is in front of it.
  if (has_turn(job) && job.may_flow && !writing_ && job.held.empty()) {
    writing_ = true;
    lock.unlock();
    write(to, bytes, &job);
    lock.lock();
    writing_ = false;
    write_ready(lock);
    return;
  }
  add(job, to, bytes);
  if (how_ == grouping::unordered && owner_ == nullptr && job.may_flow && held_ > most_held) owner_ = &job;
  write_ready(lock);
  if (has_turn(job) && job.may_flow) room_.wait(lock, [&] { return job.held_bytes < most_behind_writer || !writing_; });
  write_ready(lock);
}

bool turn::is_full_for(const job_output& job) {
  const std::lock_guard lock(mutex_);
  if (held_ <= most_held || broken_ != 0 || has_turn(job)) return false;
  return how_ == grouping::ordered || owner_ != nullptr;
}

void turn::let_flow(job_output& job) {
  guard lock(mutex_);
  job.may_flow = true;
  write_ready(lock);
}

void turn::drop(job_output& job) {
  const std::lock_guard lock(mutex_);
  held_ -= job.held_bytes;
  job.held.clear();
  job.held_bytes = 0;
  for (const std::size_t index : {1U, 2U}) {
    job.at_line_begin[index] = true;
    job.unfinished[index].clear();
  }
}

// With tags lines are ended, so that the next tag begins a line.
void turn::end_lines(job_output& job) {
  for (const stream to : {stream::out, stream::err}) {
    const auto index = static_cast<std::size_t>(to);
    add(job, to, job.unfinished[index]);
    job.unfinished[index].clear();
    if (!job.tag.empty() && !job.at_line_begin[index]) add(job, to, "\n");
    job.at_line_begin[index] = true;
  }
}

void turn::finish(job_output& job) {
  guard lock(mutex_);
  // What another try would have replaced is not wanted; nor is a part of what a job that was stopped had to say.
  if (job.result.how == job_result::fate::stopped && job.delivered == 0) {
    held_ -= job.held_bytes;
    job.held_bytes = 0;
    job.held.clear();
  } else {
    end_lines(job);
  }
  job.may_flow = true;
  job.finished = true;
  if (how_ != grouping::ordered && owner_ != &job) ready_.push_back(jobs_.at(job.of.order));
  write_ready(lock);
}

// The job that has something to be written now, its end included. Null: none.
std::shared_ptr<job_output> turn::next_to_write() {
  const auto writable = [](const std::shared_ptr<job_output>& job) {
    return job->finished || (job->may_flow && !job->held.empty());
  };
  if (how_ == grouping::ordered) {
    const auto found = jobs_.find(next_);
    return found != jobs_.end() && writable(found->second) ? found->second : nullptr;
  }
  if (owner_ != nullptr) {
    const std::shared_ptr<job_output>& job = jobs_.at(owner_->of.order);
    return writable(job) ? job : nullptr;
  }
  return ready_.empty() ? nullptr : ready_.front();
}

void turn::write_ready(guard& lock) {
  if (writing_) return;
  writing_ = true;
  while (const std::shared_ptr<job_output> job = next_to_write()) {
    std::deque<printed> taken;
    taken.swap(job->held);
    const std::size_t bytes = std::exchange(job->held_bytes, 0);
    const bool last = job->finished;
    lock.unlock();
    for (const printed& each : taken) write(each.to, each.bytes, job.get());
    taken.clear();
    if (last) delivered_(*job);
    lock.lock();
    held_ -= bytes;
    room_.notify_all();
    if (!last) continue;
    jobs_.erase(job->of.order);
    if (how_ == grouping::ordered)
      ++next_;
    else if (owner_ == job.get())
      owner_ = nullptr;
    else
      ready_.pop_front();
  }
  writing_ = false;
  room_.notify_all();
}

void turn::write(stream to, std::string_view bytes, job_output* of) {
  // Only the writer sets it, and that is this thread.
  if (broken_ != 0) return;
  const int error = write_all(to == stream::out ? out_ : STDERR_FILENO, bytes);
  if (error == 0) {
    if (of != nullptr && to == stream::out) of->delivered += bytes.size();
    return;
  }
  // A closed stderr takes no complaint, and no output depends on it.
  if (to == stream::err) return;
  const std::lock_guard lock(mutex_);
  broken_ = error;
}

void turn::say(std::string_view line) {
  guard lock(mutex_);
  room_.wait(lock, [&] { return !writing_; });
  write_all(STDERR_FILENO, line);
}

int turn::broken() {
  const std::lock_guard lock(mutex_);
  return broken_;
}

std::size_t turn::peak_held() {
  const std::lock_guard lock(mutex_);
  return peak_;
}

}  // namespace mapping
