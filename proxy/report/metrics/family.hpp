#pragma once
// Metric families under construction: their names, their help and their series, as the text that
// Prometheus reads.
//
// Owner    whoever asks for the text. Thread: any one.
// Source   the text-based format: prometheus.io/docs/instrumenting/exposition_formats.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/histogram.hpp"
#include "base/page_pieces.hpp"

namespace penstock::report {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

// Appends to a text. The lines of a family must stand together: one ends before the next begins.
class Family {
 public:
  enum class Kind { counter, gauge, histogram };
  // Writes what stands before the series.
  Family(std::string& text, Kind kind, std::string_view name, std::string_view help);
  // Goes on with a family that was begun in this text.
  Family(std::string& text, std::string_view name) : text_{text}, name_{name} {}

  void add(Labels labels, double value);
  void add(Labels labels, std::uint64_t value);
  void add(Labels labels, const base::Histogram::Totals& totals);

 private:
  void begin_line(std::string_view suffix, Labels labels, std::string_view bound = {});

  std::string& text_;
  std::string_view name_;
};

// A family of as many rows as there are things to tell of: `add` is called for each.
struct FamilyOfRows {
  Family::Kind kind = Family::Kind::counter;
  const char* name = "";
  const char* help = "";
  std::size_t rows = 0;
  std::function<void(Family& family, std::size_t row)> add{};
};
void add_pieces(base::PagePieces& pieces, FamilyOfRows family);

}  // namespace penstock::report
