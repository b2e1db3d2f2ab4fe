// The files of the simulated kernel: eight of them, in one directory, whose names are their
// numbers.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/file.hpp"
#include "os/process.hpp"
#include "simulation/kernel.hpp"
#include "simulation/outside.hpp"

namespace penstock::simulation {

std::byte Kernel::content_of_file(unsigned file, std::uint64_t offset) noexcept {
  return static_cast<std::byte>((file * 31 + offset * 7 + (offset >> 8)) & 0xff);
}

base::Result<os::Fd> Kernel::open_file(const std::string& name) noexcept {
  enter();
  const unsigned number = name.size() == 1 ? static_cast<unsigned>(name.front() - '0') : 8;
  if (number >= file_bytes_.size()) return base::error_from(ENOENT);
  if (fails()) return base::error_from(EMFILE);
  return os::Fd{place({.kind = Kind::other, .socket = nullptr, .pipe = nullptr, .file = number})};
}

std::optional<unsigned> Kernel::file_at(int descriptor) const noexcept {
  return table_[static_cast<std::size_t>(descriptor)].file;
}

os::IoResult Kernel::read_at(int descriptor, std::span<std::byte> into,
                             std::uint64_t offset) noexcept {
  enter();
  const unsigned file = *file_at(descriptor);
  const std::uint64_t bytes = file_bytes_[file];
  if (offset >= bytes) return {.status = os::IoStatus::end};
  const std::size_t count = std::min<std::uint64_t>(into.size(), bytes - offset);
  for (std::size_t i = 0; i < count; ++i) into[i] = content_of_file(file, offset + i);
  return {.status = os::IoStatus::moved, .bytes = count};
}

}  // namespace penstock::simulation

namespace penstock::os {

using simulation::Kernel;

FileText read_file(const std::string&, std::size_t) {
  return {};
}

std::uint64_t random_seed() noexcept {
  return 0;
}

base::Result<Fd> open_directory(const std::string&) noexcept {
  return Fd{Kernel::current().new_other()};
}

base::Result<Fd> open_beneath(int, const std::string& relative) noexcept {
  return Kernel::current().open_file(relative);
}

base::Result<FileStatus> status_of(int descriptor) noexcept {
  const auto file = Kernel::current().file_at(descriptor);
  if (!file) return FileStatus{.inode = 1, .is_directory = true};
  return FileStatus{
      .size = Kernel::current().file_bytes()[*file], .inode = 2 + *file, .is_regular = true};
}

IoResult read_at(int file, std::span<std::byte> into, std::uint64_t offset) noexcept {
  return Kernel::current().read_at(file, into, offset);
}

// By pieces, as the kernel does where the socket's buffer is smaller.
IoResult send_file(int socket, int file, std::uint64_t& offset, std::uint64_t bytes_max) noexcept {
  std::array<std::byte, 32 * 1024> piece;
  const IoResult read = Kernel::current().read_at(
      file, std::span{piece}.first(std::min<std::uint64_t>(piece.size(), bytes_max)), offset);
  if (read.status != IoStatus::moved) return read;
  const IoResult sent = send(socket, std::span{piece}.first(read.bytes));
  offset += sent.bytes;
  return sent;
}

}  // namespace penstock::os
