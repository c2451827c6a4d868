// Reads /proc/self/smaps, the kernel's account of every mapping.
#include "tour/memory.hpp"

#include <fstream>
#include <sstream>
#include <string>

namespace tour {

namespace {

/// Sums a field of all mappings; of private ones only, if asked for. What
/// is mapped shared is nobody's copy, even when one process uses it.
std::size_t sum_field(const std::string& wanted, bool private_only) {
  std::ifstream mappings("/proc/self/smaps");
  std::size_t kilobytes = 0;
  bool counts = false;
  for (std::string line; std::getline(mappings, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first.ends_with(':')) {
      if (counts && first == wanted) kilobytes += std::stoul(second);
    } else {  // "7f12...-7f13... rw-p ...": a mapping begins
      counts = !private_only || second.ends_with('p');
    }
  }
  return kilobytes * 1024;
}

}  // namespace

std::size_t resident_bytes() { return sum_field("Rss:", false); }

std::size_t own_bytes() { return sum_field("Private_Dirty:", true); }

}  // namespace tour
