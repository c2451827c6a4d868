// Real programs on text: documents, lines and words of the files that every Debian machine has.
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "advice/course.hpp"
#include "format/fmt.hpp"
#include "real_text.hpp"

namespace advice_bench {

namespace {

using documents = std::vector<std::string>;

documents read_documents(std::size_t count, std::size_t most_bytes) {
  documents all;
  for (const auto& path : forkful_bench::texts_here()) {
    if (all.size() == count) break;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.size() < 500) continue;
    text.resize(std::min(text.size(), most_bytes));
    all.push_back(std::move(text));
  }
  return all;
}

documents lines_of(const documents& all, std::size_t count) {
  documents lines;
  for (const std::string& text : all) {
    std::istringstream from(text);
    for (std::string line; lines.size() != count && std::getline(from, line);)
      if (line.size() > 20) lines.push_back(line);
  }
  return lines;
}

std::size_t words_in(const std::string& text) {
  std::istringstream from(text);
  return static_cast<std::size_t>(std::distance(std::istream_iterator<std::string>(from), {}));
}

std::string longest_word(const std::string& text) {
  std::istringstream from(text);
  std::string longest;
  for (std::string word; from >> word;)
    if (word.size() > longest.size()) longest = word;
  return longest;
}

std::array<std::uint32_t, 256> letters(const std::string& text) {
  std::array<std::uint32_t, 256> count{};
  for (const char c : text) ++count[static_cast<unsigned char>(c)];
  return count;
}

std::string in_capitals(const std::string& text) {
  std::string made = text;
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return made;
}

std::string sorted_words(const std::string& text) {
  std::istringstream from(text);
  std::vector<std::string> words{std::istream_iterator<std::string>(from), {}};
  std::sort(words.begin(), words.end());
  return std::accumulate(words.begin(), words.end(), std::string(),
                         [](std::string all, const std::string& word) { return std::move(all) + word + '\n'; });
}

std::string deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string made(size, '\0');
  compress2(reinterpret_cast<Bytef*>(made.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(), 6);
  made.resize(size);
  return made;
}

unsigned long checksum(const std::string& text) {
  return crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

std::size_t numbers_matched(const std::string& line) {
  static const std::regex number("[0-9]+(\\.[0-9]+)?");
  return static_cast<std::size_t>(
      std::distance(std::sregex_iterator(line.begin(), line.end(), number), std::sregex_iterator()));
}

std::string reversed(const std::string& line) { return {line.rbegin(), line.rend()}; }

// Levenshtein's distance to a sentence.
std::size_t distance_to_fox(const std::string& line) {
  static const std::string fox = "the quick brown fox jumps over the lazy dog";
  std::vector<std::size_t> row(fox.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 0; i != line.size(); ++i) {
    std::size_t corner = row[0]++;
    for (std::size_t k = 0; k != fox.size(); ++k) {
      const std::size_t next = std::min({row[k] + 1, row[k + 1] + 1, corner + (line[i] == fox[k] ? 0 : 1)});
      corner = std::exchange(row[k + 1], next);
    }
  }
  return row.back();
}

double sum_of_fields(const std::string& line) {
  double sum = 0;
  const char* at = line.c_str();
  for (char* end = nullptr; *at != '\0'; at = *end == ',' ? end + 1 : end) {
    sum += std::strtod(at, &end);
    if (end == at) break;
  }
  return sum;
}

}  // namespace

void text_programs(course& on) {
  const documents large = read_documents(60, 400'000);
  const documents small = read_documents(250, 4'000);
  for (const auto* const all : {&large, &small}) {
    const char* const size = all == &large ? "documents" : "pages";
    on.map(fmt::format("words of {}", size), *all, [](const std::string& text) { return words_in(text); });
    on.map(fmt::format("letters of {}", size), *all, [](const std::string& text) { return letters(text); });
    on.map(fmt::format("{} in capitals", size), *all, [](const std::string& text) { return in_capitals(text); });
    on.map(fmt::format("deflate {}", size), *all, [](const std::string& text) { return deflated(text); });
    on.map(fmt::format("crc32 of {}", size), *all, [](const std::string& text) { return checksum(text); });
    on.map(fmt::format("sort words of {}", size), *all, [](const std::string& text) { return sorted_words(text); });
    on.map(fmt::format("longest word of {}", size), *all, [](const std::string& text) { return longest_word(text); });
  }
  for (const std::size_t count : {std::size_t{300}, std::size_t{10'000}}) {
    const documents lines = lines_of(large, count);
    on.map(fmt::format("regex on {} lines", count), lines,
           [](const std::string& line) { return numbers_matched(line); });
    on.map(fmt::format("reverse {} lines", count), lines, [](const std::string& line) { return reversed(line); });
    on.map(fmt::format("distances of {} lines", count), lines,
           [](const std::string& line) { return distance_to_fox(line); });
    documents table(count);
    for (std::size_t i = 0; i != count; ++i)
      table[i] = fmt::format("{},{}.5,{},{}e-3,17,{}", i, 3 * i, i % 91, 7 * i, 1.0 / static_cast<double>(i + 1));
    on.map(fmt::format("parse {} rows", count), table, [](const std::string& line) { return sum_of_fields(line); });
  }
}

}  // namespace advice_bench
