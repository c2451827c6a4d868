// What the fuzzer and the ordinary tests feed the codec with: damaged frames, of every kind of type, in chains of segments
// that may be damaged too.
//
// An input says which type is read, how the bytes are cut into segments, what is wrong with the chain, and then what is in
// it. Every segment is a block of its own, so that a sanitizer sees a read past its end. Broken promises abort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace forkful_tests {

// The outcome of an input.
enum class fate : unsigned { decoded, refused, chain_refused, count };

// Decodes the input. Whatever was decoded is encoded again and must then come back equal; a handle that was adopted must
// lie in what the writer owned; an exception can be thrown again, whatever the failure holds.
fate decode(const std::uint8_t* input, std::size_t bytes);

// Builds values as the input says; each must come back from its encoding. Returns how many did.
std::size_t round_trip(const std::uint8_t* input, std::size_t bytes);

// Good inputs of every type, to be damaged.
const std::vector<std::string>& seeds();

}  // namespace forkful_tests
