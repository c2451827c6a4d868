#include "advice/limits.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "os/child.hpp"
#include "os/cpu.hpp"
#include "os/limits.hpp"
#include "os/memory.hpp"
#include "os/process.hpp"
#include "os/sanitizer.hpp"
#include "os/small_file.hpp"

namespace forkful::detail {

namespace {

std::string first_line(const std::string& path) {
  const std::string text = read_small_file(path);
  return text.substr(0, text.find('\n'));
}

// A line of /proc/meminfo, in bytes.
std::size_t memory_line(std::string_view text, std::string_view name) {
  const auto found = text.find(name);
  return found == std::string_view::npos ? 0 : std::strtoull(text.data() + found + name.size(), nullptr, 10) * 1024;
}

// "always [madvise] never": what stands in brackets.
std::string chosen(std::string_view choices) {
  const auto open = choices.find('[');
  const auto close = choices.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return std::string(choices.substr(open + 1, close - open - 1));
}

}  // namespace

limits read_limits() {
  limits now;
  now.kernel = first_line("/proc/sys/kernel/osrelease");
  now.online_cpus = online_cpus();
  now.affinity_cpus = affinity_cpus();
  now.cpu_quota = cpu_quota();
  now.load = std::strtod(read_small_file("/proc/loadavg").c_str(), nullptr);
  const std::string memory = read_small_file("/proc/meminfo");
  now.memory = memory_line(memory, "MemTotal:");
  now.memory_free = memory_line(memory, "MemAvailable:");
  now.group_memory_left = memory_left_in_groups();
  now.processes = limit_of(resource::processes);
  now.open_files = limit_of(resource::open_files);
  now.address_space = limit_of(resource::address_space);
  now.file_size = limit_of(resource::file_size);
  now.locked_memory = limit_of(resource::locked_memory);
  now.core = limit_of(resource::core);
  now.strict_overcommit = overcommit_is_strict();
  now.huge_pages = chosen(first_line("/sys/kernel/mm/transparent_hugepage/enabled"));
  std::error_code missing;
  const std::filesystem::space_info shm = std::filesystem::space("/dev/shm", missing);
  now.has_shm = !missing;
  now.shm = missing ? 0 : static_cast<std::size_t>(shm.capacity);
  now.virtual_machine = read_small_file("/proc/cpuinfo").find(" hypervisor") != std::string::npos;
  now.pidfd_error = child_error();
  now.valgrind = under_valgrind();
  now.sanitizer = sanitized;
  return now;
}

}  // namespace forkful::detail
