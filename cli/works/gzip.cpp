// Files compressed in blocks. Every block becomes a gzip file of its own, and such files behind one another are one gzip file too
// (RFC 1952, 2.2): --out writes it, and gunzip gives all the files back.
#include <zlib.h>
#include <forkful/advise.hpp>

#include <new>
#include <string_view>

#include "files.hpp"
#include "freed_memory.hpp"
#include "terminal.hpp"
#include "works/sizes.hpp"
#include "works/works.hpp"

namespace race {

namespace {

std::string gzipped(std::string_view block) {
  constexpr int with_gzip_header = 16;
  constexpr int memory = 8;  // zlib's default
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + with_gzip_header, memory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();  // the only reason to fail
  std::string packed(deflateBound(&stream, block.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);  // there is room for all of it
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

void gzip_in_place(forkful::shared_string& block) { block = gzipped(block); }

class gzip final : public work {
 public:
  explicit gzip(const work_options& said) : out_(said.out) {
    const std::vector<std::string> files = said.files.empty() ? cli::licence_texts() : said.files;
    const std::size_t block = bytes_or(said, 1, 64'000);
    for (const std::string& file : files) read(file, block);
    if (blocks_.empty())
      throw std::runtime_error(files.empty()
                                   ? "there are no licence texts in /usr/share/common-licenses to compress; name some "
                                     "files instead: forkful race FILE..."
                                   : "no file is left to compress; name files that can be read");
    slices_ = fmt::format("{} of at most {}, from {} file{} of {} in all", counted_slices(blocks_.size()),
                          cli::bytes_text(block), files_read_, files_read_ == 1 ? "" : "s", cli::bytes_text(total_));
    cli::keep_freed_memory();
  }
  [[nodiscard]] std::string slices() const override { return slices_; }
  [[nodiscard]] std::string why_not(way /*any*/) const override { return {}; }
  [[nodiscard]] finish run(crew& here, way which) const override {
    if (which == way::shared) {
      forkful::shared_vector<forkful::shared_string> table(blocks_);
      finish done = here.timed_processes(
          [&](auto& pool) { pool.for_each(table, [](forkful::shared_string& block) { block = gzipped(block); }); });
      done.output.assign(table.begin(), table.end());
      return done;
    }
    results output;
    finish done = here.timed(which, [&](auto& pool) { output = pool.map(blocks_, gzipped); });
    done.output = std::move(output);
    return done;
  }
  [[nodiscard]] std::string remark(const results& output) const override {
    std::size_t packed = 0;
    for (const std::string& each : output) packed += each.size();
    return fmt::format("{} became {}", cli::bytes_text(total_), cli::bytes_text(packed));
  }
  void keep(const results& output) const override {
    if (out_.empty()) return;
    std::string all;
    for (const std::string& each : output) all += each;
    cli::write_whole(out_, all);
  }
  [[nodiscard]] bool whole() const override { return whole_; }

  [[nodiscard]] std::optional<forkful::advice> advised(bool in_shared_memory) const override {
    if (!in_shared_memory) return forkful::advise(blocks_, gzipped);
    return forkful::advise(forkful::shared_vector<forkful::shared_string>(blocks_), gzip_in_place);
  }

 private:
  void read(const std::string& file, std::size_t block) {
    try {
      const std::string text = cli::read_slice(file);
      for (std::size_t at = 0; at < text.size(); at += block) blocks_.push_back(text.substr(at, block));
      total_ += text.size();
      ++files_read_;
    } catch (const std::exception& error) {
      cli::complain(error.what());
      whole_ = false;
    }
  }

  std::string out_;
  std::vector<std::string> blocks_;
  std::size_t total_ = 0;
  std::size_t files_read_ = 0;
  bool whole_ = true;
  std::string slices_;
};

std::unique_ptr<work> make(const work_options& said) { return std::make_unique<gzip>(said); }

}  // namespace

entry gzip_work() { return {"gzip", "compresses files in blocks", "files --bytes --out", make}; }

}  // namespace race
