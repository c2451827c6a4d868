#include "backends/inherited.hpp"

#include <forkful/errors.hpp>
#include <utility>
#include <vector>

#include "os/identity.hpp"

namespace forkful::detail {

void check_process(std::uint64_t made_by) {
  if (this_process() == made_by) return;
  throw wrong_process(
      "this pool was made by another process and inherited by fork: its workers are that process's; make a pool of "
      "your own here");
}

void never_destroy(std::shared_ptr<void> object) {
  static auto& leaked = *new std::vector<std::shared_ptr<void>>;  // never destroyed
  leaked.push_back(std::move(object));
}

}  // namespace forkful::detail
