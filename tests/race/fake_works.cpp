// See fake_works.hpp. These take the place of works/works.cpp, and of the shapes.
#include "race/fake_works.hpp"

#include <array>

#include "works/skewed.hpp"

namespace race {
namespace {

using namespace std::chrono_literals;

class fake final : public work {
 public:
  explicit fake(int lie) : lie_(lie) {}
  [[nodiscard]] std::string slices() const override { return "3 slices"; }
  [[nodiscard]] std::string why_not(way which) const override { return which == way::shared ? "it has no table" : ""; }
  [[nodiscard]] std::string remark(const results& /*run*/) const override { return "all is well"; }
  [[nodiscard]] finish run(crew& /*here*/, way which) const override {
    finish done{.time = which == way::process ? 10ms : 20ms, .output = {"one", "two", "three"}};
    if (which == way::process && calls_++ == lie_) done.output[2][1] ^= 1;
    return done;
  }
  [[nodiscard]] std::optional<forkful::advice> advised(bool in_shared_memory) const override {
    forkful::advice says;
    if (in_shared_memory) return says;
    says.ways = {
        {.way = "serial", .time = 21ms}, {.way = "process", .time = 11ms}, {.way = "thread", .possible = false}};
    return says;
  }

 private:
  int lie_;  // in which call of `process`
  mutable int calls_ = 0;
};

template <int Lie>
std::unique_ptr<work> make(const work_options& /*said*/) {
  return std::make_unique<fake>(Lie);
}

}  // namespace

std::span<const entry> works() {
  static constexpr std::array all{entry{"honest", "gives the same every way", "", make<-1>},
                                  entry{"liar", "gives one wrong bit", "", make<0>},
                                  entry{"late_liar", "gives one wrong bit in the second call", "", make<1>}};
  return all;
}

std::vector<std::string> shapes() { return {}; }

}  // namespace race
