// The talk's own: every slice is a short text that gets "_eaten" behind it. Hardly anything to do, so passing is all there is.
#include <algorithm>
#include <forkful/advise.hpp>

#include "works/sizes.hpp"
#include "works/works.hpp"

namespace race {

namespace {

std::string add_eaten(const std::string& slice) { return slice + "_eaten"; }

void grow_eaten(forkful::shared_string& slice) { slice += "_eaten"; }

class strings final : public work {
 public:
  strings(std::size_t slices, std::size_t bytes) {
    for (std::size_t i = 0; i < slices; ++i) {
      texts_.push_back(fmt::format("slice_{}", i));
      if (bytes != 0) texts_.back().resize(bytes, '.');
      total_ += texts_.back().size();
    }
  }
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} of text, {} in all", counted_slices(texts_.size()), cli::bytes_text(total_));
  }
  [[nodiscard]] std::string why_not(way /*any*/) const override { return {}; }
  [[nodiscard]] finish run(crew& here, way which) const override {
    if (which == way::shared) {
      forkful::shared_vector<forkful::shared_string> table(texts_);
      finish done = here.timed_processes([&](auto& pool) { pool.for_each(table, grow_eaten); });
      done.output.assign(table.begin(), table.end());
      return done;
    }
    results output;
    finish done = here.timed(which, [&](auto& pool) { output = pool.map(texts_, add_eaten); });
    done.output = std::move(output);
    return done;
  }

  [[nodiscard]] std::optional<forkful::advice> advised(bool in_shared_memory) const override {
    if (!in_shared_memory) return forkful::advise(texts_, add_eaten);
    return forkful::advise(forkful::shared_vector<forkful::shared_string>(texts_), grow_eaten);
  }

 private:
  std::vector<std::string> texts_;
  std::size_t total_ = 0;
};

std::unique_ptr<work> make(const work_options& said) {
  const std::size_t slices = said.slices.value_or(20'000);
  return std::make_unique<strings>(slices, said.bytes ? bytes_or(said, slices, 0) : 0);
}

}  // namespace

entry strings_work() {
  return {"strings", "appends \"_eaten\" to short texts, as in the talk", "--slices --bytes", make};
}

}  // namespace race
