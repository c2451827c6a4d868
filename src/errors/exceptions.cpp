// Capture of the exception being handled, and the way back.
#include "errors/exceptions.hpp"

#include <cxxabi.h>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include "errors/bases.hpp"
#include "errors/readable.hpp"
#include "os/host.hpp"

namespace forkful::detail {

namespace {

// The type as users write it: demangled, without the wrappers of the standard library.
std::string name_of(const std::type_info& type) {
  std::string text = readable(type.name());
  constexpr std::string_view nested = "std::_Nested_exception<";  // std::throw_with_nested
  if (text.starts_with(nested)) text = text.substr(nested.size(), text.size() - nested.size() - 1);
  return text == "std::__ios_failure" ? "std::ios_base::failure" : text;
}

// The value of an exception that is no std::exception, where it can be shown: programs do throw "text".
std::string handled_value() {
  try {
    throw;
  } catch (const char* text) {
    return text != nullptr ? ": " + std::string{text} : ": null";
  } catch (const std::string& text) {
    return ": " + text;
  } catch (int number) {
    return ": " + std::to_string(number);
  } catch (...) {
    return "";
  }
}

void set_base(slice_failure& failure, std::size_t index) noexcept {
  failure.base = static_cast<std::uint32_t>(index);
  failure.kind = bases()[index].kind;
}

void describe_foreign(slice_failure& failure) {
  set_base(failure, base_named("forkful::slice_error"));
  failure.what = "slice " + std::to_string(failure.slice) + " threw an object of type " + failure.type +
                 handled_value() +
                 ". It is no std::exception, so only this came back: throw a class derived from std::exception to keep "
                 "its kind and what()";
}

void describe_handled_exception(slice_failure& failure) {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  failure.type = type != nullptr ? name_of(*type) : "an exception of another language";
  failure.host = host_name();
  const auto list = bases();
  try {
    throw;
  } catch (const std::exception& thrown) {
    std::size_t index = 0;
    while (!list[index].describe(thrown, failure)) ++index;  // ends: the last base is std::exception
    set_base(failure, index);
  } catch (...) {
    // What derives from std::exception twice is not caught as one, but may be as one of its bases.
    for (std::size_t index = 0; index < list.size(); ++index) {
      if (list[index].describe_handled(failure)) return set_base(failure, index);
    }
    describe_foreign(failure);
  }
}

}  // namespace

slice_failure capture_exception(std::size_t slice, unsigned worker, unsigned attempt) noexcept {
  slice_failure failure;
  failure.slice = slice;
  failure.worker = worker;
  failure.attempt = attempt;
  try {
    describe_handled_exception(failure);
  } catch (...) {
    // Describing takes memory. These texts fit into a std::string without any.
    set_base(failure, base_named("std::bad_alloc"));
    failure.what = "std::bad_alloc";
    failure.type = "std::bad_alloc";
  }
  return failure;
}

std::string thrown_text(const slice_failure& thrown) {
  const bool is_exception = thrown.base != base_named("forkful::slice_error");
  return thrown.type + (is_exception ? ": " + thrown.what : ", no std::exception");
}

void rethrow(const slice_failure& failure) {
  const auto list = bases();
  // A number out of range can only come from a worker that was overwritten: its text is still useful.
  const auto index = failure.base < list.size() ? failure.base : base_named("forkful::slice_error");
  list[index].raise(std::make_shared<const slice_failure>(failure));
  std::abort();  // raise() does not return; function pointers cannot say so
}

}  // namespace forkful::detail
