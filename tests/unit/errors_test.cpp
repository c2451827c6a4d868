// Errors: every class is caught as everything it is, what it says is preserved, and an exception that crosses as a
// slice_failure comes back as the nearest standard class it had.
#include <sys/resource.h>
#include <any>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <ios>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <forkful/errors.hpp>
#include <forkful/outcome.hpp>

#include "errors/bases.hpp"
#include "errors/exceptions.hpp"

using namespace std::chrono_literals;
using forkful::failure_kind;
using forkful::outcome;
using forkful::slice_failure;
using forkful::slice_info;
using forkful::detail::cancelled_failure;
using forkful::detail::capture_exception;
using forkful::detail::crash_failure;
using forkful::detail::failing_call;
using forkful::detail::rethrow;
using forkful::detail::timeout_failure;

// Outside the unnamed namespace, so that their demangled names are short.
struct my_error : std::out_of_range {
  my_error() : std::out_of_range{"the message"} {}
  [[nodiscard]] const char* what() const noexcept override { return "my own what"; }
};
struct mute_error : std::exception {
  [[nodiscard]] const char* what() const noexcept override { return nullptr; }
};
struct two_headed : std::out_of_range, std::overflow_error {
  two_headed() : std::out_of_range{"range"}, std::overflow_error{"overflow"} {}
};
struct no_exception {
  int value;
};
struct privately : private std::exception {};
struct my_category : std::error_category {
  [[nodiscard]] const char* name() const noexcept override { return "cake"; }
  [[nodiscard]] std::string message(int) const override { return "lie"; }
};

namespace {

constexpr std::size_t slice = 4711;
constexpr unsigned worker = 3;
const failing_call mapped{};
const failing_call half_done{"for_each", true};
constexpr unsigned attempt = 2;

template <class Throw>
slice_failure captured(Throw&& act) {
  try {
    std::forward<Throw>(act)();
  } catch (...) {
    return capture_exception(slice, worker, attempt);
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

template <class Thrown>
slice_failure captured_value(const Thrown& thrown) {
  return captured([&] { throw thrown; });
}

// Rethrows the failure and passes what was caught as Caught to `check`; anything else fails the test.
template <class Caught, class Check>
void expect_thrown(const slice_failure& failure, Check&& check) {
  try {
    rethrow(failure);
  } catch (const Caught& caught) {
    check(caught);
    return;
  } catch (...) {
    ADD_FAILURE() << "caught something else than " << typeid(Caught).name();
    return;
  }
  ADD_FAILURE() << "nothing was thrown";
}

// The failure comes back as each of Classes, as slice_info and as std::exception, with this text.
template <class... Classes>
void expect_comes_back_as(const slice_failure& failure, const std::string& what) {
  expect_thrown<std::exception>(failure, [&](const std::exception& e) { EXPECT_EQ(e.what(), what); });
  expect_thrown<slice_info>(failure, [&](const slice_info& info) {
    EXPECT_EQ(info.slice(), slice);
    EXPECT_EQ(info.worker(), worker);
    EXPECT_EQ(info.attempt(), attempt);
    EXPECT_FALSE(info.host().empty());
    EXPECT_EQ(info.failure().what, what);
  });
  (expect_thrown<Classes>(failure, [&](const Classes& e) { EXPECT_EQ(e.what(), what); }), ...);
}

std::string type_that_came_back(const slice_failure& failure) {
  std::string type;
  expect_thrown<slice_info>(failure, [&](const slice_info& info) { type = info.type(); });
  return type;
}

template <class Exact>
struct row {
  std::string name;
  Exact exception;
};

// One object of every class in the list of bases, thrown as itself.
template <class Visit>
void for_each_base(Visit&& visit) {
  const auto io = std::make_error_code(std::io_errc::stream);
  visit(row<forkful::arena_exhausted>{"forkful::arena_exhausted", forkful::arena_exhausted{"full"}});
  visit(row<forkful::codec_error>{"forkful::codec_error", forkful::codec_error{"garbled"}});
  visit(row<forkful::start_failed>{"forkful::start_failed", forkful::start_failed{"no start"}});
  visit(row<forkful::cancelled>{"forkful::cancelled", forkful::cancelled{"stopped"}});
  visit(row<forkful::pool_closed>{"forkful::pool_closed", forkful::pool_closed{"closed"}});
  visit(row<forkful::not_shared>{"forkful::not_shared", forkful::not_shared{"private"}});
  visit(row<forkful::wrong_process>{"forkful::wrong_process", forkful::wrong_process{"inherited"}});
  visit(row<forkful::error>{"forkful::error", forkful::error{"in general"}});
  visit(row<std::filesystem::filesystem_error>{
      "std::filesystem::filesystem_error",
      {"open", "/cake", "/lie", std::make_error_code(std::errc::no_such_file_or_directory)}});
  visit(row<std::ios_base::failure>{"std::ios_base::failure", std::ios_base::failure{"read", io}});
  visit(row<std::system_error>{"std::system_error", {ENOMEM, std::system_category(), "map"}});
  visit(row<std::regex_error>{"std::regex_error", std::regex_error{std::regex_constants::error_brack}});
  visit(row<std::range_error>{"std::range_error", std::range_error{"range"}});
  visit(row<std::overflow_error>{"std::overflow_error", std::overflow_error{"over"}});
  visit(row<std::underflow_error>{"std::underflow_error", std::underflow_error{"under"}});
  visit(row<std::runtime_error>{"std::runtime_error", std::runtime_error{"run"}});
  visit(row<std::future_error>{"std::future_error", std::future_error{std::future_errc::no_state}});
  visit(row<std::domain_error>{"std::domain_error", std::domain_error{"domain"}});
  visit(row<std::invalid_argument>{"std::invalid_argument", std::invalid_argument{"argument"}});
  visit(row<std::length_error>{"std::length_error", std::length_error{"length"}});
  visit(row<std::out_of_range>{"std::out_of_range", std::out_of_range{"out"}});
  visit(row<std::logic_error>{"std::logic_error", std::logic_error{"logic"}});
  visit(row<std::bad_array_new_length>{"std::bad_array_new_length", {}});
  visit(row<std::bad_alloc>{"std::bad_alloc", {}});
  visit(row<std::bad_any_cast>{"std::bad_any_cast", {}});
  visit(row<std::bad_cast>{"std::bad_cast", {}});
  visit(row<std::bad_typeid>{"std::bad_typeid", {}});
  visit(row<std::bad_exception>{"std::bad_exception", {}});
  visit(row<std::bad_function_call>{"std::bad_function_call", {}});
  visit(row<std::bad_optional_access>{"std::bad_optional_access", {}});
  visit(row<std::bad_variant_access>{"std::bad_variant_access", {}});
  visit(row<std::bad_weak_ptr>{"std::bad_weak_ptr", {}});
  visit(row<std::exception>{"std::exception", {}});
}

TEST(bases, each_comes_back_as_itself_and_as_slice_info_with_its_text) {
  std::size_t seen = 0;
  for_each_base([&]<class Exact>(const row<Exact>& base) {
    SCOPED_TRACE(base.name);
    const slice_failure failure = captured_value(base.exception);
    EXPECT_EQ(forkful::detail::bases()[failure.base].name, base.name);
    expect_comes_back_as<Exact>(failure, base.exception.what());
    EXPECT_EQ(type_that_came_back(failure), base.name);
    ++seen;
  });
  // The other three always belong to a slice: worker_crashed, slice_timeout and slice_error have tests of their own.
  EXPECT_EQ(seen + 3, forkful::detail::bases().size());
}

TEST(bases, a_users_class_comes_back_as_the_nearest_with_its_name_and_text) {
  for_each_base([]<class Exact>(const row<Exact>& base) {
    SCOPED_TRACE(base.name);
    struct derived : Exact {
      explicit derived(const Exact& e) : Exact(e) {}
      [[nodiscard]] const char* what() const noexcept override { return "a text of its own\n\ttwo lines"; }
    };
    const slice_failure failure = captured_value(derived{base.exception});
    EXPECT_EQ(forkful::detail::bases()[failure.base].name, base.name);
    expect_comes_back_as<Exact>(failure, "a text of its own\n\ttwo lines");
    EXPECT_TRUE(type_that_came_back(failure).ends_with("::derived")) << type_that_came_back(failure);
  });
}

TEST(bases, the_classes_above_the_nearest_catch_too) {
  const slice_failure range = captured_value(my_error{});
  expect_comes_back_as<std::out_of_range, std::logic_error>(range, "my own what");
  EXPECT_EQ(type_that_came_back(range), "my_error");
  EXPECT_EQ(range.kind, failure_kind::exception);

  const std::filesystem::filesystem_error file{"open", std::make_error_code(std::errc::permission_denied)};
  expect_comes_back_as<std::system_error, std::runtime_error>(captured_value(file), file.what());
  expect_comes_back_as<std::bad_cast>(captured_value(std::bad_any_cast{}), std::bad_any_cast{}.what());
  expect_comes_back_as<std::bad_alloc>(captured_value(std::bad_array_new_length{}), std::bad_array_new_length{}.what());
  expect_comes_back_as<forkful::error, std::runtime_error>(captured_value(forkful::codec_error{"x"}), "x");
}

TEST(bases, what_the_library_itself_throws_is_recognised) {
  const slice_failure at = captured([] { EXPECT_EQ(std::vector<int>{}.at(1), 0); });
  expect_comes_back_as<std::out_of_range>(at, at.what);
  EXPECT_NE(at.what.find("range_check"), std::string::npos);
  EXPECT_EQ(type_that_came_back(captured([] { std::ios{nullptr}.exceptions(std::ios::badbit); })),
            "std::ios_base::failure");
  EXPECT_EQ(type_that_came_back(captured([] { std::function<void()>{}(); })), "std::bad_function_call");
  EXPECT_EQ(type_that_came_back(captured([] { EXPECT_EQ(std::stoi("cake"), 0); })), "std::invalid_argument");
  EXPECT_EQ(type_that_came_back(captured([] { static_cast<void>(std::any_cast<int>(std::any{1.0})); })),
            "std::bad_any_cast");
}

TEST(bases, kind_says_memory_and_codec) {
  EXPECT_EQ(captured_value(std::bad_alloc{}).kind, failure_kind::memory);
  EXPECT_EQ(captured_value(std::bad_array_new_length{}).kind, failure_kind::memory);
  EXPECT_EQ(captured_value(forkful::arena_exhausted{""}).kind, failure_kind::memory);
  EXPECT_EQ(captured_value(forkful::codec_error{""}).kind, failure_kind::codec);
  EXPECT_EQ(captured_value(forkful::cancelled{""}).kind, failure_kind::exception);
}

template <class Error>
std::error_code code_that_came_back(const Error& thrown) {
  std::error_code code;
  expect_thrown<Error>(captured_value(thrown), [&](const Error& e) { code = e.code(); });
  return code;
}

TEST(codes, value_and_category_are_kept) {
  EXPECT_EQ(code_that_came_back(std::system_error{EAGAIN, std::system_category(), "x"}),
            std::error_code(EAGAIN, std::system_category()));
  EXPECT_EQ(code_that_came_back(std::system_error{EDOM, std::generic_category()}),
            std::error_code(EDOM, std::generic_category()));
  EXPECT_EQ(code_that_came_back(std::system_error{std::make_error_code(std::future_errc::broken_promise)}),
            std::make_error_code(std::future_errc::broken_promise));
  EXPECT_EQ(code_that_came_back(std::ios_base::failure{"x", std::make_error_code(std::io_errc::stream)}),
            std::make_error_code(std::io_errc::stream));
  EXPECT_EQ(code_that_came_back(std::future_error{std::future_errc::promise_already_satisfied}),
            std::make_error_code(std::future_errc::promise_already_satisfied));
}

TEST(codes, regex_error_keeps_its_code) {
  expect_thrown<std::regex_error>(
      captured_value(std::regex_error{std::regex_constants::error_paren}),
      [](const std::regex_error& e) { EXPECT_EQ(e.code(), std::regex_constants::error_paren); });
}

TEST(codes, filesystem_error_keeps_code_and_paths) {
  const std::filesystem::filesystem_error thrown{"rename", "/from", "/to",
                                                 std::make_error_code(std::errc::cross_device_link)};
  expect_thrown<std::filesystem::filesystem_error>(captured_value(thrown), [&](const auto& e) {
    EXPECT_EQ(e.code(), thrown.code());
    EXPECT_EQ(e.path1(), "/from");
    EXPECT_EQ(e.path2(), "/to");
    EXPECT_STREQ(e.what(), thrown.what());
  });
}

TEST(codes, an_unknown_category_keeps_its_value_and_its_name_in_the_type) {
  const my_category cake;
  const slice_failure failure = captured_value(std::system_error{7, cake, "baking"});
  expect_comes_back_as<std::system_error>(failure, "baking: lie");
  expect_thrown<std::system_error>(failure, [](const std::system_error& e) { EXPECT_EQ(e.code().value(), 7); });
  EXPECT_EQ(type_that_came_back(failure), "std::system_error (error category cake)");
}

TEST(slice_error, tells_the_type_and_the_value_where_it_can) {
  const std::string rest =
      ". It is no std::exception, so only this came back: throw a class derived from std::exception to keep its kind "
      "and what()";
  const std::string head = "slice 4711 threw an object of type ";
  expect_comes_back_as<forkful::slice_error, std::runtime_error>(captured_value(42), head + "int: 42" + rest);
  expect_comes_back_as<forkful::slice_error>(captured([] { throw "text"; }), head + "char const*: text" + rest);
  expect_comes_back_as<forkful::slice_error>(captured_value(std::string{"words"}), head + "std::string: words" + rest);
  expect_comes_back_as<forkful::slice_error>(captured_value(no_exception{1}), head + "no_exception" + rest);
  expect_comes_back_as<forkful::slice_error>(captured_value(privately{}), head + "privately" + rest);
  EXPECT_EQ(type_that_came_back(captured_value(no_exception{1})), "no_exception");
  const char* const nothing = nullptr;
  EXPECT_EQ(captured([&] { std::rethrow_exception(std::make_exception_ptr(nothing)); }).what,
            head + "char const*: null" + rest);
}

TEST(capture, takes_the_first_base_of_an_exception_that_has_two) {
  const slice_failure failure = captured_value(two_headed{});
  expect_comes_back_as<std::overflow_error>(failure, "overflow");
  EXPECT_EQ(failure.type, "two_headed");
}

TEST(capture, reads_a_null_what_as_empty) { expect_comes_back_as<std::exception>(captured_value(mute_error{}), ""); }

TEST(capture, keeps_long_texts) {
  const std::string text(1'000'000, 'x');
  expect_comes_back_as<std::runtime_error>(captured_value(std::runtime_error{text}), text);
}

TEST(capture, becomes_bad_alloc_where_there_is_no_memory_to_describe) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer ends the process instead of throwing bad_alloc";
#else
  const std::runtime_error large{std::string(std::size_t{64} << 20, 'x')};
  const auto starve_and_capture = [&large] {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_DATA, &none);
    const slice_failure failure = captured_value(large);
    const bool right = failure.kind == failure_kind::memory && failure.what == "std::bad_alloc" &&
                       failure.slice == slice && forkful::detail::bases()[failure.base].name == "std::bad_alloc";
    std::_Exit(right ? 0 : 1);
  };
  EXPECT_EXIT(starve_and_capture(), testing::ExitedWithCode(0), "");
#endif
}

TEST(capture, names_the_outer_type_of_a_nested_exception) {
  const slice_failure failure = captured([] {
    try {
      throw std::bad_alloc{};
    } catch (...) {
      std::throw_with_nested(my_error{});
    }
  });
  expect_comes_back_as<std::out_of_range>(failure, "my own what");
  EXPECT_EQ(failure.type, "my_error");
}

TEST(capture, leaves_the_handled_exception_alone) {
  try {
    throw my_error{};
  } catch (const my_error& mine) {
    static_cast<void>(capture_exception(slice, worker, attempt));
    EXPECT_STREQ(mine.what(), "my own what");
    EXPECT_THROW(throw, my_error);
  }
}

TEST(capture, works_on_an_exception_ptr) {
  const auto thrown = std::make_exception_ptr(std::length_error{"long"});
  expect_comes_back_as<std::length_error>(captured([&] { std::rethrow_exception(thrown); }), "long");
}

TEST(nested_pools, keep_the_innermost_type_and_text_but_name_the_outer_slice) {
  slice_failure inner = captured_value(my_error{});
  inner.slice = 1;
  inner.worker = 0;
  inner.attempt = 9;
  const slice_failure outer = captured([&] { rethrow(inner); });
  expect_comes_back_as<std::out_of_range>(outer, "my own what");
  EXPECT_EQ(outer.type, "my_error");

  const slice_failure foreign = captured([&] { rethrow(captured_value(no_exception{1})); });
  expect_comes_back_as<forkful::slice_error>(foreign, foreign.what);
  EXPECT_EQ(foreign.type, "no_exception");
}

TEST(nested_pools, a_crash_inside_is_an_exception_outside) {
  slice_failure inner = crash_failure(1, 2, 0, 1, 1, SIGSEGV, 0, mapped);
  inner.frames = {"parse(int)", "main"};
  const slice_failure outer = captured([&] { rethrow(inner); });
  EXPECT_EQ(outer.kind, failure_kind::exception);
  expect_comes_back_as<forkful::worker_crashed, forkful::error>(outer, inner.what);
  expect_thrown<forkful::worker_crashed>(outer, [&](const forkful::worker_crashed& e) {
    EXPECT_EQ(e.signal(), SIGSEGV);
    EXPECT_EQ(e.frames(), inner.frames);
    EXPECT_EQ(e.slice(), slice);
  });

  const slice_failure late = captured([] { rethrow(timeout_failure(1, 2, 0, 1, 1, 1s, mapped)); });
  EXPECT_EQ(late.kind, failure_kind::exception);
  expect_comes_back_as<forkful::slice_timeout, forkful::error>(late, late.what);
}

TEST(worker_crashed, is_caught_as_everything_it_is) {
  const slice_failure failure = crash_failure(slice, slice + 1, worker, attempt, 2, SIGKILL, 0, mapped);
  EXPECT_EQ(failure.kind, failure_kind::crash);
  expect_comes_back_as<forkful::worker_crashed, forkful::error, std::runtime_error>(failure, failure.what);
  expect_thrown<forkful::worker_crashed>(failure, [](const forkful::worker_crashed& e) {
    EXPECT_EQ(e.code(), "worker_crashed");
    EXPECT_EQ(e.signal(), SIGKILL);
    EXPECT_EQ(e.type(), "forkful::worker_crashed");
    EXPECT_TRUE(e.frames().empty());
  });
}

TEST(worker_crashed, says_how_it_ended_and_what_to_do) {
  EXPECT_EQ(crash_failure(4711, 4712, 1, 1, 1, SIGSEGV, 0, mapped).what,
            "slice 4711 crashed worker 1 (SIGSEGV, segmentation fault) on attempt 1 of 1: its code touched memory that "
            "it may not touch, or overflowed its stack. Run it on a serial_pool in a debugger to see where; try_map "
            "keeps the other results, and more call_options::attempts repeat a slice that fails by chance");
  EXPECT_EQ(
      crash_failure(512, 640, 0, 1, 1, SIGKILL, 0, half_done).what,
      "one of slices 512 to 639 crashed worker 0 (SIGKILL, killed) on attempt 1 of 1: it was killed from outside, "
      "often by the kernel for want of memory (dmesg tells). What it was changing may be half done: restore it "
      "before you go on. Run it on a serial_pool in a debugger to see where; try_for_each finishes the other "
      "slices");
  const slice_failure left = crash_failure(0, 1, 2, 3, 3, 0, 7, mapped);
  EXPECT_EQ(left.what,
            "slice 0 ended worker 2 (exit status 7) on attempt 3 of 3: its code called exit() or _exit(), which ends "
            "the worker. Return or throw instead; try_map keeps the other results, and more call_options::attempts "
            "repeat a slice that fails by chance");
  expect_thrown<forkful::worker_crashed>(left, [](const forkful::worker_crashed& e) {
    EXPECT_EQ(e.signal(), 0);
    EXPECT_EQ(e.exit_status(), 7);
  });
}

TEST(worker_crashed, in_a_library_names_who_called_it_too) {
  forkful::detail::crash_site inside;
  inside.top = "parse";
  inside.caller = "parse(std::string const&)";
  inside.caller_location = "log.cpp:12";
  EXPECT_TRUE(crash_failure(7, 8, 1, 1, 1, SIGSEGV, 0, mapped, inside)
                  .what.starts_with("slice 7 crashed worker 1 (SIGSEGV, segmentation fault) in parse, called by "
                                    "parse(std::string const&) at log.cpp:12, on attempt 1 of 1: "));
}

TEST(worker_crashed, names_every_signal) {
  for (int signal = 1; signal < SIGRTMAX; ++signal) {
    const std::string what = crash_failure(0, 1, 0, 1, 1, signal, 0, mapped).what;
    const bool named = what.find("(SIG") != std::string::npos;
    const bool numbered = what.find("(signal " + std::to_string(signal) + ")") != std::string::npos;
    EXPECT_TRUE(named || numbered) << what;
    EXPECT_TRUE(named || signal >= 32) << what;
  }
  EXPECT_NE(crash_failure(0, 1, 0, 1, 1, SIGXCPU, 0, mapped).what.find("(SIGXCPU, CPU time limit"), std::string::npos);
}

TEST(slice_timeout, says_how_long_and_what_to_do) {
  const slice_failure failure = timeout_failure(slice, slice + 1, worker, attempt, 2, 1500ms, mapped);
  EXPECT_EQ(failure.kind, failure_kind::timeout);
  expect_comes_back_as<forkful::slice_timeout, forkful::error, std::runtime_error>(
      failure,
      "slice 4711 ran longer than its timeout of 1500 ms in worker 3 on attempt 2 of 2: it hangs or needs more time, "
      "and the worker was killed. Raise call_options::timeout, or run it on a serial_pool in a debugger; try_map keeps "
      "the other results, and more call_options::attempts repeat a slice that fails by chance");
  EXPECT_NE(timeout_failure(0, 1, 0, 1, 1, 2s, half_done).what.find("timeout of 2 s in"), std::string::npos);
  EXPECT_NE(timeout_failure(0, 1, 0, 1, 1, 250us, half_done).what.find("timeout of 250 µs in"), std::string::npos);
  EXPECT_NE(timeout_failure(0, 1, 0, 1, 1, 1001ns, half_done).what.find("timeout of 1001 ns in"), std::string::npos);
  EXPECT_NE(timeout_failure(0, 1, 0, 1, 1, 2s, half_done).what.find("may be half done"), std::string::npos);
}

TEST(cancelled, belongs_to_its_slice) {
  const slice_failure failure = cancelled_failure(slice, worker, attempt, "map");
  EXPECT_EQ(failure.kind, failure_kind::cancelled);
  expect_comes_back_as<forkful::cancelled, forkful::error>(
      failure,
      "slice 4711 was not finished: a stop_token, cancel() or terminate() stopped the call. Call again for the slices "
      "that are missing");
  EXPECT_EQ(cancelled_failure(0, worker, attempt, "submit").what,
            "the submitted call was not finished: a stop_token, cancel() or terminate() stopped it. Submit it again if "
            "it is still wanted");
}

// A recommended verb has to exist, and not to be the one that was called.
TEST(ways_out, fit_the_verb) {
  const std::string repeats = "more call_options::attempts repeat a slice that fails by chance";
  const struct {
    failing_call of;
    std::string ends_with;
  } rows[] = {
      {{"map"}, "; try_map keeps the other results, and " + repeats},
      {{"map_into"}, "; try_map keeps the other results, and " + repeats},
      {{"starmap"}, "; try_map keeps the other results, and " + repeats},
      {{"imap"}, "; try_map keeps the other results, and " + repeats},
      {{"imap_unordered"}, "; try_map keeps the other results, and " + repeats},
      {{"transform_reduce"}, "; try_map keeps the other results, and " + repeats},
      {{"map", false, 1}, "in a debugger; " + repeats},
      {{"try_map"}, "in a debugger; " + repeats},
      {{"for_each"}, "; try_for_each finishes the other slices, and " + repeats},
      {{"for_each", true}, "; try_for_each finishes the other slices"},
      {{"try_for_each"}, "in a debugger; " + repeats},
      {{"try_for_each", true}, "in a debugger"},
      {{"update"}, "; try_update finishes the other slices, and " + repeats},
      {{"try_update"}, "in a debugger; " + repeats},
      {{"submit", false, 1}, "in a debugger; more call_options::attempts repeat a call that fails by chance"},
  };
  for (const auto& row : rows) {
    const std::string late = timeout_failure(3, 4, worker, 1, 1, 1s, row.of).what;
    EXPECT_TRUE(late.ends_with(row.ends_with)) << row.of.verb << ": " << late;
    const std::string crashed = crash_failure(3, 4, worker, 1, 1, SIGSEGV, 0, row.of).what;
    const std::string of_crash = row.ends_with.starts_with("in a debugger")
                                     ? "in a debugger to see where" + row.ends_with.substr(13)
                                     : row.ends_with;
    EXPECT_TRUE(crashed.ends_with(of_crash)) << row.of.verb << ": " << crashed;
  }
}

TEST(ways_out, a_submitted_call_has_no_slices) {
  const failing_call submitted{"submit", false, 1};
  for (const std::string& what : {crash_failure(0, 1, worker, 1, 1, SIGSEGV, 0, submitted).what,
                                  crash_failure(0, 1, worker, 1, 1, 0, 3, submitted).what,
                                  crash_failure(0, 1, worker, 1, 1, 0, -1, submitted).what,
                                  timeout_failure(0, 1, worker, 1, 1, 1s, submitted).what}) {
    EXPECT_TRUE(what.starts_with("the submitted call ")) << what;
    EXPECT_EQ(what.find("slice"), std::string::npos) << what;
  }
}

TEST(rethrow, survives_a_base_out_of_range) {
  slice_failure failure = captured_value(std::logic_error{"text"});
  failure.base = std::numeric_limits<std::uint32_t>::max();
  failure.error_category = 99;
  expect_comes_back_as<forkful::slice_error>(failure, "text");
}

template <class Error>
void expect_forkful_error(std::string_view code) {
  SCOPED_TRACE(code);
  const Error thrown{"what, why, what now"};
  EXPECT_EQ(thrown.code(), code);
  EXPECT_STREQ(thrown.what(), "what, why, what now");
  EXPECT_THROW(throw Error{""}, std::runtime_error);
  try {
    throw Error{""};
  } catch (const forkful::error& e) {
    EXPECT_EQ(e.code(), code);
  }
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<Error>);
}

TEST(errors, each_has_its_code) {
  expect_forkful_error<forkful::arena_exhausted>("arena_exhausted");
  expect_forkful_error<forkful::codec_error>("codec_error");
  expect_forkful_error<forkful::start_failed>("start_failed");
  expect_forkful_error<forkful::cancelled>("cancelled");
  expect_forkful_error<forkful::pool_closed>("pool_closed");
  expect_forkful_error<forkful::not_shared>("not_shared");
  expect_forkful_error<forkful::wrong_process>("wrong_process");
  expect_forkful_error<forkful::error>("error");
}

TEST(errors, copies_never_throw) {
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<forkful::worker_crashed>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<forkful::slice_timeout>);
  EXPECT_TRUE(std::is_nothrow_copy_constructible_v<forkful::slice_error>);
  EXPECT_FALSE((std::is_base_of_v<std::exception, slice_info>));
}

TEST(errors, a_copy_keeps_everything) {
  std::exception_ptr kept;
  {
    const slice_failure failure = crash_failure(slice, slice + 1, worker, attempt, 2, SIGSEGV, 0, mapped);
    try {
      rethrow(failure);
    } catch (const forkful::worker_crashed& e) {
      kept = std::make_exception_ptr(e);
    }
  }
  try {
    std::rethrow_exception(kept);
  } catch (const forkful::worker_crashed& e) {
    EXPECT_EQ(e.slice(), slice);
    EXPECT_EQ(e.signal(), SIGSEGV);
  }
}

TEST(errors_page, has_an_entry_for_every_code_and_the_bases_in_order) {
  std::ifstream file{std::filesystem::path{__FILE__}.parent_path() / "../../docs/errors.md"};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  ASSERT_FALSE(page.empty());
  std::string list;
  std::size_t number = 0;
  for (const auto& base : forkful::detail::bases()) {
    list += std::to_string(++number) + ". `" + std::string{base.name} + "`\n";
  }
  EXPECT_NE(page.find("\n\n" + list + "\n"), std::string::npos);
  for (const char* code : {"worker_crashed", "slice_timeout", "arena_exhausted", "codec_error", "start_failed",
                           "cancelled", "pool_closed", "not_shared", "wrong_process"}) {
    EXPECT_NE(page.find("\n### " + std::string{code} + "\n"), std::string::npos) << code;
  }
}

struct no_default {
  explicit no_default(int v) : value{v} {}
  int value;
};

TEST(outcome, holds_a_value) {
  outcome<int> good{42};
  EXPECT_TRUE(good.has_value());
  EXPECT_TRUE(good);
  EXPECT_EQ(good.value(), 42);
  EXPECT_EQ(*good, 42);
  EXPECT_EQ(good.value_or(7), 42);
  EXPECT_THROW(static_cast<void>(good.failure()), std::logic_error);
  good.value() = 43;
  EXPECT_EQ(std::as_const(good).value(), 43);
}

TEST(outcome, throws_its_failure_like_map_would) {
  const auto bad = outcome<int>::failed(captured_value(my_error{}));
  EXPECT_FALSE(bad.has_value());
  EXPECT_FALSE(bad);
  EXPECT_THROW(static_cast<void>(bad.value()), std::out_of_range);
  EXPECT_THROW(static_cast<void>(bad.value()), slice_info);
  EXPECT_EQ(bad.failure().slice, slice);
  EXPECT_EQ(bad.failure().type, "my_error");
  EXPECT_EQ(bad.value_or(7), 7);
}

TEST(outcome, copies_share_the_failure) {
  const auto bad = outcome<std::string>::failed(captured_value(my_error{}));
  const std::vector<outcome<std::string>> copies(2, bad);
  EXPECT_EQ(&copies[0].failure(), &bad.failure());
  EXPECT_EQ(&copies[1].failure(), &bad.failure());
}

TEST(outcome, needs_no_default_constructor) {
  std::vector<outcome<no_default>> outcomes;
  outcomes.emplace_back(no_default{1});
  outcomes.emplace_back(std::in_place, 2);
  outcomes.push_back(outcome<no_default>::failed({}));
  EXPECT_EQ(outcomes[0]->value, 1);
  EXPECT_EQ(outcomes[1].value().value, 2);
  EXPECT_FALSE(outcomes[2]);
}

TEST(outcome, takes_move_only_values) {
  outcome<std::unique_ptr<int>> good{std::make_unique<int>(5)};
  outcome<std::unique_ptr<int>> moved = std::move(good);
  const std::unique_ptr<int> value = std::move(moved).value();
  EXPECT_EQ(*value, 5);
  auto bad = outcome<std::unique_ptr<int>>::failed(captured_value(1));
  EXPECT_THROW(static_cast<void>(std::move(bad).value()), forkful::slice_error);
}

TEST(outcome, may_hold_a_failure_or_a_bool_as_its_value) {
  const outcome<slice_failure> good{captured_value(my_error{})};
  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(good.value().type, "my_error");
  const outcome<bool> no{false};
  EXPECT_TRUE(no);
  EXPECT_FALSE(no.value());
}

TEST(outcome, costs_one_pointer_pair_beyond_its_value) { EXPECT_LE(sizeof(outcome<double>), 24U); }

TEST(outcome, of_void_is_success_or_failure) {
  outcome<void> good;
  EXPECT_TRUE(good);
  EXPECT_NO_THROW(good.value());
  EXPECT_THROW(static_cast<void>(good.failure()), std::logic_error);

  auto bad = outcome<void>::failed(crash_failure(slice, slice + 1, worker, attempt, 2, SIGABRT, 0, half_done));
  EXPECT_FALSE(bad);
  EXPECT_THROW(bad.value(), forkful::worker_crashed);
  EXPECT_EQ(bad.failure().signal, SIGABRT);
  // NOLINTBEGIN(performance-move-const-arg, bugprone-use-after-move): a failure moved from must not read as success.
  good = std::move(bad);
  EXPECT_FALSE(good);
  EXPECT_FALSE(bad);
  // NOLINTEND(performance-move-const-arg, bugprone-use-after-move)
}

}  // namespace
