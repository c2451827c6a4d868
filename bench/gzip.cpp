// S16: 500 MB of real text compressed into one gzip file, beside `pigz -p 2` at the same level, with the same zlib. From opening the
// file to closing the result, starting pools and processes included. Both lie in memory (/dev/shm) if there is room.
// The result must pass `gzip -t`, and end in the same checksum and length.
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <forkful/forkful.hpp>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "format/fmt.hpp"
#include "gzip_file.hpp"
#include "real_text.hpp"
#include "side_by_side/contest.hpp"

using namespace forkful_bench;

namespace {

constexpr std::size_t text_bytes = 500'000'000;
constexpr int level = 6;  // the default of gzip and pigz
constexpr unsigned workers = 2;

// A folder of our own, which goes with this.
class scratch {
 public:
  scratch() {
    std::error_code none;
    const auto room = std::filesystem::space("/dev/shm", none);
    std::filesystem::path under = std::filesystem::temp_directory_path();
    if (!none && room.available > 4 * text_bytes) under = "/dev/shm";
    std::string name = under / "forkful_gzip_XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

int shell(const std::string& command) { return std::system(command.c_str()); }

// What `gzip -t` thinks of a file the first time, and the checksum and length that it ends in.
std::string verdict_on(const std::string& name, bool& tested) {
  if (!tested && shell(fmt::format("gzip -t < '{}'", name)) != 0) return "a file that gzip refuses";
  tested = true;
  std::ifstream file(name, std::ios::binary);
  file.seekg(-8, std::ios::end);
  std::string end;
  for (int i = 0; i < 8; ++i) end += fmt::format("{:02x}", static_cast<unsigned char>(file.get()));
  return end;
}

struct compressor {
  const char* name;
  bool is_ours;
  void (*run)(const std::string& from, const std::string& to);
  bool tested = false;
  double size = 0;
};

void with_pigz(const std::string& from, const std::string& to) {
  if (shell(fmt::format("pigz -p {} -{} -c '{}' > '{}'", workers, level, from, to)) != 0)
    throw std::runtime_error("pigz is not installed, or failed");
}

void compress(score_sheet& sheet) {
  const scratch here;
  const std::string text = here.file("text");
  const std::size_t different = write_text(text, text_bytes);
  std::array all{
      compressor{"snapshot_pool, imap", true,
                 [](const auto& from, const auto& to) { gzip_file<forkful::snapshot_pool>(from, to, level, workers); }},
      compressor{"process_pool, imap", true,
                 [](const auto& from, const auto& to) { gzip_file_by_name(from, to, level, workers); }},
      compressor{"thread_pool, imap", true,
                 [](const auto& from, const auto& to) { gzip_file<forkful::thread_pool>(from, to, level, workers); }},
      compressor{"pigz -p 2", false, with_pigz},
  };
  contest race(sheet, "S16", fmt::format("gzip -{} of {} MB of text, 2 workers", level, text_bytes / 1'000'000));
  for (compressor& each : all) {
    const auto round = [&] {
      const std::string packed = here.file("packed");
      std::filesystem::remove(packed);
      const double took = seconds([&] { each.run(text, packed); });
      measured taken{{took}, verdict_on(packed, each.tested)};
      each.size = static_cast<double>(std::filesystem::file_size(packed));
      return taken;
    };
    if (each.is_ours)
      race.ours(each.name, round);
    else
      race.peer(each.name, round);
  }
  race.goal(at_most_times("pigz -p 2", 1.02))
      .note(
          different < text_bytes
              ? fmt::format(
                    "This machine has {} MB of text, which is repeated; zlib looks back 32 KB, so it does not notice.",
                    different / 1'000'000)
              : "No text is repeated.")
      .run({.rounds = 5, .budget = 150, .thrown_away = 1});

  row sizes{.id = "S16", .title = "the same: size of the result", .unit = "B"};
  for (const compressor& each : all) {
    lane one{.name = each.name, .ours = each.is_ours};
    if (each.size != 0)
      one.values = spread_of({each.size});
    else
      one.absent = "it did not run";
    sizes.lanes.push_back(one);
  }
  sheet.add(sizes);
}

}  // namespace

int main(int argc, char** argv) {
  score_sheet sheet(argc, argv, "gzip");
  if (sheet.wanted("S16")) compress(sheet);
  return sheet.finish();
}
