#pragma once
// Reads and parses files of endpoints on a thread of its own: a file of a megabyte takes a while,
// and a network file system may stand still; control goes on.
//
// Owner    EndpointFileWatch. Thread: control. Answers come on the thread of the io_context, which
//          outlives this (io/worker.hpp).

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "config/endpoint_file.hpp"
#include "io/worker.hpp"
#include "os/file_watch.hpp"

namespace penstock::control {

// A file as it was when it was looked at.
struct EndpointFileLook {
  base::Result<os::FileState> state = os::FileState{};
  std::shared_ptr<const std::string> text{};  // empty where it was not read
  bool is_news = false;                       // else nothing below is filled in
  config::EndpointFile file{};
};

// What is known of it already.
struct EndpointFileKnown {
  base::Result<os::FileState> state = os::FileState{};
  std::shared_ptr<const std::string> text{};  // of the last look that was good; else empty
  bool may_skip_reading = false;              // where the state is the same
};

// Blocking. Thread: any.
EndpointFileLook look_at_endpoint_file(const std::string& path, const EndpointFileKnown& known);

class EndpointFileReader {
 public:
  // `on_thread_start` runs on the reader's thread, before any file is opened.
  EndpointFileReader(boost::asio::io_context& io, std::function<void()> on_thread_start)
      : worker_{io, std::move(on_thread_start)} {}

  using Answer = std::function<void(EndpointFileLook look)>;
  // Files are looked at one after the other.
  void look(std::string path, EndpointFileKnown known, Answer answer);

 private:
  io::Worker worker_;
};

}  // namespace penstock::control
