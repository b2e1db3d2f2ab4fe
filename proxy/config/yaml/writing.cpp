#include "config/yaml/writing.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string_view>

namespace penstock::config {

namespace {

namespace json = boost::json;

// A word that needs no quotes. YAML takes some words for nothing.
bool is_plain(std::string_view text) {
  constexpr std::string_view inside = "_-./%+:";
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && (is_word(text.front()) || text.front() == '/') && text.back() != ':' &&
         text != "null" && text != "Null" && text != "NULL" &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_word(c) || inside.find(c) != std::string_view::npos;
         });
}

std::string scalar_text(std::string_view text) {
  return is_plain(text) ? std::string{text} : json::serialize(json::string{text});
}

class Writer {
 public:
  // The cursor stands behind the margin; a value ends its line.
  void write(const json::value& value, const std::string& margin) {
    if (is_block(value))
      return value.is_object() ? write_map(value.as_object(), margin)
                               : write_list(value.as_array(), margin);
    text_ += value.is_string() ? scalar_text(value.as_string()) : json::serialize(value);
    text_ += '\n';
  }

  std::string take() { return std::move(text_); }

 private:
  static bool is_block(const json::value& value) {
    return (value.is_object() && !value.as_object().empty()) ||
           (value.is_array() && !value.as_array().empty());
  }

  void write_map(const json::object& map, const std::string& margin) {
    bool is_first = true;  // it stands where the map begins
    for (const auto& entry : map) {
      if (!is_first) text_ += margin;
      is_first = false;
      text_ += scalar_text(std::string_view{entry.key()}) + ':';
      const std::string inner = margin + "  ";
      text_ += is_block(entry.value()) ? '\n' + inner : std::string{" "};
      write(entry.value(), inner);
    }
  }

  void write_list(const json::array& list, const std::string& margin) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) text_ += margin;
      text_ += "- ";
      write(list[i], margin + "  ");
    }
  }

  std::string text_;
};

}  // namespace

std::string yaml_text(const json::value& tree) {
  Writer writer;
  writer.write(tree, "");
  return writer.take();
}

}  // namespace penstock::config
