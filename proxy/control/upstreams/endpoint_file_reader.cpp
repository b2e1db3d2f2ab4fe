#include "control/upstreams/endpoint_file_reader.hpp"

#include <utility>

#include "base/limits.hpp"
#include "io/alarm.hpp"
#include "os/process.hpp"

namespace penstock::control {

// The state is taken before the text: what changes in between is another state at the next look.
EndpointFileLook look_at_endpoint_file(const std::string& path, const EndpointFileKnown& known) {
  EndpointFileLook look{.state = os::state_of(path)};
  if (known.may_skip_reading && look.state == known.state) return look;
  os::FileText read = os::read_file(path, base::config_bytes_max);
  if (!read.error.empty()) {
    look.file = config::failed_endpoint_file(path, std::move(read.error));
  } else {
    if (known.text && read.text == *known.text) return look;
    read.text.shrink_to_fit();
    look.text = std::make_shared<const std::string>(std::move(read.text));
    look.file = config::parse_endpoint_file(*look.text, path);
  }
  look.is_news = true;
  return look;
}

EndpointFileReader::EndpointFileReader(boost::asio::io_context& io,
                                       std::function<void()> on_thread_start)
    : io_{io}, on_thread_start_{std::move(on_thread_start)} {}

EndpointFileReader::~EndpointFileReader() {
  {
    const std::scoped_lock lock{mutex_};
    ends_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void EndpointFileReader::look(std::string path, EndpointFileKnown known, Answer answer) {
  {
    const std::scoped_lock lock{mutex_};
    tasks_.push_back({std::move(path), std::move(known), std::move(answer)});
  }
  changed_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread{[this] { work(); }};
}

void EndpointFileReader::work() {
  if (on_thread_start_) on_thread_start_();
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
    if (ends_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    auto look = std::make_shared<EndpointFileLook>(look_at_endpoint_file(task.path, task.known));
    io::call_later(io_, [answer = std::move(task.answer), look] { answer(std::move(*look)); });
    lock.lock();
  }
}

}  // namespace penstock::control
