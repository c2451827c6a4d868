// A file compressed by several workers into one gzip file, the way pigz does it, as a user of forkful would write it: blocks of
// 128 KB, each with the 32 KB before it as its dictionary, so that little is lost by cutting; results written in order while
// later blocks are still being compressed.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <forkful/forkful.hpp>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace forkful_bench {

// A file's text, read in the page cache.
class mapped_file {
 public:
  explicit mapped_file(const std::string& name) {
    const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about{};
    if (file == -1 || ::fstat(file, &about) != 0) throw std::runtime_error(name + ": " + std::strerror(errno));
    size_ = static_cast<std::size_t>(about.st_size);
    text_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    if (text_ == MAP_FAILED) throw std::runtime_error(name + ": " + std::strerror(errno));
  }
  ~mapped_file() { ::munmap(text_, size_); }
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;
  [[nodiscard]] std::string_view text() const { return {static_cast<const char*>(text_), size_}; }

 private:
  void* text_ = nullptr;
  std::size_t size_ = 0;
};

// zlib's state: a quarter of a megabyte, so each worker makes one only once.
class deflater {
 public:
  explicit deflater(int level) {
    constexpr int no_header = -MAX_WBITS;
    constexpr int memory = 8;  // zlib's default
    if (deflateInit2(&stream_, level, Z_DEFLATED, no_header, memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~deflater() { deflateEnd(&stream_); }
  deflater(const deflater&) = delete;
  deflater& operator=(const deflater&) = delete;

  std::string operator()(std::string_view before, std::string_view block, bool last) {
    deflateReset(&stream_);
    if (!before.empty()) deflateSetDictionary(&stream_, bytes_of(before), static_cast<uInt>(before.size()));
    std::string packed(deflateBound(&stream_, block.size()) + 16, '\0');
    stream_.next_in = bytes_of(block);
    stream_.avail_in = static_cast<uInt>(block.size());
    stream_.next_out = bytes_of(packed);
    stream_.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream_, last ? Z_FINISH : Z_SYNC_FLUSH);  // there is room for all of it
    packed.resize(packed.size() - stream_.avail_out);
    return packed;
  }

 private:
  static Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }
  z_stream stream_{};
};

struct packed_block {
  std::string bytes;
  std::uint32_t crc = 0;  // of what was packed
  std::uint64_t length = 0;
};

constexpr std::size_t block_size = 128 << 10;
constexpr std::size_t dictionary_size = 32 << 10;

inline packed_block pack(std::string_view before, std::string_view block, bool last, int level) {
  thread_local deflater deflate(level);
  return {deflate(before, block, last),
          static_cast<std::uint32_t>(
              crc32(0, reinterpret_cast<const Bytef*>(block.data()), static_cast<uInt>(block.size()))),
          block.size()};
}

// Block i of a text, and what precedes it.
struct cut {
  std::string_view before;
  std::string_view block;
  bool last = false;
};
inline std::size_t blocks_in(std::string_view text) {
  return std::max<std::size_t>(1, (text.size() + block_size - 1) / block_size);
}
inline cut cut_at(std::string_view text, std::size_t i) {
  const std::size_t first = i * block_size;
  const std::size_t known = std::min(first, dictionary_size);
  return {text.substr(first - known, known), text.substr(first, block_size), i + 1 == blocks_in(text)};
}

// Packed blocks behind one another, header and trailer around them (RFC 1952). To be closed, which says whether all went well.
class gzip_writer {
 public:
  explicit gzip_writer(const std::string& name) : file_(std::fopen(name.c_str(), "wbe"), std::fclose) {
    if (file_ == nullptr) throw std::runtime_error(name + ": " + std::strerror(errno));
    std::setvbuf(file_.get(), nullptr, _IOFBF, 1 << 20);
    write(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10));
  }
  void add(const packed_block& packed) {
    write(packed.bytes);
    crc_ = crc32_combine(crc_, packed.crc, static_cast<z_off_t>(packed.length));
    length_ += packed.length;
  }
  void close() {
    std::string trailer;
    for (const std::uint64_t word : {std::uint64_t{crc_}, length_})
      for (int byte = 0; byte < 4; ++byte) trailer += static_cast<char>(word >> (8 * byte) & 0xff);
    write(trailer);
    if (std::fclose(file_.release()) != 0) throw std::runtime_error(std::string("writing: ") + std::strerror(errno));
  }

 private:
  void write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
      throw std::runtime_error(std::string("writing: ") + std::strerror(errno));
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  uLong crc_ = crc32(0, nullptr, 0);
  std::uint64_t length_ = 0;
};

// With threads, or with workers forked at the call: both see the file where it is mapped.
template <class Pool>
void gzip_file(const std::string& from, const std::string& to, int level, unsigned workers) {
  const mapped_file file(from);
  gzip_writer out(to);
  Pool pool{workers};
  for (const packed_block& packed : pool.imap(forkful::indices(blocks_in(file.text())), [&](std::size_t i) {
         const auto [before, block, last] = cut_at(file.text(), i);
         return pack(before, block, last, level);
       }))
    out.add(packed);
  out.close();
}

// With workers that see nothing of the caller's: they get the file's name, and map it themselves, once each.
inline packed_block pack_block_of(std::size_t i, const std::string& name, int level) {
  static const mapped_file file(name);
  const auto [before, block, last] = cut_at(file.text(), i);
  return pack(before, block, last, level);
}
inline void gzip_file_by_name(const std::string& from, const std::string& to, int level, unsigned workers) {
  const std::size_t blocks = blocks_in(mapped_file(from).text());
  gzip_writer out(to);
  forkful::process_pool pool{workers};
  for (const packed_block& packed : pool.imap(forkful::indices(blocks), pack_block_of, from, level)) out.add(packed);
  out.close();
}

}  // namespace forkful_bench
