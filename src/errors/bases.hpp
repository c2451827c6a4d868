// The classes as which an exception can come back, nearest first.
//
// Invariants:
// - A class stands before every class it derives from (checked at compile time): the first entry that fits an exception
//   is the nearest.
// - The order is the same in every process of a run: slice_failure::base counts it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string_view>

#include <forkful/errors.hpp>

namespace forkful::detail {

struct base {
  std::string_view name;  // as users write it
  failure_kind kind;      // what it means when a slice throws it

  // Notes what() and error code in the failure, if `thrown` is one of these; otherwise returns false.
  bool (*describe)(const std::exception& thrown, slice_failure& failure);
  // The same for the exception being handled, which derives from std::exception more than once. Slow: it rethrows.
  bool (*describe_handled)(slice_failure& failure);
  // Throws the class, with slice_info.
  void (*raise)(const std::shared_ptr<const slice_failure>& failure);
};

/// All of them. docs/errors.md prints this list.
std::span<const base> bases() noexcept;

/// The place of a class in the list; it must be there.
std::uint32_t base_named(std::string_view name) noexcept;

}  // namespace forkful::detail
