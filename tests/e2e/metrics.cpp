#include "e2e/metrics.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "e2e/peer.hpp"

namespace penstock::e2e {

namespace {

// The text in its chunks. Throws where the last one is missing.
std::string without_chunks(std::string_view chunks) {
  std::string text;
  while (true) {
    const auto line = chunks.find("\r\n");
    if (line == chunks.npos) throw Failure{"an answer in chunks ends too early"};
    const auto size = std::stoul(std::string{chunks.substr(0, line)}, nullptr, 16);
    if (size == 0) return text;
    text += chunks.substr(line + 2, size);
    chunks.remove_prefix(std::min(line + 2 + size + 2, chunks.size()));
  }
}

}  // namespace

HttpAnswer http(const std::string& address, const std::string& method, const std::string& target,
                const std::string& further_headers) {
  Peer peer = Peer::connect(address);
  peer.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
            "Cache-Control: no-cache\r\n" + further_headers + "\r\n");
  const std::string text = peer.read_to_end();
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == text.npos) throw Failure{"no HTTP answer: " + text};
  const std::string head = text.substr(0, end + 2);
  const std::string body = text.substr(end + 4);
  const bool is_chunked = head.find("Transfer-Encoding: chunked") != head.npos;
  return {.status = std::stoi(text.substr(9)),
          .head = head,
          .body = is_chunked ? without_chunks(body) : body};
}

namespace {

Labels labels_from(const std::string& text) {
  static const std::regex one{R"re((\w+)="((?:[^"\\]|\\.)*)")re"};
  Labels labels;
  for (std::sregex_iterator at{text.begin(), text.end(), one}, end; at != end; ++at)
    labels[(*at)[1]] = (*at)[2];
  return labels;
}

// "x_bucket", "x_sum" and "x_count" belong to the histogram "x".
bool is_described(const std::string& name, const std::set<std::string>& described) {
  if (described.contains(name)) return true;
  for (const char* suffix : {"_bucket", "_sum", "_count"})
    if (name.ends_with(suffix) &&
        described.contains(name.substr(0, name.size() - std::string_view{suffix}.size())))
      return true;
  return false;
}

}  // namespace

Metrics::Metrics(const std::string& text) {
  static const std::regex comment{R"(# (HELP|TYPE) (\w+) .+)"};
  static const std::regex sample{R"re((\w+)(?:\{(.*)\})? (\S+))re"};
  std::set<std::string> helped;
  std::set<std::string> typed;
  std::istringstream lines{text};
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, comment)) {
      (match[1] == "HELP" ? helped : typed).insert(match[2]);
    } else if (std::regex_match(line, match, sample)) {
      const std::string name = match[1];
      if (!is_described(name, helped) || !is_described(name, typed))
        throw Failure{name + " has no HELP or no TYPE"};
      samples_.push_back({name, labels_from(match[2]), std::stod(match[3])});
    } else {
      throw Failure{"no line of metrics: " + line};
    }
  }
}

double Metrics::sum(const std::string& name, const Labels& labels) const {
  double sum = 0;
  for (const Sample& sample : samples_)
    if (sample.name == name &&
        std::includes(sample.labels.begin(), sample.labels.end(), labels.begin(), labels.end()))
      sum += sample.value;
  return sum;
}

bool Metrics::has(const std::string& name) const {
  return std::any_of(samples_.begin(), samples_.end(),
                     [&](const Sample& sample) { return sample.name == name; });
}

}  // namespace penstock::e2e
