// The report as a page: its figures as JSON, for the script of src/report/page/ to draw.
#include <fmt/format.h>

#include <forkful/version.hpp>

#include "report/as_json.hpp"
#include "report/document.hpp"
#include "report/page.hpp"

namespace forkful {

namespace detail {

namespace {

// Columns instead of objects, and differences instead of times, so that ten thousand chunks are 300 KB. page/timeline.js
// unpacks them: begin counts from the end of the worker's chunk before it, first from the end of the chunk before it in the list.
json_value packed(const timeline& recorded) {
  json_value workers = json_value::array();
  json_value first = json_value::array();
  json_value count = json_value::array();
  json_value begin = json_value::array();
  json_value length = json_value::array();
  json_value pass_in = json_value::array();
  json_value pass_out = json_value::array();
  json_value merged = json_value::array();
  bool any_merged = false;
  std::int64_t next_slice = 0;
  std::int64_t free_from = 0;
  for (const timeline_chunk& chunk : recorded.chunks) {
    if (workers.empty() || workers.back()[0] != chunk.worker) {
      workers.push_back(json_value::array({chunk.worker, 0}));
      free_from = 0;
    }
    workers.back()[1] = workers.back()[1].get<std::size_t>() + 1;
    first.push_back(static_cast<std::int64_t>(chunk.first) - next_slice);
    next_slice = static_cast<std::int64_t>(chunk.first + chunk.count);
    count.push_back(chunk.count);
    begin.push_back(chunk.begin.count() - free_from);
    length.push_back((chunk.end - chunk.begin).count());
    free_from = chunk.end.count();
    pass_in.push_back(chunk.pass_in.count());
    pass_out.push_back(chunk.pass_out.count());
    merged.push_back(chunk.merged);
    any_merged = any_merged || chunk.merged != 1;
  }
  json_value value = {{"thinned", recorded.thinned},   {"workers", std::move(workers)},  {"first", std::move(first)},
                      {"count", std::move(count)},     {"begin", std::move(begin)},      {"length", std::move(length)},
                      {"pass_in", std::move(pass_in)}, {"pass_out", std::move(pass_out)}};
  if (any_merged) value["merged"] = std::move(merged);
  value["events"] = events_as_json(recorded);
  value["caller"] = steps_as_json(recorded);
  return value;
}

// JSON that may stand in a <script>: no '<' can end it.
std::string in_script(const json_value& value) {
  const std::string text = written(value);
  std::string safe;
  safe.reserve(text.size());
  for (const char letter : text) {
    if (letter == '<')
      safe += "\\u003c";
    else
      safe += letter;
  }
  return safe;
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += letter;
    }
  }
  return safe;
}

std::string page(std::string_view title, std::string_view body, std::span<const report> calls) {
  json_value list = json_value::array();
  for (const report& call : calls) {
    json_value value = as_json(call);
    value["timeline"] = call.has_timeline ? packed(call.recorded) : json_value(nullptr);
    list.push_back(std::move(value));
  }
  // The nonce keeps whatever might slip into the body from running; connections of any kind are forbidden.
  std::string made =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-forkful'; "
      "style-src 'nonce-forkful'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  made += fmt::format("<title>{}</title>\n<style nonce=\"forkful\">\n{}</style>\n</head>\n<body>\n{}\n",
                      html_escaped(title), page_style, body);
  made += "<script type=\"application/json\" id=\"forkful-calls\">";
  made += in_script({{"forkful", FORKFUL_VERSION}, {"calls", std::move(list)}});
  made += fmt::format("</script>\n<script nonce=\"forkful\">\n{}</script>\n</body>\n</html>\n", page_script);
  return made;
}

std::string page_of(std::span<const report> calls) {
  std::string in_words;
  for (const report& call : calls) in_words += html_escaped(call.text()) + "\n";
  const std::string title = calls.size() == 1 ? fmt::format("forkful: {} of {} slices", calls[0].verb, calls[0].slices)
                                              : fmt::format("forkful: {} calls", calls.size());
  return page(title,
              fmt::format("<main data-calls></main>\n<noscript><p>Without scripts, here is the report as text.</p>\n"
                          "<pre>{}</pre></noscript>\n<footer><p class=\"hint\">Made by forkful {}.</p></footer>",
                          in_words, FORKFUL_VERSION),
              calls);
}

}  // namespace detail

std::string report::html() const { return detail::page_of({this, 1}); }

}  // namespace forkful
