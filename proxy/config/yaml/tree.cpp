#include "config/yaml/tree.hpp"

#include <yaml-cpp/mark.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace penstock::config {

namespace {

YamlPosition position_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

// "?" and "!" are how the parser marks plain and quoted values without a tag.
void check_tag(const std::string& tag, const YAML::Mark& mark) {
  if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
  throw YamlTreeError{position_of(mark), "tags are not supported"};
}

// The parser takes what follows an open bracket for a key where the closing one is missing.
std::string collection_as_key(const std::string& text, int line) {
  const std::string hint = syntax_hint(text, line);
  return "a list or a map cannot be a key" +
         (hint.empty() ? "; perhaps a closing ] or } is missing" : hint);
}

}  // namespace

void YamlTreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (started_)
    throw YamlTreeError{position_of(mark), "a second document begins here; only one is allowed"};
  started_ = true;
}

void YamlTreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  auto node = std::make_shared<YamlNode>();
  node->position = position_of(mark);
  if (expects_key()) return take_key(std::move(node));
  // The parser puts an absent value where the next thing stands; a user looks for it at its key.
  if (!open_.empty() && open_.back().has_key) node->position = open_.back().key_position;
  if (anchor != 0) anchors_[anchor] = node;
  const YamlPosition at = node->position;
  add(std::move(node), at, false);
}

void YamlTreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlPosition at = position_of(mark);
  if (expects_key()) throw YamlTreeError{at, "a key cannot be an alias"};
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    throw YamlTreeError{at, "an alias cannot stand inside its own anchor"};
  add(found->second, at, true);
}

void YamlTreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag,
                               YAML::anchor_t anchor, const std::string& value) {
  check_tag(tag, mark);
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlNode::Kind::scalar;
  node->position = position_of(mark);
  node->text = value;
  node->bytes = value.size();
  node->in_flow_style = !open_.empty() && open_.back().node->in_flow_style;
  check_quotes(node->position);
  if (anchor != 0) anchors_[anchor] = node;
  if (expects_key()) return take_key(std::move(node));
  const YamlPosition at = node->position;
  add(std::move(node), at, false);
}

void YamlTreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                      YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
  open(YamlNode::Kind::list, mark, tag, anchor, style);
}

void YamlTreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag,
                                 YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
  open(YamlNode::Kind::map, mark, tag, anchor, style);
}

void YamlTreeBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                           YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
  check_tag(tag, mark);
  const YamlPosition at = position_of(mark);
  if (expects_key()) throw YamlTreeError{at, collection_as_key(text_, at.line)};
  if (open_.size() >= static_cast<std::size_t>(base::config_depth_max))
    throw YamlTreeError{at, "nested deeper than " + std::to_string(base::config_depth_max)};
  Open opened{
      .node = std::make_shared<YamlNode>(), .anchor = anchor, .key = {}, .key_position = {}};
  opened.node->kind = kind;
  opened.node->position = at;
  opened.node->in_flow_style = style == YAML::EmitterStyle::Flow;
  opened.node->height = 1;
  open_.push_back(std::move(opened));
}

void YamlTreeBuilder::close() {
  PENSTOCK_ASSERT(!open_.empty());
  const Open closed = std::move(open_.back());
  open_.pop_back();
  if (closed.anchor != 0) anchors_[closed.anchor] = closed.node;
  add(closed.node, closed.node->position, false);
}

bool YamlTreeBuilder::expects_key() const {
  return !open_.empty() && open_.back().node->kind == YamlNode::Kind::map && !open_.back().has_key;
}

void YamlTreeBuilder::take_key(std::shared_ptr<YamlNode> node) {
  if (node->kind != YamlNode::Kind::scalar || node->text.empty())
    throw YamlTreeError{node->position, "a key is empty"};
  open_.back().key = std::move(node->text);
  open_.back().key_position = node->position;
  open_.back().has_key = true;
}

// Counts what an alias stands for, so that nine lines of aliases cannot become a thousand million
// nodes (the "billion laughs"), nor one long value be there a thousand times.
void YamlTreeBuilder::add(YamlPointer node, YamlPosition at, bool via_alias) {
  nodes_ += via_alias ? node->nodes : 1;
  if (nodes_ > static_cast<std::size_t>(base::config_nodes_max))
    throw YamlTreeError{
        at, "more than " + std::to_string(base::config_nodes_max) + " values, aliases included"};
  bytes_ += via_alias || node->kind == YamlNode::Kind::scalar ? node->bytes : 0;
  if (bytes_ > base::config_text_max)
    throw YamlTreeError{at, "more than " + std::to_string(base::config_text_max) +
                                " bytes of values, aliases included"};
  if (open_.size() + static_cast<std::size_t>(node->height) >
      static_cast<std::size_t>(base::config_depth_max))
    throw YamlTreeError{at, "nested deeper than " + std::to_string(base::config_depth_max)};
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& parent = open_.back();
  parent.node->height = std::max(parent.node->height, node->height + 1);
  parent.node->nodes += node->nodes;
  parent.node->bytes += node->bytes;
  parent.node->children.push_back({parent.key, parent.key_position, std::move(node), via_alias});
  parent.has_key = false;
}

// The parser takes the end of the file for the closing quote.
void YamlTreeBuilder::check_quotes(YamlPosition at) const {
  const auto line = static_cast<std::size_t>(at.line - 1);
  if (line >= line_starts_.size()) return;
  if (!is_quote_closed(text_, line_starts_[line] + static_cast<std::size_t>(at.column - 1)))
    throw YamlTreeError{at, "this quote is never closed"};
}

}  // namespace penstock::config
