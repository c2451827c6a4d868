// Columns of an item (--colsep): what stands between matches of a regular expression, without blanks around it.
#pragma once

#include <regex>
#include <string>
#include <string_view>

#include "map/template.hpp"

namespace mapping {

class columns {
 public:
  /// Throws refusal if it is no regular expression.
  explicit columns(const std::string& separator);
  [[nodiscard]] unit of(const std::string& item) const;

 private:
  std::string plain_;  // a separator that needs no expression
  std::regex separator_;
};

}  // namespace mapping
