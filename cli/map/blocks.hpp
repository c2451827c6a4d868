// Standard input in blocks, one a job (--pipe): of so many bytes and to the end of that line, or of so many lines.
#pragma once

#include <optional>
#include <string>

#include "map/options.hpp"
#include "map/source.hpp"
#include "map/supply.hpp"

namespace mapping {

class blocks final : public supply {
 public:
  /// Throws refusal if the file cannot be opened.
  blocks(const options& how, int stop);
  std::optional<portion> take() override;

 private:
  // Where the block ends that is read already; npos: read on.
  [[nodiscard]] std::size_t end_of_block();

  reader from_;
  char delimiter_;
  std::size_t bytes_;
  std::size_t lines_;  // 0: by bytes
  std::string read_;
  std::size_t searched_ = 0;  // no end before that
  std::size_t counted_ = 0;   // lines before that
};

}  // namespace mapping
