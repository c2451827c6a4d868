// Pictures or marks. See exhibit.hpp.
#include "tour/exhibit.hpp"
#include "format/fmt.hpp"

#include "picture.hpp"
#include "terminal.hpp"

namespace tour {

namespace {
std::vector<forkful::report>* exhibits = nullptr;
}  // namespace

void exhibit(const forkful::report& happened,
             const std::vector<std::string>& slices) {
  if (exhibits == nullptr) {
    cli::print(cli::draw_call(happened, slices));
  } else {
    cli::print(exhibit_mark(exhibits->size()));
    exhibits->push_back(happened);
  }
}

void keep_exhibits(std::vector<forkful::report>* kept) {
  exhibits = kept;
}

std::string exhibit_mark(std::size_t number) {
  return fmt::format("\f{}\n", number);  // no step prints a form feed
}

}  // namespace tour
