// The libFuzzer program of `./dev fuzz`.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fuzz/target.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  forkful_tests::decode(data, size);
  if (size != 0 && data[0] % 4 == 0) forkful_tests::round_trip(data + 1, size - 1);
  return 0;
}

// Starts from good frames as this very build encodes them, so no files of seeds can go out of date.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                               unsigned number) {
  const auto& seeds = forkful_tests::seeds();
  if (size < 8 || number % 64 == 0) {
    const auto& seed = seeds[number / 64 % seeds.size()];
    size = seed.size() < most ? seed.size() : most;
    std::memcpy(data, seed.data(), size);
  }
  return LLVMFuzzerMutate(data, size, most);
}
