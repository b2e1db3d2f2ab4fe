#include "logging/line_batch.hpp"

#include <utility>

namespace penstock::logging {

void LineBatch::add(std::string_view line) {
  bytes_ += line;
  ends_.push_back(bytes_.size());
}

void LineBatch::end_foreign_line() {
  bytes_.insert(0, 1, '\n');
  for (std::size_t& end : ends_) ++end;
  ends_.insert(ends_.begin(), 1);
  is_begun_ = true;
}

std::uint64_t LineBatch::took(std::size_t bytes) {
  std::size_t whole = 0;  // lines that went out whole
  std::size_t begin = 0;  // of the line after them
  while (whole < ends_.size() && ends_[whole] <= bytes) begin = ends_[whole++];
  const std::size_t left = ends_.size() - whole;
  is_begun_ = left > 0 && (bytes > begin || (whole == 0 && is_begun_));
  bytes_ = is_begun_ ? bytes_.substr(bytes, ends_[whole] - bytes) : std::string{};
  ends_.assign(is_begun_ ? 1 : 0, bytes_.size());
  return left - (is_begun_ ? 1 : 0);
}

std::uint64_t LineBatch::give_up_rest() {
  const bool loses_text = is_begun_ && bytes_ != "\n";
  bytes_.clear();
  ends_.clear();
  is_begun_ = false;
  return loses_text ? 1 : 0;
}

}  // namespace penstock::logging
