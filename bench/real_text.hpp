// Real text, as much as is wanted: files that every Debian machine has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace forkful_bench {

// Licences, documentation, headers, Perl and Python sources, in the order of their names: files whose beginning holds no zero
// byte, the same ones on every run. Compressed documentation is left out: it is not text any more.
inline std::vector<std::filesystem::path> texts_here() {
  namespace fs = std::filesystem;
  std::vector<fs::path> all;
  for (const char* folder : {"/usr/share/common-licenses", "/usr/share/doc", "/usr/include", "/usr/share/perl",
                             "/usr/share/perl5", "/usr/lib/python3", "/usr/lib/python3.11"}) {
    std::vector<fs::path> here;
    std::error_code unreadable;
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, unreadable), end;
         !unreadable && at != end; at.increment(unreadable)) {
      if (at->is_symlink(unreadable) || !at->is_regular_file(unreadable)) continue;
      std::string beginning(4096, 'x');
      std::ifstream file(at->path(), std::ios::binary);
      file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
      beginning.resize(static_cast<std::size_t>(file.gcount()));
      if (beginning.find('\0') == std::string::npos && at->path().extension() != ".gz") here.push_back(at->path());
    }
    std::sort(here.begin(), here.end());
    all.insert(all.end(), here.begin(), here.end());
  }
  return all;
}

// Writes `bytes` of it, from the beginning again if there is too little. Returns how much there was before it repeats.
inline std::size_t write_text(const std::string& name, std::size_t bytes) {
  std::ofstream out(name, std::ios::binary);
  const auto files = texts_here();
  std::size_t written = 0;
  std::size_t different = 0;
  while (written < bytes) {
    const std::size_t before = written;
    for (const auto& each : files) {
      if (written == bytes) break;
      std::ifstream in(each, std::ios::binary);
      std::string text{std::istreambuf_iterator<char>(in), {}};
      text.resize(std::min(text.size(), bytes - written));
      out.write(text.data(), static_cast<std::streamsize>(text.size()));
      written += text.size();
    }
    if (different == 0) different = written;
    if (written == before) throw std::runtime_error("there is no text on this machine");
  }
  if (!out.flush()) throw std::runtime_error(name + " cannot be written");
  return different;
}

}  // namespace forkful_bench
