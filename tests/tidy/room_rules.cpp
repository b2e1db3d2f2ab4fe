#include <algorithm>
#include <map>

#include "tidy/includes.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

constexpr std::string_view house = "proxy/";

// A walk along the includes of headers; a header that is met while it is still on the way closes a
// circle.
class Walk {
 public:
  explicit Walk(const std::vector<SourceFile>& files) {
    for (const SourceFile& file : files)
      if (file.is_header() && file.in(house)) headers_[file.path.substr(house.size())] = &file;
  }

  Findings circles() {
    for (const auto& [name, header] : headers_) go_to(name, *header);
    return std::move(found_);
  }

 private:
  enum class State { unseen, on_the_way, done };

  void go_to(const std::string& name, const SourceFile& header) {
    State& state = states_[name];  // a map's values stay where they are
    if (state != State::unseen) return;
    state = State::on_the_way;
    for (const Include& include : includes_of(header)) {
      const auto target = headers_.find(include.target);
      if (target == headers_.end()) continue;
      if (states_[include.target] == State::on_the_way)
        found_.push_back(
            {header.path, include.line, '"' + include.target + "\" closes a circle of includes"});
      go_to(target->first, *target->second);
    }
    state = State::done;
  }

  std::map<std::string, const SourceFile*, std::less<>> headers_;  // by what includes call them
  std::map<std::string, State> states_;
  Findings found_;
};

}  // namespace

Findings includes_without_circles(const std::vector<SourceFile>& files) {
  return Walk{files}.circles();
}

Findings small_rooms(const std::vector<SourceFile>& files) {
  std::map<std::string, std::size_t> lines;
  for (const SourceFile& file : files) {
    if (!file.is_cpp() || !file.in(house)) continue;
    const std::size_t end = file.path.find('/', house.size());
    if (end != file.path.npos) lines[file.path.substr(0, end)] += file.lines.size();
  }
  Findings findings;
  for (const auto& [room, count] : lines)
    if (count > room_lines_max && room != "proxy/os")
      findings.push_back({room, 1, "the room has " + std::to_string(count) + " lines"});
  return findings;
}

}  // namespace penstock::tidy
