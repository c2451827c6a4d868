// One call as its types: which parts a slice has, what the callable wants of them, which broadcast arguments follow, and what
// becomes of the result. Everything a worker needs is in the plan; it is read, never changed, while a call runs.
#pragma once

#include <forkful/detail/arrival.hpp>

namespace [[gnu::visibility("default")]] forkful {
namespace detail {

/// What a verb does with slices and results.
enum class verb { map, into, for_each, update, call, fold, probe };

// ---- Broadcast arguments ----

template <class A>
struct broadcast_of : std::type_identity<A> {};
template <class E, std::size_t N>
struct broadcast_of<E[N]> : std::type_identity<std::array<E, N>> {};
template <std::size_t N>
struct broadcast_of<char[N]> : std::type_identity<std::string> {};
template <>
struct broadcast_of<const char*> : std::type_identity<std::string> {};
template <>
struct broadcast_of<char*> : std::type_identity<std::string> {};

/// How a broadcast argument arrives: text literals as strings, other C arrays as std::array, the rest as it was.
template <class A>
using broadcast_type = typename broadcast_of<std::remove_cvref_t<A>>::type;

/// In the caller's memory.
template <class... A>
struct present_arguments {
  template <class B>
  using as_arrived = std::conditional_t<std::is_same_v<broadcast_type<B>, B>, const B&, broadcast_type<B>>;
  using arrived = std::tuple<as_arrived<A>...>;
  template <class B>
  static as_arrived<B> arrive(const B& argument) {
    if constexpr (std::is_array_v<B> && !std::is_same_v<broadcast_type<B>, std::string>)
      return std::to_array(argument);
    else
      return argument;  // NOLINT(bugprone-return-const-ref-from-parameter): no temporary, it is the caller's own
  }
  arrived values;
  const arrived& open(chunk_io& /*io*/) const noexcept { return values; }
};

/// Encoded once by the caller, decoded once by each worker.
template <class... A>
struct shipped_arguments {
  using arrived = std::tuple<broadcast_type<A>...>;
  const segment* frame = nullptr;

  const arrived& open(chunk_io& io) const {
    if (io.broadcast->object == nullptr) {
      const std::uint64_t began = now_ns();
      source in(frame);
      io.broadcast->object = new arrived{in.read<broadcast_type<A>>()...};
      io.broadcast_ns += now_ns() - began;
      io.broadcast->destroy = [](void* object) { delete static_cast<arrived*>(object); };
    }
    return *static_cast<const arrived*>(io.broadcast->object);
  }
};
template <>
struct shipped_arguments<> {
  const segment* frame = nullptr;
  std::tuple<> open(chunk_io& /*io*/) const noexcept { return {}; }
};

// ---- Results on their way out ----
//
// `encodes`: piece by piece, which is worth timing. `isolated`: slices may run in another process, which may die of one.

struct no_results {
  static constexpr bool encodes = false;
  static constexpr bool isolated = true;  // perhaps
  struct writer {
    writer(const no_results& /*none*/, chunk_io& /*io*/, std::size_t /*count*/) noexcept {}
    template <class Run>
    void put(std::size_t /*i*/, Run&& call_slice) {
      call_slice();
    }
    void broke_off() noexcept {}
  };
};

/// Into the chunk's std::vector<R>, in this process.
template <class R>
struct results_here {
  static constexpr bool encodes = false;
  static constexpr bool isolated = false;
  struct writer {
    writer(const results_here& /*none*/, chunk_io& io, std::size_t /*count*/) noexcept
        : out(*static_cast<std::vector<R>*>(io.results)) {}
    template <class Run>
    void put(std::size_t /*i*/, Run&& call_slice) {
      out.push_back(call_slice());
    }
    void broke_off() noexcept {}
    std::vector<R>& out;
  };
};
/// Small ones are stored rather than pushed back: that wants an address, and what a loop in the callable adds up would stay in
/// memory. (std::vector<bool> has nowhere to store to.)
template <class R>
  requires(std::is_trivially_copyable_v<R> && std::is_nothrow_default_constructible_v<R> && sizeof(R) <= 64 &&
           !std::is_same_v<R, bool>)
struct results_here<R> {
  static constexpr bool encodes = false;
  static constexpr bool isolated = false;
  struct writer {
    writer(const results_here& /*none*/, chunk_io& io, std::size_t count)
        : out(*static_cast<std::vector<R>*>(io.results)) {
      const std::size_t before = out.size();
      out.resize(before + count);
      at = out.data() + before;
    }
    template <class Run>
    void put(std::size_t /*i*/, Run&& call_slice) {
      ::new (static_cast<void*>(at)) R(call_slice());
      ++at;
    }
    void broke_off() noexcept { out.resize(static_cast<std::size_t>(at - out.data())); }
    std::vector<R>& out;
    R* at;
  };
};

/// Into the chunk's frame, in shared memory.
template <class R>
struct encoded_results {
  static constexpr bool encodes = true;
  static constexpr bool isolated = true;
  struct writer {
    writer(const encoded_results& /*none*/, chunk_io& chunk, std::size_t /*count*/) noexcept : io(chunk) {}
    template <class Run>
    void put(std::size_t /*i*/, Run&& call_slice) {
      R result = call_slice();
      // User code may have forked: only the worker writes to the frame.
      if (*io.mark != io.process) leave_fork();
      const std::uint64_t began = io.timed != nullptr ? now_ns() : 0;
      io.out->give(result);
      io.out->publish();
      if (io.timed != nullptr) io.timed->pass_out += now_ns() - began;
    }
    void broke_off() noexcept {}
    chunk_io& io;
  };
};
template <class R>
  requires(bitwise<R> && alignof(R) <= most_alignment)
struct encoded_results<R> {
  static constexpr bool encodes = false;
  static constexpr bool isolated = true;
  struct writer {
    writer(const encoded_results& /*none*/, chunk_io& io, std::size_t count)
        : out(*io.out),
          mark(io.mark),
          process(io.process),
          at(reinterpret_cast<R*>(out.extend(count * sizeof(R), alignof(R)))) {
      out.publish();  // each result lies at its place as soon as it is there
    }
    template <class Run>
    void put(std::size_t /*i*/, Run&& call_slice) {
      R result = call_slice();
      if (*mark != process) leave_fork();
      ::new (static_cast<void*>(at)) R(std::move(result));
      ++at;
    }
    // Keeps what was written before the slice that threw, which may have left no memory at all.
    void broke_off() noexcept { out.cut_back(reinterpret_cast<char*>(at)); }
    sink& out;
    const process_id* mark;
    process_id process;
    R* at;
  };
};

/// Where the caller wants them, in memory that workers share.
template <class R>
struct results_in_place {
  static constexpr bool encodes = false;
  static constexpr bool isolated = true;  // perhaps
  R* base;
  struct writer {
    writer(const results_in_place& results, chunk_io& io, std::size_t /*count*/) noexcept
        : base(results.base), mark(io.mark), process(io.process) {}
    template <class Run>
    void put(std::size_t i, Run&& call_slice) {
      auto result = call_slice();
      if (*mark != process) leave_fork();
      base[i] = std::move(result);
    }
    void broke_off() noexcept {}
    R* base;
    const process_id* mark;
    process_id process;
  };
};

// ---- The callable, applied to one slice ----

/// Where the callable is: in the caller's memory, or in the plan.
template <class F>
struct present_callable {
  F* f;
  F& get() const noexcept { return *f; }
};
template <class F>
struct shipped_callable {
  [[no_unique_address]] mutable F f;
  F& get() const noexcept { return f; }
};

template <parameter_kind W, class V>
decltype(auto) pass(V&& value) {
  if constexpr (W == parameter_kind::text && is_span_of_letters<std::remove_cvref_t<V>>)
    return std::string_view(value.data(), value.size());
  else if constexpr (W == parameter_kind::own && (std::is_lvalue_reference_v<V> || std::is_const_v<V>))
    return std::remove_cvref_t<V>(value);
  else if constexpr ((W == parameter_kind::value || W == parameter_kind::own) && !std::is_lvalue_reference_v<V>)
    return std::forward<V>(value);
  else if constexpr (W == parameter_kind::value || W == parameter_kind::change)
    return static_cast<std::remove_reference_t<V>&>(value);
  else
    return std::as_const(value);
}

template <bool WasSpan, class V>
decltype(auto) as_given(V& value) {
  if constexpr (WasSpan && !is_span<std::remove_const_t<V>>)
    return std::span(value);  // a copy of the span's elements
  else
    return (value);
}

/// Whether every part of a slice binds to the callable's parameters as an rvalue: a generic `auto&` does not.
template <class F, class Parts, class Arguments>
inline constexpr bool binds_rvalues = false;
template <class F, class... Part, class... A>
inline constexpr bool binds_rvalues<F, std::tuple<Part...>, std::tuple<A...>> =
    std::is_invocable_v<F&, typename Part::value_type..., const A&...>;

/// The parts of one slice as their readers gave them: values, and references to what lies elsewhere. Not a std::tuple, which would
/// move each into its place: for a short string that costs more than reading it.
template <std::size_t K, class T>
struct taken_part {
  T value;
};
template <class Index, class... T>
struct taken_parts;
template <std::size_t... K, class... T>
struct taken_parts<std::index_sequence<K...>, T...> : taken_part<K, T>... {};
template <std::size_t K, class T>
T&& taken(taken_part<K, T>& part) noexcept {
  return static_cast<T&&>(part.value);
}

/// What F wants of part K.
template <verb Verb, class F, std::size_t K, class Parts, class Arguments>
constexpr parameter_kind parameter_kind_in() {
  using T = typename std::tuple_element_t<K, Parts>::value_type;
  if constexpr (Verb == verb::update)
    return parameter_kind::change;
  else if constexpr (signature<F>::known)
    return parameter_kind_at<K, T, typename signature<F>::parameters>();
  else if constexpr (Verb == verb::for_each)
    return binds_rvalues<F, Parts, Arguments> ? parameter_kind::constant : parameter_kind::change;
  else
    return parameter_kind::constant;
}

/// What a callable takes, if it can be called with that; a concept, so that the compiler names the types right behind the sentence.
template <class F, class... Parameters>
concept callable_with = std::is_invocable_v<F, Parameters...>;

/// Which callable meets the slice.
template <class F>
struct callee_of : std::type_identity<F> {};
template <class R, class Reduce, class Transform>
struct folding;
template <class R, class Reduce, class Transform>
struct callee_of<folding<R, Reduce, Transform>> : std::type_identity<std::remove_reference_t<Transform>> {};

/// What the callable is called with. `Arguments` is what the broadcast arguments' tuple holds.
template <verb Verb, class F, class Broadcast, class Arguments, class... Part>
struct invocation {
  using parts_type = std::tuple<Part...>;
  template <std::size_t K>
  using part = std::tuple_element_t<K, parts_type>;
  template <std::size_t K>
  static constexpr parameter_kind wants = parameter_kind_in<Verb, F, K, parts_type, Broadcast>();
  /// update works on copies of elements; a span changes what it points at, whatever the verb.
  template <std::size_t K>
  static constexpr bool in_place =
      Verb != verb::update && (Verb == verb::for_each || is_span<typename part<K>::value_type>);
  template <std::size_t K>
  using taken_type =
      decltype(std::declval<typename part<K>::reader&>().template take<wants<K>, in_place<K>>(std::size_t{}));

  template <std::size_t K>
  static auto passed() {
    if constexpr (Verb == verb::update)
      return std::type_identity<decltype(detail::as_given<is_span<typename part<K>::value_type>>(
          std::declval<std::remove_reference_t<taken_type<K>>&>()))>{};
    else
      return std::type_identity<decltype(detail::pass<wants<K>>(std::declval<taken_type<K>>()))>{};
  }

  template <std::size_t... K, std::size_t... B>
  static constexpr bool is_possible(std::index_sequence<K...> /*parts*/, std::index_sequence<B...> /*args*/) {
    using callee = typename callee_of<F>::type;
    return callable_with<callee&, typename decltype(passed<K>())::type...,
                         const std::remove_reference_t<std::tuple_element_t<B, Arguments>>&...>;
  }
  static constexpr bool possible =
      is_possible(std::index_sequence_for<Part...>{}, std::make_index_sequence<std::tuple_size_v<Arguments>>{});

  /// Fails to compile, with the reason, where it is not.
  template <std::size_t... K, std::size_t... B>
  static constexpr void require(std::index_sequence<K...> /*parts*/, std::index_sequence<B...> /*args*/) {
    using callee = typename callee_of<F>::type;
    constexpr bool if_they_were_mutable =
        sizeof...(B) != 0 && std::is_invocable_v<callee&, typename decltype(passed<K>())::type...,
                                                 std::remove_cvref_t<std::tuple_element_t<B, Arguments>>&...>;
    if constexpr (if_they_were_mutable) {
      static_assert(
          callable_with<callee&, typename decltype(passed<K>())::type...,
                        const std::remove_reference_t<std::tuple_element_t<B, Arguments>>&...>,
          "forkful: arguments after the callable arrive as const&, because each worker has its own, and nobody would "
          "see what is written there: take const T& and return what is to change, or pass a forkful::shared<T> or "
          "shared_vector<T>, whose elements a const handle changes for everybody");
    } else {
      static_assert(
          callable_with<callee&, typename decltype(passed<K>())::type...,
                        const std::remove_reference_t<std::tuple_element_t<B, Arguments>>&...>,
          "forkful: the callable cannot be called with (slice, const args&...): its first parameter takes a slice, an "
          "element of the range (zip and starmap: one parameter for each part; submit: none), and then comes one "
          "parameter, const T& or T, for each argument behind the callable");
    }
  }
  static constexpr void require() {
    if constexpr (!possible)
      require(std::index_sequence_for<Part...>{}, std::make_index_sequence<std::tuple_size_v<Arguments>>{});
  }
};

/// What a callable that returns nothing sends back where every call has a result (submit, advise): that it is done.
struct nothing {};

template <verb Verb, class Callable, class F, class Output, class Arguments, class Broadcast, class... Part>
struct plan {
  Callable callable;
  std::tuple<Part...> parts;
  Broadcast broadcast;
  Output output;

  using parts_type = std::tuple<Part...>;
  using index = std::index_sequence_for<Part...>;
  using readers_type = std::tuple<typename Part::reader...>;
  using arguments_type =
      std::remove_cvref_t<decltype(std::declval<const Broadcast&>().open(std::declval<chunk_io&>()))>;
  using called = invocation<Verb, F, Arguments, arguments_type, Part...>;
  template <std::size_t K>
  static constexpr parameter_kind wants = called::template wants<K>;
  static constexpr bool single = sizeof...(Part) == 1;
  static constexpr bool decodes = (Part::streams || ...);
  /// Slices pass in or out piece by piece: what that takes is worth measuring. (All else is a load or a store.)
  static constexpr bool passes = decodes || Output::encodes;
  /// Nothing but loads, stores and the callable: a loop that may be done with whole registers.
  static constexpr bool tight = !passes;

  template <std::size_t K>
  using part = std::tuple_element_t<K, parts_type>;

  template <std::size_t K>
  static constexpr bool in_place = called::template in_place<K>;

  // By value: a reference that the callable returns may be to the slice, which lives here.
  template <class Readers, class A, std::size_t... K, std::size_t... B>
  static auto call_slice(F& f, Readers& readers, [[maybe_unused]] passing_time* timed, std::size_t i, const A& args,
                         std::index_sequence<K...> /*parts*/, std::index_sequence<B...> /*args*/) {
    [[maybe_unused]] std::uint64_t began = 0;
    if constexpr (decodes) began = timed != nullptr ? now_ns() : 0;
    // In this order: parts are read one after another from the same stream.
    taken_parts<index, decltype(std::get<K>(readers).template take<wants<K>, in_place<K>>(i))...> slice{
        {std::get<K>(readers).template take<wants<K>, in_place<K>>(i)}...};
    if constexpr (decodes) {
      if (timed != nullptr) timed->pass_in += now_ns() - began;
    }
    if constexpr (Verb == verb::update) {
      static_assert(single,
                    "forkful: update copies single slices out and back: zip and starmap give several at once; make the "
                    "slices one range of tuples");
      auto&& only = detail::taken<0>(slice);
      f(detail::as_given<is_span<typename part<0>::value_type>>(only), std::get<B>(args)...);
      return std::forward<decltype(only)>(only);
    } else if constexpr (Verb == verb::for_each) {
      static_cast<void>(f(detail::pass<wants<K>>(detail::taken<K>(slice))..., std::get<B>(args)...));
    } else if constexpr (std::is_void_v<decltype(f(detail::pass<wants<K>>(detail::taken<K>(slice))...,
                                                   std::get<B>(args)...))> &&
                         (Verb == verb::call || Verb == verb::probe)) {
      f(detail::pass<wants<K>>(detail::taken<K>(slice))..., std::get<B>(args)...);
      return nothing{};
    } else {
      return f(detail::pass<wants<K>>(detail::taken<K>(slice))..., std::get<B>(args)...);
    }
  }

  static std::tuple<typename Part::reader...> open_parts(const plan& mine, chunk_io& io) {
    return std::apply([&io](const auto&... each) { return std::tuple<typename Part::reader...>{each.open(io)...}; },
                      mine.parts);
  }

  static std::size_t run(const void* self, chunk_io& io, std::size_t first, std::size_t last) {
    const plan& mine = *static_cast<const plan*>(self);
    std::size_t i = first;
    try {
      auto&& args = mine.broadcast.open(io);
      auto readers = open_parts(mine, io);
      typename Output::writer out(mine.output, io, last - first);
      F& f = mine.callable.get();
      const auto run_one = [&] {
        out.put(i, [&] {
          return call_slice(f, readers, io.timed, i, args, index{},
                            std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(args)>>>{});
        });
      };
      try {
        if (std::atomic<std::uint64_t>* const cursor = io.cursor; Output::isolated && cursor != nullptr) {
          const std::size_t chunk = io.first;
          for (; i < last; ++i) {
            // release: the results before it are in the frame.
            cursor->store(name_of_slices(i - chunk, 1), std::memory_order_release);
            run_one();
          }
        } else {
          for (; i < last; ++i) run_one();
        }
      } catch (...) {
        out.broke_off();
        throw;
      }
    } catch (...) {
      io.fail(io, i, i);
    }
    return i;
  }

  static void skip(const void* self, chunk_io& io, std::size_t first, std::size_t last) {
    const plan& mine = *static_cast<const plan*>(self);
    for (std::size_t i = first; i < last; ++i) {
      std::apply([&io](const auto&... each) { (skip_part(each, io), ...); }, mine.parts);
    }
  }
  template <class P>
  static void skip_part(const P& each, chunk_io& io) {
    if constexpr (P::streams) each.skip(io);
  }

  static auto result_of_call() {
    if constexpr (called::possible)
      return std::type_identity<
          std::remove_cvref_t<decltype(call_slice(std::declval<F&>(), std::declval<readers_type&>(), nullptr,
                                                  std::size_t{}, std::declval<const arguments_type&>(), index{},
                                                  std::make_index_sequence<std::tuple_size_v<arguments_type>>{}))>>{};
    else
      return std::type_identity<nothing>{};  // one error is enough
  }
  using result = typename decltype(result_of_call())::type;
};

// ---- transform_reduce: a slice is a block of the caller's slices, folded left to right -----------------------------------

/// What transforms a slice, with what folds results. A worker calls both.
template <class R, class Reduce, class Transform>
struct folding {
  Reduce reduce;
  Transform transform;
  template <class... P>
  decltype(auto) operator()(P&&... slice) {
    return transform(std::forward<P>(slice)...);
  }
};
template <class R, class Reduce, class Transform>
struct signature<folding<R, Reduce, Transform>> : signature<std::remove_reference_t<Transform>> {};

template <class R, class Plan, class F, class Output>
struct fold_plan : Plan {
  std::size_t items = 0;   // of the caller's slices
  std::size_t blocks = 0;  // they are cut in

  using result = R;

  static std::size_t run(const void* self, chunk_io& io, std::size_t first, std::size_t last) {
    const fold_plan& mine = *static_cast<const fold_plan*>(self);
    std::size_t block = first;
    std::size_t at = slice_bound(mine.items, mine.blocks, first);
    try {
      auto&& args = mine.broadcast.open(io);
      auto readers = mine.open_readers(io);
      typename Output::writer out(mine.output, io, last - first);
      F& f = mine.callable.get();
      const auto next = [&]() -> R {
        return Plan::call_slice(f, readers, io.timed, at, args, typename Plan::index{},
                                std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(args)>>>{});
      };
      try {
        for (; block < last; ++block) {
          if (Output::isolated && io.cursor != nullptr)
            io.cursor->store(name_of_slices(block - io.first, 1), std::memory_order_release);
          out.put(block, [&] {
            const std::size_t end = slice_bound(mine.items, mine.blocks, block + 1);
            R folded = next();
            for (++at; at < end; ++at) folded = f.reduce(std::move(folded), next());
            return folded;
          });
        }
      } catch (...) {
        out.broke_off();
        throw;
      }
    } catch (...) {
      io.fail(io, block, at);
    }
    return block;
  }

  static void skip(const void* self, chunk_io& io, std::size_t first, std::size_t last) {
    const fold_plan& mine = *static_cast<const fold_plan*>(self);
    Plan::skip(static_cast<const Plan*>(&mine), io, slice_bound(mine.items, mine.blocks, first),
               slice_bound(mine.items, mine.blocks, last));
  }

 private:
  auto open_readers(chunk_io& io) const {
    const std::size_t first_block = io.first;
    io.first = slice_bound(items, blocks, first_block);
    auto readers = Plan::open_parts(*this, io);
    io.first = first_block;
    return readers;
  }
};

}  // namespace detail
}  // namespace forkful
