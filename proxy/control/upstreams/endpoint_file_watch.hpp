#pragma once
// Keeps the endpoints of files up to date.
//
// A file is read at once, and again 50 ms after something happened on the way to it, so that a
// burst of changes is one; every 10 s its state is looked at as well, for file systems whose
// changes the kernel does not tell us (NFS, some FUSE, or no inotify watch left).
//
// A file that is missing, empty, half written or wrong keeps its last good list, and is reported
// once for each distinct fault. `[]` is a good list without endpoints.
//
// Owner    whoever wires discovery. Thread: that of the io_context, which also makes the reports,
//          never within a call of ours. A report may call forget().
// Limits   those of config/endpoint_file.hpp. Files are read on a thread of their own: on a network
//          file system that stands still the others keep their last good lists.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/upstreams/endpoint_file_reader.hpp"
#include "discovery/discovery.hpp"
#include "io/alarm.hpp"
#include "io/work.hpp"
#include "logging/severity.hpp"
#include "os/file_watch.hpp"

namespace penstock::control {

struct EndpointFileReports {
  // All endpoints of a source, whenever they are others than before; the first time in any case.
  std::function<void(const discovery::SourceId&, const std::vector<upstream::EndpointSpec>&)> found;
  // For the log: what is wrong with a file, or that it is good again.
  std::function<void(const std::string& sentence, logging::Severity)> said;
};

class EndpointFileWatch {
 public:
  static constexpr base::Duration settle = std::chrono::milliseconds{50};
  static constexpr base::Duration look_interval = std::chrono::seconds{10};

  // `on_reader_start` runs on the thread that reads, before it opens anything.
  EndpointFileWatch(boost::asio::io_context& io, EndpointFileReports reports,
                    std::function<void()> on_reader_start = {});
  EndpointFileWatch(const EndpointFileWatch&) = delete;
  EndpointFileWatch& operator=(const EndpointFileWatch&) = delete;

  // From now on; in the place of what the id meant before.
  void watch(const discovery::SourceId& id, upstream::FileSource source);
  void forget(const discovery::SourceId& id);
  std::size_t size() const noexcept { return sources_.size(); }

 private:
  struct Source;
  enum class Look { at_state, at_text };

  void wait_for_events();
  void look_later(io::Alarm& alarm, base::Duration time, Look how);
  void look_at_all(Look how);
  void look(const std::shared_ptr<Source>& source, Look how);
  void take(const std::shared_ptr<Source>& source, EndpointFileLook look);
  void take_news(const std::shared_ptr<Source>& source, config::EndpointFile file);
  void tell_faults(Source& source, const config::EndpointFile& file);
  bool is_watched(const std::shared_ptr<Source>& source) const;

  boost::asio::io_context& io_;
  const EndpointFileReports reports_;
  os::FileWatch files_;
  io::ReadableWatch events_;  // of files_
  io::Alarm settled_;
  io::Alarm next_look_;
  std::map<discovery::SourceId, std::shared_ptr<Source>> sources_;
  EndpointFileReader reader_;
  // Ends with this object: a handler that was due already must not touch it.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace penstock::control
