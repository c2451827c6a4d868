// Which slices are tried: blocks of neighbours, spread over the whole input. What a slice throws, advise() throws.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <forkful/detail/job.hpp>

#include "errors/exceptions.hpp"

namespace forkful::detail {

struct block {
  std::size_t first = 0;
  std::size_t count = 1;
};

// The multiples of the golden ratio: they spread evenly over the input, however many there will be.
class places {
 public:
  places(std::size_t slices, std::size_t count) : slices_(slices), count_(count) {}
  block next() {
    const std::size_t room = slices_ - count_;
    at_ += 0.6180339887498949;
    at_ -= std::floor(at_);
    return {std::min(room, static_cast<std::size_t>(at_ * static_cast<double>(room + 1))), count_};
  }

 private:
  std::size_t slices_;
  std::size_t count_;
  double at_ = 0.38;
};

// What a slice throws is thrown by advise().
inline void rethrow_failure(chunk_io& /*io*/, std::size_t /*slice*/, std::size_t named) {
  rethrow(capture_exception(named, 0, 1));
}

}  // namespace forkful::detail
