#include "control/endpoint_file_watch.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "control/endpoint_file.hpp"
#include "os/process.hpp"

namespace penstock::control {

namespace {
constexpr std::size_t faults_told_max = 5;  // of one state of a file
}  // namespace

struct EndpointFileWatch::Source {
  Source(upstream::SourceId own_id, std::string own_path)
      : id{std::move(own_id)}, path{std::move(own_path)} {}

  const upstream::SourceId id;
  const std::string path;
  base::Result<os::FileState> state = os::FileState{};
  std::string text;  // what was read last
  std::vector<upstream::EndpointSpec> endpoints;
  bool has_list = false;
  bool was_read = false;
  std::vector<Fault> faults;  // of `text`
};

EndpointFileWatch::EndpointFileWatch(boost::asio::io_context& io, EndpointFileReports reports)
    : io_{io}, reports_{std::move(reports)}, events_{io}, settled_{io}, next_look_{io} {
  if (files_.descriptor() >= 0) static_cast<void>(events_.open(files_.descriptor()));
}

// Nothing is waited for while there is nothing to watch: an io_context that has no other work ends.
void EndpointFileWatch::watch(const upstream::SourceId& id, upstream::FileSource source) {
  forget(id);
  const bool is_first = sources_.empty();
  files_.add(source.path);
  sources_[id] = std::make_shared<Source>(id, std::move(source.path));
  upstream::call_later(io_,
                       [this, life = std::weak_ptr{alive_}, weak = std::weak_ptr{sources_[id]}] {
                         const auto own = weak.lock();
                         if (!life.expired() && own != nullptr) look(own, Look::at_text);
                       });
  if (!is_first) return;
  wait_for_events();
  look_later(next_look_, look_interval, Look::at_state);
}

void EndpointFileWatch::forget(const upstream::SourceId& id) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  const std::string path = found->second->path;
  sources_.erase(found);
  bool is_needed = false;
  for (const auto& [other, source] : sources_) is_needed = is_needed || source->path == path;
  if (!is_needed) files_.remove(path);
  if (!sources_.empty()) return;
  if (events_.is_open()) events_.cancel();
  settled_.cancel();
  next_look_.cancel();
}

void EndpointFileWatch::wait_for_events() {
  if (!events_.is_open()) return;
  events_.wait([this, life = std::weak_ptr{alive_}] {
    if (!life.expired()) look_later(settled_, settle, Look::at_text);
  });
}

void EndpointFileWatch::look_later(upstream::Alarm& alarm, base::Duration time, Look how) {
  alarm.set(time, [this, how, &alarm, time, life = std::weak_ptr{alive_}] {
    if (life.expired() || sources_.empty()) return;
    if (how == Look::at_state) {
      look_at_all(how);
      return look_later(alarm, time, how);
    }
    if (files_.take()) look_at_all(how);
    wait_for_events();
  });
}

void EndpointFileWatch::look_at_all(Look how) {
  const auto sources = sources_;  // a report may forget some
  for (const auto& [id, source] : sources)
    if (is_watched(source)) look(source, how);
}

bool EndpointFileWatch::is_watched(const std::shared_ptr<Source>& source) const {
  const auto found = sources_.find(source->id);
  return found != sources_.end() && found->second == source;
}

// The state is taken before the text: what changes in between is another state at the next look.
void EndpointFileWatch::look(const std::shared_ptr<Source>& source, Look how) {
  const auto state = os::state_of(source->path);
  if (how == Look::at_state && source->was_read && state == source->state) return;
  source->state = state;
  os::FileText read = os::read_file(source->path, base::config_bytes_max);
  if (!read.error.empty()) return take(source, failed_endpoint_file(source->path, read.error));
  if (source->was_read && source->faults.empty() && read.text == source->text) return;
  source->text = std::move(read.text);
  source->text.shrink_to_fit();
  take(source, parse_endpoint_file(source->text, source->path));
}

void EndpointFileWatch::take(const std::shared_ptr<Source>& source, EndpointFile file) {
  source->was_read = true;
  const bool is_again = std::exchange(source->faults, file.faults) == file.faults;
  if (!file.faults.empty()) {
    if (!is_again) tell_faults(*source, file);
    return;
  }
  const bool is_news = !source->has_list || source->endpoints != file.endpoints;
  source->has_list = true;
  source->endpoints = std::move(file.endpoints);
  if (!is_again)
    reports_.said(fmt::format("upstream '{}': {} is good now; it has {} endpoints",
                              source->id.upstream, source->path, source->endpoints.size()),
                  base::Severity::info);
  if (is_news && is_watched(source)) reports_.found(source->id, source->endpoints);
}

void EndpointFileWatch::tell_faults(Source& source, const EndpointFile& file) {
  const std::string kept =
      source.has_list
          ? fmt::format("its last good list of {} endpoints stays in use", source.endpoints.size())
          : std::string{"it has no endpoints until it is good"};
  for (std::size_t i = 0; i < std::min(file.faults.size(), faults_told_max); ++i)
    reports_.said(
        fmt::format("upstream '{}': {}; {}", source.id.upstream, file.faults[i].to_string(), kept),
        base::Severity::warning);
}

}  // namespace penstock::control
