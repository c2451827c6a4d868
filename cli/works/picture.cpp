#include "works/picture.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "files.hpp"
#include "format/fmt.hpp"
#include "terminal.hpp"

namespace race {

namespace {

constexpr std::size_t most_bytes = 1'000'000'000;

/// What libpng stores while it reads or writes.
class image {
 public:
  image() noexcept { about.version = PNG_IMAGE_VERSION; }
  image(const image&) = delete;
  image& operator=(const image&) = delete;
  ~image() { png_image_free(&about); }
  png_image about{};
};

[[noreturn]] void refuse(const std::string& file, std::string_view why) {
  throw std::runtime_error(
      fmt::format("'{}' is no picture to blur ({}); name a PNG file", cli::harmless(file), cli::harmless(why)));
}

}  // namespace

picture read_png(const std::string& file) {
  const std::string packed = cli::read_slice(file);
  image png;
  if (png_image_begin_read_from_memory(&png.about, packed.data(), packed.size()) == 0) refuse(file, png.about.message);
  png.about.format = PNG_FORMAT_RGBA;
  picture read{.width = png.about.width, .height = png.about.height};
  if (read.height > most_bytes / read.row_bytes()) refuse(file, "it is larger than 1 GB");
  read.bytes.resize(read.row_bytes() * read.height);
  if (png_image_finish_read(&png.about, nullptr, read.bytes.data(), 0, nullptr) == 0) refuse(file, png.about.message);
  return read;
}

void write_png(const std::string& file, const picture& what) {
  image png;
  png.about.format = PNG_FORMAT_RGBA;
  png.about.width = static_cast<png_uint_32>(what.width);
  png.about.height = static_cast<png_uint_32>(what.height);
  png_alloc_size_t size = 0;
  std::string packed;
  bool good = png_image_write_to_memory(&png.about, nullptr, &size, 0, what.bytes.data(), 0, nullptr) != 0;
  packed.resize(size);
  good = good && png_image_write_to_memory(&png.about, packed.data(), &size, 0, what.bytes.data(), 0, nullptr) != 0;
  if (!good) throw std::runtime_error(fmt::format("cannot write '{}' ({})", cli::harmless(file), png.about.message));
  packed.resize(size);
  cli::write_whole(file, packed);
}

picture drawn_cake(std::size_t width, std::size_t height) {
  using colour = std::array<std::uint8_t, picture::channels>;
  constexpr colour table{246, 241, 231, 255};
  constexpr colour plate{190, 198, 204, 255};
  constexpr std::array<colour, 3> icing{colour{230, 126, 140, 255}, colour{250, 222, 190, 255},
                                        colour{122, 74, 50, 255}};
  constexpr double slices = 12;
  picture drawn{.width = width, .height = height};
  drawn.bytes.reserve(drawn.row_bytes() * height);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const double right = static_cast<double>(x) - static_cast<double>(width) / 2;
      const double down = static_cast<double>(y) - static_cast<double>(height) / 2;
      const double radius = std::hypot(right, down) / static_cast<double>(std::min(width, height));
      const double turn = (std::atan2(down, right) / std::numbers::pi + 1) / 2;
      const auto slice = static_cast<std::size_t>(turn * slices);
      const colour& here = radius > 0.48 ? table : radius > 0.4 ? plate : icing[slice % icing.size()];
      drawn.bytes.insert(drawn.bytes.end(), here.begin(), here.end());
    }
  }
  return drawn;
}

}  // namespace race
