#include "relay/buffer_pool.hpp"

#include <cstring>
#include <new>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "os/numa_memory.hpp"
#include "os/process.hpp"

namespace penstock::relay {

void HeldBuffer::hold(std::span<const std::byte> bytes) noexcept {
  PENSTOCK_ASSERT(empty() && bytes.size() <= capacity_);
  std::memcpy(memory_, bytes.data(), bytes.size());
  begin_ = 0;
  end_ = bytes.size();
}

void HeldBuffer::filled(std::size_t bytes) noexcept {
  PENSTOCK_ASSERT(empty() && bytes <= capacity_);
  begin_ = 0;
  end_ = bytes;
}

void HeldBuffer::take(std::size_t bytes) noexcept {
  PENSTOCK_ASSERT(bytes <= end_ - begin_);
  begin_ += bytes;
}

BufferPool::BufferPool(std::size_t buffers_max, std::size_t buffer_bytes,
                       std::pmr::memory_resource& memory, Counters& counters)
    : page_bytes_{os::page_bytes()},
      buffer_bytes_{(buffer_bytes + page_bytes_ - 1) / page_bytes_ * page_bytes_},
      memory_{memory},
      counters_{counters},
      buffers_(buffers_max, HeldBuffer{nullptr, 0}, &memory),
      vacant_{&memory},
      idle_{&memory} {
  vacant_.reserve(buffers_.size());
  idle_.reserve(buffers_.size());
  for (auto buffer = buffers_.rbegin(); buffer != buffers_.rend(); ++buffer)
    vacant_.push_back(&*buffer);
}

BufferPool::~BufferPool() {
  PENSTOCK_ASSERT(vacant_.size() + idle_.size() == buffers_.size());
  for (HeldBuffer* buffer : idle_) memory_.deallocate(buffer->memory_, buffer_bytes_, page_bytes_);
}

bool BufferPool::available() noexcept {
  if (!idle_.empty()) return true;
  if (vacant_.empty()) return false;
  try {
    auto* memory = static_cast<std::byte*>(memory_.allocate(buffer_bytes_, page_bytes_));
    idle_.push_back(vacant_.back());
    vacant_.pop_back();
    *idle_.back() = HeldBuffer{memory, buffer_bytes_};
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

HeldBuffer* BufferPool::take() noexcept {
  PENSTOCK_ASSERT(!idle_.empty());
  HeldBuffer* buffer = idle_.back();
  idle_.pop_back();
  counters_.buffers_leased.add();
  return buffer;
}

void BufferPool::abandon(HeldBuffer* buffer) noexcept {
  os::drop_pages({.begin = buffer->memory_, .bytes = buffer_bytes_});
  counters_.zerocopy_abandoned.add();
  buffer->unnoticed = 0;
  give_back(buffer);
}

void BufferPool::give_back(HeldBuffer* buffer) noexcept {
  PENSTOCK_ASSERT(buffer->unnoticed == 0);
  buffer->sends = 0;
  counters_.buffers_leased.subtract();
  buffer->begin_ = buffer->end_ = 0;
  if (idle_.size() < base::held_buffers_warm_max) {
    idle_.push_back(buffer);
    return;
  }
  memory_.deallocate(buffer->memory_, buffer_bytes_, page_bytes_);
  *buffer = HeldBuffer{nullptr, 0};
  vacant_.push_back(buffer);
}

}  // namespace penstock::relay
