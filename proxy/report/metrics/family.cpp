#include "report/metrics/family.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <utility>

namespace penstock::report {

namespace {

constexpr std::string_view word_of(Family::Kind kind) {
  switch (kind) {
    case Family::Kind::counter: return "counter";
    case Family::Kind::gauge: return "gauge";
    case Family::Kind::histogram: return "histogram";
  }
  return "untyped";
}

// In runs: nearly all values are as plain as an address.
void append_escaped(std::string& text, std::string_view value) {
  const auto stays = [](char byte) { return byte != '\n' && byte != '\\' && byte != '"'; };
  while (!value.empty()) {
    const auto* const end = std::find_if_not(value.begin(), value.end(), stays);
    const auto plain = static_cast<std::size_t>(end - value.begin());
    text += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) return;
    text += '\\';
    text += value.front() == '\n' ? 'n' : value.front();
    value.remove_prefix(1);
  }
}

void append_number(std::string& text, std::uint64_t value) {
  const fmt::format_int digits{value};
  text.append(digits.data(), digits.size());
}

void append_number(std::string& text, double value) {
  if (std::isnan(value))
    text += "Nan";
  else
    fmt::format_to(std::back_inserter(text), "{}", value);
}

}  // namespace

Family::Family(std::string& text, Kind kind, std::string_view name, std::string_view help)
    : text_{text}, name_{name} {
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                 word_of(kind));
}

// `bound` is the label `le` of a bucket.
void Family::begin_line(std::string_view suffix, Labels labels, std::string_view bound) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  const auto append = [&](std::string_view name, std::string_view value) {
    text_ += std::exchange(separator, ',');
    text_ += name;
    text_ += "=\"";
    append_escaped(text_, value);
    text_ += '"';
  };
  for (const Label& label : labels) append(label.name, label.value);
  if (!bound.empty()) append("le", bound);
  text_ += separator == '{' ? " " : "} ";
}

void Family::add(Labels labels, double value) {
  begin_line("", labels);
  append_number(text_, value);
  text_ += '\n';
}

void Family::add(Labels labels, std::uint64_t value) {
  begin_line("", labels);
  append_number(text_, value);
  text_ += '\n';
}

void Family::add(Labels labels, const base::Histogram::Totals& totals) {
  constexpr auto& bounds = base::Histogram::bounds_seconds;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    count += totals.buckets[i];
    begin_line("_bucket", labels, i < bounds.size() ? fmt::format("{}", bounds[i]) : "+Inf");
    fmt::format_to(std::back_inserter(text_), "{}\n", count);
  }
  begin_line("_sum", labels);
  append_number(text_, totals.sum_seconds);
  text_ += '\n';
  begin_line("_count", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", count);
}

void add_pieces(base::PagePieces& pieces, FamilyOfRows rows) {
  const auto family = std::make_shared<const FamilyOfRows>(std::move(rows));
  pieces.push_back([family](std::string& text) {
    const Family begun{text, family->kind, family->name, family->help};
  });
  for (std::size_t first = 0; first < family->rows; first += base::rows_per_piece)
    pieces.push_back([family, first](std::string& text) {
      Family more{text, family->name};
      for (std::size_t row = first; row < std::min(first + base::rows_per_piece, family->rows);
           ++row)
        family->add(more, row);
    });
}

}  // namespace penstock::report
