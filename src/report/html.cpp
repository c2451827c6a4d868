// The report as a page: its figures as JSON, for the script of src/report/page/ to draw.

#include <algorithm>
#include <forkful/version.hpp>
#include <vector>

#include "format/fmt.hpp"
#include "report/as_json.hpp"
#include "report/document.hpp"
#include "report/page.hpp"

namespace forkful {

namespace detail {

namespace {

// Columns instead of objects, and differences instead of times, so that ten thousand chunks are 300 KB. page/timeline.js
// unpacks them: begin counts from the end of the worker's chunk before it, first from the end of the chunk before it in the list.
std::string packed(const timeline& recorded) {
  struct run {
    unsigned worker;
    std::size_t chunks;
  };
  std::vector<run> workers;
  std::vector<std::int64_t> first;
  std::vector<std::size_t> count;
  std::vector<std::int64_t> begin;
  std::vector<std::int64_t> length;
  std::vector<std::int64_t> pass_in;
  std::vector<std::int64_t> pass_out;
  std::vector<std::size_t> merged;
  std::vector<std::int64_t> idle;
  std::vector<std::int64_t> call;
  std::int64_t last_call = recorded.chunks.empty() ? 0 : static_cast<std::int64_t>(recorded.chunks.front().call);
  std::int64_t next_slice = 0;
  std::int64_t free_from = 0;
  for (const timeline_chunk& chunk : recorded.chunks) {
    if (workers.empty() || workers.back().worker != chunk.worker) {
      workers.push_back({chunk.worker, 0});
      free_from = 0;
    }
    ++workers.back().chunks;
    first.push_back(static_cast<std::int64_t>(chunk.first) - next_slice);
    next_slice = static_cast<std::int64_t>(chunk.first + chunk.count);
    count.push_back(chunk.count);
    begin.push_back(chunk.begin.count() - free_from);
    length.push_back((chunk.end - chunk.begin).count());
    free_from = chunk.end.count();
    pass_in.push_back(chunk.pass_in.count());
    pass_out.push_back(chunk.pass_out.count());
    merged.push_back(chunk.merged);
    idle.push_back(chunk.idle.count());
    call.push_back(static_cast<std::int64_t>(chunk.call) - last_call);
    last_call = static_cast<std::int64_t>(chunk.call);
  }
  std::string text = fmt::format("{{\"thinned\":{},\"workers\":[", recorded.thinned);
  const char* between = "";
  for (const run& each : workers) {
    text += fmt::format("{}[{},{}]", between, each.worker, each.chunks);
    between = ",";
  }
  const auto column = [&](const char* name, const auto& values) {
    text += fmt::format(",\"{}\":[{}]", name, fmt::join(values, ","));
  };
  text += ']';
  column("first", first);
  column("count", count);
  column("begin", begin);
  column("length", length);
  column("pass_in", pass_in);
  column("pass_out", pass_out);
  if (std::any_of(merged.begin(), merged.end(), [](std::size_t each) { return each != 1; })) {
    column("merged", merged);
    column("idle", idle);
  }
  if (!recorded.chunks.empty()) text += fmt::format(",\"first_call\":{}", recorded.chunks.front().call);
  if (std::any_of(call.begin(), call.end(), [](std::int64_t each) { return each != 0; })) column("call", call);
  text += fmt::format(",\"events\":{},\"caller\":{}}}", events_as_json(recorded), steps_as_json(recorded));
  return text;
}

// JSON that may stand in a <script>: no '<' can end it.
std::string in_script(std::string_view text) {
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
  return page(title, body, {}, calls);
}

std::string page(std::string_view title, std::string_view body, std::span<const report> totals,
                 std::span<const report> calls) {
  std::vector<std::string> sums;
  std::vector<std::string> list;
  for (const report& total : totals)
    sums.push_back(as_json(total, total.has_timeline ? packed(total.recorded) : "null"));
  for (const report& call : calls) list.push_back(as_json(call, call.has_timeline ? packed(call.recorded) : "null"));
  // The nonce prevents a script that might slip into the body from running; connections of any kind are forbidden.
  std::string made =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-forkful'; "
      "style-src 'nonce-forkful'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  made += fmt::format("<title>{}</title>\n<style nonce=\"forkful\">\n{}</style>\n</head>\n<body>\n{}\n",
                      html_escaped(title), page_style, body);
  made += "<script type=\"application/json\" id=\"forkful-calls\">";
  made += in_script(calls_as_json(sums, list));
  made += fmt::format("</script>\n<script nonce=\"forkful\">\n{}</script>\n</body>\n</html>\n", page_script);
  return made;
}

std::string page_of(std::span<const report> totals, std::span<const report> calls) {
  std::string in_words;
  for (const report& total : totals) in_words += html_escaped(total.text()) + "\n";
  for (const report& call : calls) in_words += html_escaped(call.text()) + "\n";
  const std::size_t count = calls.size() == 1 ? calls[0].calls : calls.size();
  const std::string title = count == 1 ? fmt::format("forkful: {} of {} slices", calls[0].verb, calls[0].slices)
                                       : fmt::format("forkful: {} calls", count);
  return page(title,
              fmt::format("<main data-calls></main>\n<noscript><p>Without scripts, here is the report as text.</p>\n"
                          "<pre>{}</pre></noscript>\n<footer><p class=\"hint\">Made by forkful {}.</p></footer>",
                          in_words, FORKFUL_VERSION),
              totals, calls);
}

}  // namespace detail

std::string report::html() const { return detail::page_of({}, {this, 1}); }

}  // namespace forkful
