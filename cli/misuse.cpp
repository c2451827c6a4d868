// How all verbs complain about words they do not understand.

#include "format/fmt.hpp"
#include "suggest.hpp"
#include "terminal.hpp"
#include "verb.hpp"

namespace cli {

int misused(std::string_view sentence, std::string_view help) {
  complain(fmt::format("{} (see {})", sentence, help));
  return usage;
}

int unknown(std::string_view kind, const std::string& word, const std::vector<std::string>& known,
            std::string_view help) {
  const std::string meant = closest(word, known);
  return misused(fmt::format("there is no {} '{}'{}", kind, harmless(word),
                             meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)),
                 help);
}

}  // namespace cli
