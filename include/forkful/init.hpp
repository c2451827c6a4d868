// forkful::init: lets later workers start from a small, single-threaded process instead of from this one.
#pragma once

namespace [[gnu::visibility("default")]] forkful {

/// Call it as the first line of main: `int main(int argc, char** argv) { forkful::init(argc, argv); ... }`. argc and argv are
/// not changed.
///
/// Clones a *template* of this process, from which process pools with start_method::automatic clone their workers from then on:
/// in well under a millisecond however large the program has grown, and safely whatever threads it runs by then (OpenMP used
/// before included). The price: such workers see globals, environment, working directory and limits as they are *now*. What
/// they need later goes along as slices and arguments, or lies in shared memory. The same holds for handlers of signals, for
/// privileges, and for what libraries set up. Fork handlers of libraries (pthread_atfork) do not run in such workers, because only
/// the C library's fork knows them: what has to be done anew in each process (a seed, a connection) belongs into
/// pool_options::on_worker_start. docs/inheritance.md has the rest.
///
/// Throws start_failed if other threads run already, but for those that libraries started when the program was loaded (OpenBLAS
/// does): beside these it forks instead of cloning, and the reports' warnings say what that means. Does nothing the
/// second time, and in workers. What the machine refuses is no error here: workers are then forked, and the report's
/// warnings say so. A process forked from this one may call it for itself. The template ends with this process, prints
/// nothing, and is not seen by wait() or waitpid(-1). Cost: about 0.3 ms.
void init(int argc, char** argv);

}  // namespace forkful
