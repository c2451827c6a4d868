// What the command line tool knows about the terminal: whether there is one, whether it wants colour, and printing.
//
// Colour only ever adds to the text: with the escapes taken out, every line is the same as without. Only bytes that any
// terminal shows are printed, so a locale does not matter.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

namespace cli {

inline constexpr std::size_t columns = 80;  // no line we print is wider

/// True if both stdin and stdout are terminals: the user can read a question and answer it.
bool interactive();

/// True if stdout is a terminal that shows colour and NO_COLOR (no-color.org) does not forbid it.
bool colourful();

std::string bold(std::string_view text);
std::string faint(std::string_view text);
std::string red(std::string_view text);
/// The colour of slice number n: the same slice has the same colour wherever it is drawn.
std::string slice_colour(std::size_t n, std::string_view text);

/// From now on print() writes to `out`; null: to stdout again.
void print_to(std::ostream* out);
/// Writes to stdout at once, so that nothing is left in a buffer that a fork would copy. Throws std::system_error.
void print(std::string_view text);
/// One line on stderr, as "forkful: text".
void complain(std::string_view text);

/// Broken at blanks into lines of at most `columns`; those after the first are indented. Ends in a newline.
std::string wrapped(std::string_view text, std::size_t indent = 0);

/// The text with every byte below a blank, and DEL, as '?': a file's name cannot move the cursor.
std::string harmless(std::string_view text);

}  // namespace cli
