#pragma once
// A large page on its way: written slice by slice, as far as somebody reads it, and taken part by
// part by all who read it. Who asks and goes, or never reads, costs no more than what the kernel's
// buffers take.
//
// Owner    shared by those who read it, and by the cache for those who may still come.
// Thread   control.
// Bound    what the pieces point at is there for `hold`: a page that is not whole by then is given
//          up, and so is one for which memory was missing.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/page_pieces.hpp"
#include "base/time.hpp"

namespace penstock::admin {

class PageMaking {
 public:
  using Part = std::shared_ptr<const std::string>;
  static constexpr base::Duration slice_max = std::chrono::milliseconds{2};
  static constexpr base::Duration hold = std::chrono::seconds{8};
  static constexpr std::size_t part_bytes = 64 * 1024;  // at least, but for the last one

  explicit PageMaking(base::PagePieces pieces);
  // It was begun then; getting the pieces has cost something already.
  PageMaking(base::PagePieces pieces, base::Instant begun, base::Duration cost);

  // Writes until the next part is full, the page is whole, or a slice has taken its time.
  void make_a_slice();

  const std::vector<Part>& parts() const noexcept { return parts_; }
  bool is_whole() const noexcept { return is_whole_; }
  bool is_given_up(base::Instant now) const noexcept {
    return is_broken_ || (!is_whole_ && now - begun_ >= hold);
  }
  base::Instant begun() const noexcept { return begun_; }
  base::Duration cost() const noexcept { return cost_; }  // of the processor's time
  std::size_t bytes() const noexcept { return bytes_; }   // of the parts

  // Who makes it at the moment, so that a turn of the loop makes one slice, however many wait.
  const void* maker = nullptr;

 private:
  void write_pieces();
  void end_part();

  base::PagePieces pieces_;
  const base::Instant begun_;
  base::Duration cost_;
  std::size_t done_ = 0;  // of the pieces
  std::string open_;      // the part that is being written
  std::vector<Part> parts_;
  std::size_t bytes_ = 0;
  bool is_whole_ = false;
  bool is_broken_ = false;
};

// One who reads it.
class PageReader {
 public:
  explicit PageReader(std::shared_ptr<PageMaking> making) : making_{std::move(making)} {}
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;
  ~PageReader() { leave(); }

  // The next part. Nothing: the page ended, was given up, or a slice was made, by this reader or by
  // another one; then he asks again at the next turn of the loop.
  PageMaking::Part next();
  bool has_ended() const noexcept {
    return making_->is_whole() && next_ == making_->parts().size();
  }
  bool is_given_up() const;
  // Of a page that is whole.
  bool knows_length() const noexcept { return making_->is_whole(); }
  std::size_t length() const noexcept { return making_->bytes(); }

 private:
  void leave() noexcept;

  const std::shared_ptr<PageMaking> making_;
  std::size_t next_ = 0;
};

}  // namespace penstock::admin
