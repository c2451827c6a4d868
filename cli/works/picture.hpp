// A picture in memory: read from a PNG file, written to one, or drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace race {

/// Rows of pixels, each of `channels` bytes: red, green, blue, opacity.
struct picture {
  static constexpr std::size_t channels = 4;
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> bytes{};

  [[nodiscard]] std::size_t row_bytes() const { return width * channels; }
};

/// Throws std::runtime_error with one sentence if there is no PNG to read, or one that is too large.
picture read_png(const std::string& file);
/// Throws std::system_error, or std::runtime_error for what libpng says.
void write_png(const std::string& file, const picture& what);
/// A cake with its slices, drawn.
picture drawn_cake(std::size_t width, std::size_t height);

}  // namespace race
