#pragma once
// Reads and parses files of endpoints on a thread of its own: a file of a megabyte takes a while,
// and a network file system may stand still; control goes on.
//
// Owner    EndpointFileWatch. Thread: control; the work is done on the reader's own, which starts
//          with the first file and ends with this object, after the file that it is at. Answers
//          come on the thread of the io_context, which outlives this.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "config/endpoint_file.hpp"
#include "os/file_watch.hpp"

namespace boost::asio {
class io_context;
}

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
  EndpointFileReader(boost::asio::io_context& io, std::function<void()> on_thread_start);
  EndpointFileReader(const EndpointFileReader&) = delete;
  EndpointFileReader& operator=(const EndpointFileReader&) = delete;
  ~EndpointFileReader();

  using Answer = std::function<void(EndpointFileLook look)>;
  // Files are looked at one after the other.
  void look(std::string path, EndpointFileKnown known, Answer answer);

 private:
  struct Task {
    std::string path;
    EndpointFileKnown known;
    Answer answer;
  };

  void work();

  boost::asio::io_context& io_;
  const std::function<void()> on_thread_start_;
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace penstock::control
