#pragma once
// The admin pages as a test reads them: HTTP answers, and /metrics as numbers.

#include <map>
#include <string>
#include <vector>

namespace penstock::e2e {

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};
// One request over a connection of its own, which wants to see what is true now.
HttpAnswer http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& further_headers = {});

using Labels = std::map<std::string, std::string>;

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

class Metrics {
 public:
  // Throws Failure where a line is not in the text format, or a sample stands without HELP and
  // TYPE.
  explicit Metrics(const std::string& text);

  // The sum over all samples of this name that bear at least these labels; 0 where there is none.
  double sum(const std::string& name, const Labels& labels = {}) const;
  bool has(const std::string& name) const;
  const std::vector<Sample>& samples() const noexcept { return samples_; }

 private:
  std::vector<Sample> samples_;
};

}  // namespace penstock::e2e
