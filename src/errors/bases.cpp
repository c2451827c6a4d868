// The list of bases, and for each of them how to read one and how to make one again.
#include "errors/bases.hpp"

#include <any>
#include <array>
#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace forkful::detail {

namespace {

enum category : std::uint32_t { generic, system, iostream, future, category_count };

const std::error_category& category_of(std::uint32_t number) noexcept {
  switch (number) {
    case system:
      return std::system_category();
    case iostream:
      return std::iostream_category();
    case future:
      return std::future_category();
    default:
      return std::generic_category();
  }
}

void note_code(const std::error_code& code, slice_failure& failure) {
  failure.error_value = code.value();
  for (std::uint32_t number = generic; number < category_count; ++number) {
    if (code.category() == category_of(number)) {
      failure.error_category = number;
      return;
    }
  }
  failure.type += std::string{" (error category "} + code.category().name() + ")";
}

// What a class knows beyond what().
void note_more(const std::exception& /*thrown*/, slice_failure& /*failure*/) {}
void note_more(const std::system_error& thrown, slice_failure& failure) { note_code(thrown.code(), failure); }
void note_more(const std::future_error& thrown, slice_failure& failure) { note_code(thrown.code(), failure); }
void note_more(const std::regex_error& thrown, slice_failure& failure) {
  failure.error_value = static_cast<int>(thrown.code());
}
void note_more(const std::filesystem::filesystem_error& thrown, slice_failure& failure) {
  note_code(thrown.code(), failure);
  failure.path1 = thrown.path1().native();
  failure.path2 = thrown.path2().native();
}

template <class Base>
void note(const Base& thrown, slice_failure& failure) {
  const char* const what = thrown.what();
  failure.what = what != nullptr ? what : "";
  note_more(thrown, failure);
  // A slice of a nested pool failed: what happened comes from it, which slice of ours it was does not.
  if (const auto* inner = dynamic_cast<const slice_info*>(&thrown)) {
    failure.type = inner->type();
    failure.signal = inner->failure().signal;
    failure.exit_status = inner->failure().exit_status;
    failure.frames = inner->failure().frames;
  }
}

template <class Base>
bool describe(const std::exception& thrown, slice_failure& failure) {
  const auto* const found = dynamic_cast<const Base*>(&thrown);
  if (found == nullptr) return false;
  note(*found, failure);
  return true;
}

template <class Base>
bool describe_handled(slice_failure& failure) {
  try {
    throw;
  } catch (const Base& thrown) {
    note(thrown, failure);
    return true;
  } catch (...) {
    return false;
  }
}

template <class Base>
Base remake(const slice_failure& failure) {
  const std::error_code code{failure.error_value, category_of(failure.error_category)};
  if constexpr (std::same_as<Base, std::filesystem::filesystem_error>) {
    return Base{"", failure.path1, failure.path2, code};
  } else if constexpr (std::same_as<Base, std::regex_error>) {
    return Base{static_cast<std::regex_constants::error_type>(failure.error_value)};
  } else if constexpr (std::same_as<Base, std::future_error>) {
    return Base{static_cast<std::future_errc>(failure.error_value)};
  } else if constexpr (std::same_as<Base, std::ios_base::failure>) {
    return Base{"", code};
  } else if constexpr (std::same_as<Base, std::system_error>) {
    return Base{code};
  } else if constexpr (std::constructible_from<Base, const std::string&>) {
    return Base{failure.what};
  } else {
    return Base{};
  }
}

}  // namespace

// An exception of a slice, on the caller's side. what() is the original text also where Base would write its own.
// Outside the unnamed namespace because std::terminate prints its name.
template <class Base>
class from_slice final : public Base, public slice_info {
 public:
  explicit from_slice(const std::shared_ptr<const slice_failure>& failure)
      : Base(remake<Base>(*failure)), slice_info{failure} {}
  [[nodiscard]] const char* what() const noexcept override { return failure().what.c_str(); }
};

namespace {

template <class Base>
void raise(const std::shared_ptr<const slice_failure>& failure) {
  if constexpr (std::derived_from<Base, slice_info>) {
    throw Base{failure};
  } else {
    throw from_slice<Base>{failure};
  }
}

template <class Base>
constexpr failure_kind kind_of() {
  if (std::derived_from<Base, std::bad_alloc> || std::same_as<Base, arena_exhausted>) return failure_kind::memory;
  if (std::same_as<Base, codec_error>) return failure_kind::codec;
  return failure_kind::exception;
}

template <class Base>
struct named {
  std::string_view name;
};

template <class First, class... Rest>
constexpr bool nearest_first() {
  if constexpr (sizeof...(Rest) == 0) {
    return true;
  } else {
    return !(std::derived_from<Rest, First> || ...) && nearest_first<Rest...>();
  }
}

template <class... Base>
constexpr std::array<base, sizeof...(Base)> make_list(named<Base>... entries) {
  static_assert(nearest_first<Base...>(), "a class stands before a class derived from it");
  return {base{entries.name, kind_of<Base>(), describe<Base>, describe_handled<Base>, raise<Base>}...};
}

constexpr auto list = make_list(                                                    //
    named<worker_crashed>{"forkful::worker_crashed"},                               //
    named<slice_timeout>{"forkful::slice_timeout"},                                 //
    named<slice_error>{"forkful::slice_error"},                                     //
    named<arena_exhausted>{"forkful::arena_exhausted"},                             //
    named<codec_error>{"forkful::codec_error"},                                     //
    named<start_failed>{"forkful::start_failed"},                                   //
    named<cancelled>{"forkful::cancelled"},                                         //
    named<pool_closed>{"forkful::pool_closed"},                                     //
    named<not_shared>{"forkful::not_shared"},                                       //
    named<wrong_process>{"forkful::wrong_process"},                                 //
    named<error>{"forkful::error"},                                                 //
    named<std::filesystem::filesystem_error>{"std::filesystem::filesystem_error"},  //
    named<std::ios_base::failure>{"std::ios_base::failure"},                        //
    named<std::system_error>{"std::system_error"},                                  //
    named<std::regex_error>{"std::regex_error"},                                    //
    named<std::range_error>{"std::range_error"},                                    //
    named<std::overflow_error>{"std::overflow_error"},                              //
    named<std::underflow_error>{"std::underflow_error"},                            //
    named<std::runtime_error>{"std::runtime_error"},                                //
    named<std::future_error>{"std::future_error"},                                  //
    named<std::domain_error>{"std::domain_error"},                                  //
    named<std::invalid_argument>{"std::invalid_argument"},                          //
    named<std::length_error>{"std::length_error"},                                  //
    named<std::out_of_range>{"std::out_of_range"},                                  //
    named<std::logic_error>{"std::logic_error"},                                    //
    named<std::bad_array_new_length>{"std::bad_array_new_length"},                  //
    named<std::bad_alloc>{"std::bad_alloc"},                                        //
    named<std::bad_any_cast>{"std::bad_any_cast"},                                  //
    named<std::bad_cast>{"std::bad_cast"},                                          //
    named<std::bad_typeid>{"std::bad_typeid"},                                      //
    named<std::bad_exception>{"std::bad_exception"},                                //
    named<std::bad_function_call>{"std::bad_function_call"},                        //
    named<std::bad_optional_access>{"std::bad_optional_access"},                    //
    named<std::bad_variant_access>{"std::bad_variant_access"},                      //
    named<std::bad_weak_ptr>{"std::bad_weak_ptr"},                                  //
    named<std::exception>{"std::exception"});

}  // namespace

std::span<const base> bases() noexcept { return list; }

std::uint32_t base_named(std::string_view name) noexcept {
  std::uint32_t index = 0;
  while (list[index].name != name) ++index;
  return index;
}

}  // namespace forkful::detail
