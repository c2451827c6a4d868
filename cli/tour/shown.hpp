// The lines of code that the tour shows: taken from the sources of its
// steps when they are compiled (embed.cmake), so they are what runs.
#pragma once

#include <string>
#include <string_view>

namespace tour {

/// The lines between "// show: name" and "// end" in cli/tour, without
/// the indentation they share. Throws std::logic_error if there are none.
std::string shown(std::string_view name);

namespace detail {

struct passage {
  std::string_view name;
  std::string_view text;
};
extern const passage passages[];
extern const std::size_t passage_count;

}  // namespace detail
}  // namespace tour
