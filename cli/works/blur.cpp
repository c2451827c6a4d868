// A picture blurred by strips of rows: a strip needs its neighbours' rows to read, and has its own to write.
//
// Every way ends with the whole blurred picture in the caller: the loop and threads write into it, in shared memory workers do;
// snapshot and process give back their strips, and process gets the rows to read as copies.
#include <algorithm>
#include <array>
#include <forkful/advise.hpp>

#include "works/as_bytes.hpp"
#include "works/picture.hpp"
#include "works/sizes.hpp"
#include "works/works.hpp"

namespace race {

namespace {

using bytes = std::vector<std::uint8_t>;

constexpr std::size_t radius = 8;

/// A Gauss curve of standard deviation radius / 2, in parts of 65536, which they add up to.
constexpr std::array<std::uint32_t, radius + 1> weights{6760, 6552, 5966, 5103, 4100, 3095, 2195, 1462, 915};

/// `height` and `width` are the whole picture's; rows [first, first + count) are written to `out`. `rows` begins with row `top`.
struct strip {
  std::size_t first;
  std::size_t count;
  std::size_t width;
  std::size_t height;

  [[nodiscard]] std::size_t row_bytes() const { return width * picture::channels; }
  /// The rows it reads: its own, and as many above and below as the blur reaches.
  [[nodiscard]] std::size_t top() const { return first - std::min(first, radius); }
  [[nodiscard]] std::size_t bottom() const { return std::min(height, first + count + radius); }
};

/// The sum of what lies at a distance of at most `radius`, weighted; beyond the picture its edge goes on.
template <class At>
std::uint8_t blurred_at(std::size_t position, std::size_t end, At&& at) {
  std::uint32_t sum = weights[0] * at(position) + 32768;
  for (std::size_t distance = 1; distance <= radius; ++distance) {
    const std::size_t before = position - std::min(position, distance);
    const std::size_t behind = std::min(end - 1, position + distance);
    sum += weights[distance] * (std::uint32_t{at(before)} + at(behind));
  }
  return static_cast<std::uint8_t>(sum >> 16);
}

/// `rows` begins with row strip.top(); the result begins with row strip.first. Along rows first, then along columns.
void blur_rows(const strip& where, std::span<const std::uint8_t> rows, std::span<std::uint8_t> out) {
  constexpr std::size_t channels = picture::channels;
  const std::size_t length = where.row_bytes();
  const std::size_t top = where.top();
  bytes along((where.bottom() - top) * length);
  for (std::size_t y = 0; y < where.bottom() - top; ++y) {
    const std::uint8_t* const row = rows.data() + y * length;
    for (std::size_t x = 0; x < where.width; ++x)
      for (std::size_t c = 0; c < channels; ++c)
        along[y * length + x * channels + c] =
            blurred_at(x, where.width, [&](std::size_t at) { return row[at * channels + c]; });
  }
  for (std::size_t y = 0; y < where.count; ++y)
    for (std::size_t i = 0; i < length; ++i)
      out[y * length + i] =
          blurred_at(where.first + y, where.height, [&](std::size_t at) { return along[(at - top) * length + i]; });
}

/// A strip that brings along what it reads.
struct packed_strip {
  strip where;
  bytes rows;
};

bytes blur_packed(const packed_strip& slice) {
  bytes out(slice.where.count * slice.where.row_bytes());
  blur_rows(slice.where, slice.rows, out);
  return out;
}

void blur_shared(const strip& slice, std::span<const std::uint8_t> from,
                 const forkful::shared_vector<std::uint8_t>& to) {
  const std::size_t length = slice.row_bytes();
  blur_rows(slice, from.subspan(slice.top() * length), to.span().subspan(slice.first * length, slice.count * length));
}

class blur final : public work {
 public:
  explicit blur(const work_options& said)
      : out_(said.out), drawn_(said.in.empty()), from_(drawn_ ? drawn_cake(1200, 800) : read_png(said.in)) {
    const std::size_t strips = std::min(said.slices.value_or(32), from_.height);
    for (std::size_t i = 0; i < strips; ++i) {
      const std::size_t first = from_.height * i / strips;
      strips_.push_back({first, from_.height * (i + 1) / strips - first, from_.width, from_.height});
    }
  }
  [[nodiscard]] std::string slices() const override {
    return fmt::format("{} of {} {} of {} x {} pixels", counted_slices(strips_.size()), drawn_ ? "a drawn" : "your",
                       "picture", from_.width, from_.height);
  }
  [[nodiscard]] std::string why_not(way /*any*/) const override { return {}; }
  [[nodiscard]] finish run(crew& here, way which) const override {
    if (which == way::shared) return eat_shared(here);
    bytes to(from_.bytes.size());
    finish done = crew::in_own_memory(which) ? eat_here(here, which, to)
                  : which == way::snapshot   ? eat_snapshot(here, to)
                                             : eat_copies(here, to);
    done.output = as_strips(to);
    return done;
  }
  void keep(const results& output) const override {
    if (out_.empty()) return;
    picture blurred{.width = from_.width, .height = from_.height};
    for (const std::string& each : output) blurred.bytes.insert(blurred.bytes.end(), each.begin(), each.end());
    write_png(out_, blurred);
  }

  [[nodiscard]] std::optional<forkful::advice> advised(bool in_shared_memory) const override {
    if (!in_shared_memory) return forkful::advise(packed(), blur_packed);
    const forkful::shared_vector<std::uint8_t> from(from_.bytes);
    const forkful::shared_vector<std::uint8_t> to(from_.bytes.size());
    return forkful::advise(strips_, blur_shared, std::span<const std::uint8_t>(from), to);
  }

 private:
  finish eat_here(crew& here, way which, bytes& to) const {
    return here.timed_here(which, [&](auto& pool) {
      pool.for_each(strips_, [&](const strip& slice) { blur_rows(slice, read_by(slice), written_by(slice, to)); });
    });
  }
  finish eat_snapshot(crew& here, bytes& to) const {
    return here.timed_snapshot([&](auto& pool) {
      put_together(pool.map(strips_,
                            [&](const strip& slice) {
                              bytes out(slice.count * slice.row_bytes());
                              blur_rows(slice, read_by(slice), out);
                              return out;
                            }),
                   to);
    });
  }
  finish eat_copies(crew& here, bytes& to) const {
    return here.timed_processes([&](auto& pool) { put_together(pool.map(packed(), blur_packed), to); });
  }
  finish eat_shared(crew& here) const {
    const forkful::shared_vector<std::uint8_t> from(from_.bytes);
    const forkful::shared_vector<std::uint8_t> to(from_.bytes.size());
    finish done = here.timed_processes(
        [&](auto& pool) { pool.for_each(strips_, blur_shared, std::span<const std::uint8_t>(from), to); });
    done.output = as_strips(to);
    return done;
  }

  [[nodiscard]] std::vector<packed_strip> packed() const {
    std::vector<packed_strip> strips;
    for (const strip& slice : strips_) {
      const auto rows = read_by(slice);
      strips.push_back({slice, {rows.begin(), rows.end()}});
    }
    return strips;
  }
  [[nodiscard]] std::span<const std::uint8_t> read_by(const strip& slice) const {
    const std::size_t length = slice.row_bytes();
    return std::span(from_.bytes).subspan(slice.top() * length, (slice.bottom() - slice.top()) * length);
  }
  static std::span<std::uint8_t> written_by(const strip& slice, bytes& to) {
    return std::span(to).subspan(slice.first * slice.row_bytes(), slice.count * slice.row_bytes());
  }
  void put_together(const std::vector<bytes>& parts, bytes& to) const {
    for (std::size_t i = 0; i < parts.size(); ++i) std::ranges::copy(parts[i], written_by(strips_[i], to).begin());
  }
  [[nodiscard]] results as_strips(std::span<const std::uint8_t> whole) const {
    results strips;
    for (const strip& each : strips_) {
      const auto rows = whole.subspan(each.first * each.row_bytes(), each.count * each.row_bytes());
      strips.emplace_back(rows.begin(), rows.end());
    }
    return strips;
  }

  std::string out_;
  bool drawn_;
  picture from_;
  std::vector<strip> strips_;
};

std::unique_ptr<work> make(const work_options& said) { return std::make_unique<blur>(said); }

}  // namespace

entry blur_work() { return {"blur", "blurs a picture by strips of rows", "--slices --in --out", make}; }

}  // namespace race
