#pragma once
// Makes the slot tables of an upstream: at once where that is quick, else on a thread of its own,
// for a table of a million slots would hold up control for a tenth of a second.
//
// Owner    UpstreamFeeds. Thread: control. Answers come on the thread of the io_context, which
//          outlives this, and none after its end.

#include <functional>
#include <memory>
#include <vector>

#include "io/worker.hpp"
#include "upstream/cluster.hpp"

namespace penstock::control {

class TableMaker {
 public:
  // `on_thread_start` runs on the thread, before any work.
  TableMaker(boost::asio::io_context& io, std::function<void()> on_thread_start)
      : worker_{io, std::move(on_thread_start)} {}

  // Before the sandbox locks this thread, where there may ever be a table that is not quick.
  void start() { worker_.start(); }

  using Answer = std::function<void(std::shared_ptr<const upstream::SlotTables>)>;
  // Answers within this call where that is quick.
  void make(upstream::Balance balance, std::vector<upstream::EndpointSpec> endpoints,
            Answer answer);

 private:
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  io::Worker worker_;
};

}  // namespace penstock::control
