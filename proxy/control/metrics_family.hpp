#pragma once
// Metric families under construction: their names, their help and their series; then as text.
//
// Owner    whoever asks for the text; a Family must not outlive its Families. Thread: any one.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/histogram.hpp"

namespace penstock::control {

struct Label {
  std::string name;
  std::string value;
};
using Labels = std::vector<Label>;

class Families {
 public:
  Families();
  Families(const Families&) = delete;
  Families& operator=(const Families&) = delete;
  ~Families();

  // Prometheus text, in the order in which the families were made.
  std::string text() const;

 private:
  friend class Family;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Makes a family in `families` and adds to it, also when others were made in the meantime.
class Family {
 public:
  enum class Kind { counter, gauge, histogram };
  Family(Families& families, Kind kind, std::string name, std::string help);

  void add(Labels labels, double value);
  void add(Labels labels, std::uint64_t value) {
    add(std::move(labels), static_cast<double>(value));
  }
  void add(Labels labels, const base::Histogram::Totals& totals);

 private:
  Families::Parts& parts_;
  Kind kind_;
  std::size_t place_;  // among the families
};

}  // namespace penstock::control
