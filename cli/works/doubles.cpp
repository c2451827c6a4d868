#include "works/doubles.hpp"

#include <forkful/advise.hpp>

#include "works/as_bytes.hpp"
#include "works/sizes.hpp"

namespace race {

doubles::doubles(std::vector<double> values, std::size_t slices, block_function change)
    : values_(std::move(values)), slices_(slices), change_(change) {}

std::string doubles::slices() const {
  return fmt::format("{} of {} each", counted_slices(slices_),
                     cli::bytes_text(values_.size() / slices_ * sizeof(double)));
}

finish doubles::run(crew& here, way which) const {
  if (which == way::shared) {
    forkful::shared_vector<double> table(values_);
    finish done = here.timed_processes([&](auto& pool) { pool.for_each(forkful::slices(table, slices_), change_); });
    done.output = as_bytes(forkful::slices(table, slices_));
    return done;
  }
  std::vector<double> own = values_;
  finish done = crew::in_own_memory(which)
                    ? here.timed_here(which, [&](auto& pool) { pool.for_each(forkful::slices(own, slices_), change_); })
                    : here.timed_apart(which, [&](auto& pool) { pool.update(forkful::slices(own, slices_), change_); });
  done.output = as_bytes(forkful::slices(own, slices_));
  return done;
}

std::optional<forkful::advice> doubles::advised(bool in_shared_memory) const {
  if (in_shared_memory) {
    forkful::shared_vector<double> table(values_);
    return forkful::advise(forkful::slices(table, slices_), change_);
  }
  std::vector<double> own = values_;
  return forkful::advise(forkful::slices(own, slices_), change_);
}

}  // namespace race
