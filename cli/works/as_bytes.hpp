// Results as the bytes that are compared.
#pragma once

#include <ranges>
#include <string>
#include <type_traits>

#include "race/crew.hpp"

namespace race {

/// Numbers, one a slice.
template <std::ranges::input_range Range>
  requires std::is_arithmetic_v<std::ranges::range_value_t<Range>>
results as_bytes(const Range& output) {
  results bytes;
  bytes.reserve(std::ranges::size(output));
  for (const auto& each : output) bytes.emplace_back(reinterpret_cast<const char*>(&each), sizeof each);
  return bytes;
}

/// Runs of numbers, one a slice.
template <std::ranges::input_range Range>
  requires std::ranges::contiguous_range<std::ranges::range_value_t<Range>>
results as_bytes(const Range& output) {
  results bytes;
  for (const auto& each : output)
    bytes.emplace_back(reinterpret_cast<const char*>(std::ranges::data(each)),
                       std::ranges::size(each) * sizeof(*std::ranges::data(each)));
  return bytes;
}

}  // namespace race
