#pragma once
// From the YAML parser's events to a YamlNode tree. For config/yaml/document.cpp alone.

#include <yaml-cpp/eventhandler.h>

#include <map>
#include <string>
#include <vector>

#include "config/yaml/document.hpp"
#include "config/yaml/text.hpp"

namespace penstock::config {

// What is wrong with a text that the parser itself takes.
struct YamlTreeError {
  YamlPosition position;
  std::string sentence;
};

// Throws YamlTreeError from its events, which ends the parsing at once: a document that is too deep
// or too large is never built.
class YamlTreeBuilder : public YAML::EventHandler {
 public:
  explicit YamlTreeBuilder(const std::string& text)
      : text_{text}, line_starts_{line_starts(text)} {}

  // Empty where there was no document.
  YamlPointer take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  // A list or a map whose end has not been seen.
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  // of a map: the next node is a value
    std::string key;
    YamlPosition key_position;
  };

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor, YAML::EmitterStyle::value style);
  void close();
  bool expects_key() const;
  void take_key(std::shared_ptr<YamlNode> node);
  void add(YamlPointer node, YamlPosition at, bool via_alias);
  void check_quotes(YamlPosition at) const;

  const std::string& text_;
  const std::vector<std::size_t> line_starts_;
  YamlPointer root_;
  bool started_ = false;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlPointer> anchors_;
};

}  // namespace penstock::config
