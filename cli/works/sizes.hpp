// How many slices, and how large: what was asked for, within what fits into memory several times.
#pragma once

#include <chrono>
#include <cstddef>

#include "format/fmt.hpp"
#include "race/work.hpp"
#include "units.hpp"

namespace race {

inline constexpr std::size_t most_bytes = 4'000'000'000;

/// Of one slice, if there are that many slices; at least `least`.
inline std::size_t bytes_or(const work_options& said, std::size_t slices, std::size_t otherwise,
                            std::size_t least = 1) {
  const std::size_t bytes = said.bytes.value_or(otherwise);
  if (bytes < least)
    throw std::invalid_argument(
        fmt::format("--bytes wants at least {} for this work, not {}", cli::bytes_text(least), cli::bytes_text(bytes)));
  if (bytes > most_bytes / slices)
    throw std::invalid_argument(
        fmt::format("{} slices of {} are more than the {} that a race may take: fewer slices, or smaller ones", slices,
                    cli::bytes_text(bytes), cli::bytes_text(most_bytes)));
  return bytes;
}

/// "1 slice", "12 slices".
inline std::string counted_slices(std::size_t slices) {
  return slices == 1 ? "1 slice" : fmt::format("{} slices", slices);
}

}  // namespace race
