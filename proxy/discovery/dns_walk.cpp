#include "discovery/dns_walk.hpp"

#include <algorithm>
#include <utility>

namespace penstock::discovery {

namespace {

std::string without_dot(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

}  // namespace

DnsWalk::DnsWalk(const DnsResolver& resolver, const std::string& name,
                 std::vector<os::DnsType> types, std::string decided,
                 std::function<void(Answer)> take)
    : resolver_{resolver},
      given_{without_dot(name)},
      types_{std::move(types)},
      decided_{std::move(decided)},
      take_{std::move(take)},
      names_{search_names(resolver.config, name)},
      ends_(types_.size(), upstream::DnsResult::nxdomain) {
  if (names_.empty()) names_.push_back(given_);  // the answer will be that it is no name
  ask();
}

void DnsWalk::ask() {
  replies_.assign(types_.size(), std::nullopt);
  questions_.clear();
  for (std::size_t type = 0; type < types_.size(); ++type)
    questions_.emplace_back(resolver_, DnsAsked{.name = names_[name_], .type = types_[type]},
                            [this, type](DnsReply reply) { take_reply(type, std::move(reply)); });
}

void DnsWalk::take_reply(std::size_t type, DnsReply reply) {
  const bool has_records = reply.result == upstream::DnsResult::ok;
  replies_[type] = std::move(reply);
  if (has_decided_) return tell({type});
  has_decided_ = has_records;
  const bool is_missing = std::count(replies_.begin(), replies_.end(), std::nullopt) > 0;
  if (!has_decided_ && is_missing) return;
  if (!has_decided_ && goes_on()) return ask();
  std::vector<std::size_t> told;
  for (std::size_t i = 0; i < types_.size(); ++i)
    if (replies_[i]) told.push_back(i);
  tell(told);
}

// Nothing was found under this name. Sets the next one where there is one to be asked for.
bool DnsWalk::goes_on() {
  bool is_troubled = false;
  bool is_heard = false;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const upstream::DnsResult result = replies_[i]->result;
    is_troubled = is_troubled || !upstream::is_answer(result);
    is_heard = is_heard || upstream::is_answer(result) || result == upstream::DnsResult::servfail;
    ends_[i] = upstream::more_telling(ends_[i], result);
    replies_[i]->result = ends_[i];
  }
  if (name_ + 1 == names_.size() || (is_troubled && names_[name_] == decided_)) return false;
  const bool was_given = names_[name_] == given_;
  if (is_heard || was_given) {
    ++name_;
    return true;
  }
  if (names_.front() == given_) return false;  // it was the first
  name_ = names_.size() - 1;
  return true;
}

// The last answer may end this object, so nothing of it is used after the first.
void DnsWalk::tell(const std::vector<std::size_t>& types) {
  std::vector<Answer> answers;
  for (const std::size_t type : types)
    answers.push_back({.type = type, .reply = *replies_[type], .name = names_[name_]});
  const auto take = take_;
  for (Answer& answer : answers) take(std::move(answer));
}

}  // namespace penstock::discovery
