// FORKFUL_REPORT: a report of all calls of a program, written when it has ended.
//
// Owns the journal and, by a socket, the reporter: a process forked when the first pool is made, which waits for the program's end
// (however it comes) and then writes the file. Nothing is written by a process that crashes. Invariant: only the process that
// made the first pool reports; its workers and forks do not.
#pragma once

#include <forkful/report.hpp>
#include <memory>

#include "measure/recorder.hpp"

namespace forkful::detail {

// Where a call under way is stored, until it ends; null: not reporting, or too many are under way. Throws
// std::bad_alloc.
std::unique_ptr<timeline_copy> report_begin(const report& begun);
// A finished call.
void report_finished(const report&) noexcept;

}  // namespace forkful::detail
