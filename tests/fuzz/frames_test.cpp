// A short, repeatable run of what `./dev fuzz` does for as long as the user likes: docs/protocol.md, 11.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>

#include "faults/killing.hpp"
#include "fuzz/target.hpp"

namespace {

using namespace forkful_tests;

const std::uint8_t* bytes_in(const std::string& input) { return reinterpret_cast<const std::uint8_t*>(input.data()); }

// Changes a few bytes, or what looks like a length, cuts, doubles.
std::string damaged(std::string input, std::mt19937_64& random) {
  for (unsigned changes = 1 + random() % 4; changes != 0 && !input.empty(); --changes) {
    const std::size_t at = random() % input.size();
    switch (random() % 6) {
      case 0:
        input[at] = static_cast<char>(random());
        break;
      case 1:
        input[at] = static_cast<char>(input[at] ^ 1 << random() % 8);
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.insert(at, input.substr(at, random() % 40));
        break;
      case 4: {
        constexpr std::array<std::uint64_t, 8> lengths{
            0, 1, 255, 1U << 20, std::uint64_t{1} << 32, ~0U, ~0ULL >> 1, ~std::uint64_t{0}};
        const std::uint64_t word = lengths[random() % lengths.size()];
        if (input.size() - at >= 8) input.replace(at, 8, reinterpret_cast<const char*>(&word), 8);
        break;
      }
      default:
        input[random() % 7 % input.size()] = static_cast<char>(random());
        break;  // type, cuts, chain
    }
  }
  return input;
}

TEST(fuzzing, good_frames_are_decoded) {
  for (std::size_t i = 0; i != seeds().size(); ++i)
    EXPECT_EQ(decode(bytes_in(seeds()[i]), seeds()[i].size()), fate::decoded) << "seed " << i;
}

TEST(fuzzing, damaged_frames_are_decoded_or_refused_and_nothing_else) {
  constexpr std::size_t frames = sanitized ? 50'000 : 1'000'000;
  const watchdog bites;
  std::mt19937_64 random(4711);
  std::array<std::size_t, static_cast<std::size_t>(fate::count)> became{};
  for (std::size_t i = 0; i != frames; ++i) {
    const std::string input = damaged(seeds()[i % seeds().size()], random);
    ++became[static_cast<std::size_t>(decode(bytes_in(input), input.size()))];
  }
  std::cout << frames << " damaged frames: " << became[0] << " decoded, " << became[1] << " refused, " << became[2]
            << " with a chain that was refused\n";
  for (const std::size_t count : became) EXPECT_GT(count, frames / 30);
}

TEST(fuzzing, values_come_back_from_their_encoding) {
  const watchdog bites;
  std::mt19937_64 random(42);
  std::size_t values = 0;
  for (unsigned i = 0; i != times(3000); ++i) {
    std::string input(random() % 600, '\0');
    for (char& each : input) each = static_cast<char>(random());
    values += round_trip(bytes_in(input), input.size());
  }
  EXPECT_GE(values, times(3000));
}

}  // namespace
