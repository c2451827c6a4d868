// Results on their way back: from a finished chunk into what the verb returns. Runs in the caller's process.
//
// Owns nothing but the result it builds. A chunk's results come in order, and only of the slices that succeeded.
#pragma once

#include <deque>
#include <forkful/detail/job.hpp>
#include <forkful/slices.hpp>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// Takes the results of one chunk, one by one in order.
template <class R, bool Isolated>
class result_reader {
 public:
  explicit result_reader(const finished_slices& what) : what_(what) {}
  R next() {
    if constexpr (Isolated)
      return what_.in->read<R>();
    else
      return std::move((*static_cast<std::vector<R>*>(what_.results))[at_++]);
  }
  /// Calls each(slice, nullptr) for a slice that succeeded, each(slice, failure) for one that did not.
  template <class Each>
  void walk(Each&& each) {
    auto failure = what_.failures->begin();
    for (std::size_t slice = what_.first; slice < what_.last; ++slice) {
      if (failure != what_.failures->end() && failure->slice == slice) {
        each(slice, &failure->failure);
        ++failure;
      } else {
        each(slice, static_cast<const slice_failure*>(nullptr));
      }
      ++*what_.taken;
    }
  }

 private:
  const finished_slices& what_;
  std::size_t at_ = 0;
};

/// Pools in the caller's process: a chunk's results are a std::vector<R>.
template <class R>
void leave_results_here(job& work) {
  work.make_results = [](std::size_t slices) -> void* {
    auto made = std::make_unique<std::vector<R>>();
    made->reserve(slices);
    return made.release();
  };
  work.drop_results = [](void* results) { delete static_cast<std::vector<R>*>(results); };
}

/// map: all or nothing.
template <class R, bool Isolated>
struct collect_values {
  std::vector<R> out{};
  std::size_t expected = 0;  ///< results in all, if that is known
  void collect(const finished_slices& what) {
    std::size_t count = what.last - what.first - what.failures->size();
    if constexpr (!Isolated) {
      auto& chunk = *static_cast<std::vector<R>*>(what.results);
      if (out.empty() && chunk.size() >= expected) {
        out = std::move(chunk);
        return;
      }
      if (out.empty()) out.reserve(expected);
      if constexpr (std::is_trivially_copyable_v<R> && std::is_copy_assignable_v<R>) {
        out.insert(out.end(), chunk.begin(), chunk.end());
      } else {
        for (auto&& result : chunk) out.push_back(std::move(result));  // R need not be assignable
      }
    } else if constexpr (bitwise<R> && std::is_copy_constructible_v<R> && std::is_copy_assignable_v<R> &&
                         alignof(R) <= most_alignment) {
      while (count != 0) {
        // As many as lie side by side: all of them, but where the frame goes on in another segment.
        const std::size_t run = (std::min)(count, (std::max<std::size_t>)(1, what.in->at_hand() / sizeof(R)));
        const auto* at = reinterpret_cast<const R*>(what.in->view(run * sizeof(R), alignof(R)));
        out.insert(out.end(), at, at + run);
        count -= run;
        *what.taken += run;
      }
    } else {
      for (; count != 0; --count, ++*what.taken) out.push_back(what.in->read<R>());
    }
  }
};

/// try_map: an outcome a slice.
template <class R, bool Isolated>
struct collect_outcomes {
  std::vector<outcome<R>> out{};
  void collect(const finished_slices& what) {
    result_reader<R, Isolated> results(what);
    results.walk([&](std::size_t /*slice*/, const slice_failure* failure) {
      if (failure != nullptr)
        out.push_back(outcome<R>::failed(*failure));
      else
        out.emplace_back(results.next());
    });
  }
};

/// try_for_each: only what went wrong.
struct collect_failures {
  std::vector<outcome<void>> out{};
  void collect(const finished_slices& what) {
    out.resize(what.last);
    for (const failed_slice& one : *what.failures) out[one.slice] = outcome<void>::failed(one.failure);
  }
};

/// update: changed slices go back where they came from.
template <class R, bool Isolated, class Range>
struct write_back {
  using place = decltype(std::declval<const indexed<Range>&>()[0]);
  static constexpr bool assignable = [] {
    if constexpr (is_span<typename indexed<Range>::value_type>)
      return !std::is_const_v<typename indexed<Range>::value_type::element_type>;
    else
      return std::is_assignable_v<place, R&&>;
  }();
  const indexed<Range>& range;
  std::vector<outcome<void>>* outcomes = nullptr;
  void collect(const finished_slices& what) {
    if (outcomes != nullptr) outcomes->resize(what.last);
    result_reader<R, Isolated> results(what);
    results.walk([&](std::size_t slice, const slice_failure* failure) {
      if (failure != nullptr) {
        if (outcomes != nullptr) (*outcomes)[slice] = outcome<void>::failed(*failure);
        return;
      }
      R changed = results.next();
      static_assert(
          assignable,
          "forkful: update cannot put changed slices back into this range, whose elements are const or made on "
          "the fly: give it a range of elements that can be assigned, or use map");
      if constexpr (!assignable)
        return;
      else if constexpr (is_span<typename indexed<Range>::value_type>)
        std::move(changed.begin(), changed.end(), range[slice].begin());
      else
        range[slice] = std::move(changed);
    });
  }
};

/// imap: results in order, until the first failure.
template <class R, bool Isolated>
struct collect_in_turn {
  std::deque<R> out{};
  std::size_t expected = 0;
  bool failed = false;
  void collect(const finished_slices& what) {
    result_reader<R, Isolated> results(what);
    results.walk([&](std::size_t slice, const slice_failure* failure) {
      // A slice that ended its worker is not among what is collected; chunks behind it may have been run already.
      failed = failed || failure != nullptr || slice != expected++;
      if (failed) return;
      failed = true;  // unless the result can be decoded
      out.push_back(results.next());
      failed = false;
    });
  }
};

/// imap_unordered: results with their index, as they come.
template <class Numbered, class R, bool Isolated>
struct collect_numbered {
  std::deque<Numbered> out{};
  void collect(const finished_slices& what) {
    result_reader<R, Isolated> results(what);
    results.walk([&](std::size_t slice, const slice_failure* failure) {
      if (failure == nullptr) out.push_back(Numbered{slice, results.next()});
    });
  }
};

/// transform_reduce: folds what the workers made of their blocks, in order.
template <class R, bool Isolated, class Reduce>
struct collect_folded {
  R folded;
  Reduce& reduce;
  void collect(const finished_slices& what) {
    result_reader<R, Isolated> results(what);
    results.walk([&](std::size_t /*block*/, const slice_failure* failure) {
      if (failure == nullptr) folded = reduce(std::move(folded), results.next());
    });
  }
};

}  // namespace detail
}  // namespace forkful
