#include "admin/page_making.hpp"

#include <new>
#include <utility>

#include "os/clock.hpp"

namespace penstock::admin {

PageMaking::PageMaking(base::PagePieces pieces) : PageMaking{std::move(pieces), os::now(), {}} {}

PageMaking::PageMaking(base::PagePieces pieces, base::Instant begun, base::Duration cost)
    : pieces_{std::move(pieces)}, begun_{begun}, cost_{cost} {}

void PageMaking::make_a_slice() {
  const base::Duration used = os::thread_cpu_time();
  try {
    write_pieces();
  } catch (const std::bad_alloc&) {
    is_broken_ = true;  // nobody knows how much of a piece was written
  }
  cost_ += os::thread_cpu_time() - used;
}

void PageMaking::write_pieces() {
  const base::Instant end = os::now() + slice_max;
  do {
    if (done_ < pieces_.size()) pieces_[done_++](open_);
    if (open_.size() >= part_bytes) return end_part();
  } while (done_ < pieces_.size() && os::now() < end);
  if (done_ == pieces_.size()) end_part();
}

void PageMaking::end_part() {
  bytes_ += open_.size();
  parts_.push_back(std::make_shared<const std::string>(std::exchange(open_, {})));
  is_whole_ = done_ == pieces_.size();
  if (is_whole_) pieces_.clear();
}

PageMaking::Part PageReader::next() {
  const auto taken = [this]() -> PageMaking::Part {
    if (next_ == making_->parts().size()) return nullptr;
    leave();
    return making_->parts()[next_++];
  };
  if (auto part = taken()) return part;
  if (making_->is_whole() || is_given_up()) return nullptr;
  if (making_->maker == nullptr) making_->maker = this;
  if (making_->maker == this) making_->make_a_slice();
  return taken();
}

bool PageReader::is_given_up() const {
  return making_->is_given_up(os::now());
}

void PageReader::leave() noexcept {
  if (making_->maker == this) making_->maker = nullptr;
}

}  // namespace penstock::admin
