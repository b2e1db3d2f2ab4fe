#include "control/upstreams/endpoint_file_watch.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace penstock::control {

namespace {
constexpr std::size_t faults_told_max = 5;  // of one state of a file
}  // namespace

struct EndpointFileWatch::Source {
  Source(discovery::SourceId own_id, std::string own_path)
      : id{std::move(own_id)}, path{std::move(own_path)} {}

  const discovery::SourceId id;
  const std::string path;
  base::Result<os::FileState> state = os::FileState{};
  std::shared_ptr<const std::string> text;  // what was read last
  bool is_looked_at = false;                // by the reader, now
  std::optional<Look> next_look;            // asked for in the meantime
  std::vector<upstream::EndpointSpec> endpoints;
  bool has_list = false;
  bool was_read = false;
  std::vector<config::Fault> faults;  // of `text`
};

EndpointFileWatch::EndpointFileWatch(boost::asio::io_context& io, EndpointFileReports reports,
                                     std::function<void()> on_reader_start)
    : io_{io},
      reports_{std::move(reports)},
      events_{io},
      settled_{io},
      next_look_{io},
      reader_{io, std::move(on_reader_start)} {
  if (files_.descriptor() >= 0) static_cast<void>(events_.open(files_.descriptor()));
}

// Nothing is waited for while there is nothing to watch: an io_context that has no other work ends.
void EndpointFileWatch::watch(const discovery::SourceId& id, upstream::FileSource source) {
  forget(id);
  const bool is_first = sources_.empty();
  files_.add(source.path);
  sources_[id] = std::make_shared<Source>(id, std::move(source.path));
  io::call_later(io_, [this, life = std::weak_ptr{alive_}, weak = std::weak_ptr{sources_[id]}] {
    const auto own = weak.lock();
    if (!life.expired() && own != nullptr) look(own, Look::at_text);
  });
  if (!is_first) return;
  wait_for_events();
  look_later(next_look_, look_interval, Look::at_state);
}

void EndpointFileWatch::forget(const discovery::SourceId& id) {
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

void EndpointFileWatch::look_later(io::Alarm& alarm, base::Duration time, Look how) {
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

void EndpointFileWatch::look(const std::shared_ptr<Source>& source, Look how) {
  if (source->is_looked_at) {
    if (source->next_look != Look::at_text) source->next_look = how;
    return;
  }
  source->is_looked_at = true;
  const bool is_good = source->was_read && source->faults.empty();
  reader_.look(source->path,
               {.state = source->state,
                .text = is_good ? source->text : nullptr,
                .may_skip_reading = how == Look::at_state && source->was_read},
               [this, life = std::weak_ptr{alive_}, source](EndpointFileLook look) {
                 if (!life.expired()) take(source, std::move(look));
               });
}

// A source that was forgotten in the meantime takes nothing.
void EndpointFileWatch::take(const std::shared_ptr<Source>& source, EndpointFileLook look) {
  source->is_looked_at = false;
  if (!is_watched(source)) return;
  source->state = look.state;
  if (look.is_news) {
    source->text = look.text;
    take_news(source, std::move(look.file));
  }
  const auto next = std::exchange(source->next_look, std::nullopt);
  if (next && is_watched(source)) this->look(source, *next);
}

void EndpointFileWatch::take_news(const std::shared_ptr<Source>& source,
                                  config::EndpointFile file) {
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
                  logging::Severity::info);
  if (is_news && is_watched(source)) reports_.found(source->id, source->endpoints);
}

void EndpointFileWatch::tell_faults(Source& source, const config::EndpointFile& file) {
  const std::string kept =
      source.has_list
          ? fmt::format("its last good list of {} endpoints stays in use", source.endpoints.size())
          : std::string{"it has no endpoints until it is good"};
  for (std::size_t i = 0; i < std::min(file.faults.size(), faults_told_max); ++i)
    reports_.said(
        fmt::format("upstream '{}': {}; {}", source.id.upstream, file.faults[i].to_string(), kept),
        logging::Severity::warning);
}

}  // namespace penstock::control
