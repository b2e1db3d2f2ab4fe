#include "files/site.hpp"

#include <algorithm>
#include <boost/smart_ptr/make_local_shared.hpp>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/time.hpp"
#include "files/http_text.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "wire/http_request.hpp"

namespace penstock::files {

namespace {

constexpr std::size_t media_types_bytes_max = 1 << 20;

int status_of_error(int error) noexcept {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return 404;
    // EXDEV is openat2's word for an escape, ELOOP its word for a link that it does not follow.
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
    case ENXIO: return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM: return 503;
    default: return 500;
  }
}

std::string cache_control_of(base::Duration max_age) {
  if (max_age.count() == 0) return "no-cache";
  return "max-age=" + std::to_string(std::chrono::ceil<std::chrono::seconds>(max_age).count());
}

// "/a//b/" becomes "a/b". False where a segment is "..".
bool to_relative(std::string_view path, std::string& relative) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (segment == "..") return false;
    if (segment.empty() || segment == ".") continue;
    if (!relative.empty()) relative += '/';
    relative += segment;
  }
  return true;
}

std::int64_t seconds_now() noexcept {
  return os::wall_clock_nanoseconds() / 1'000'000'000;
}

FileHandle handle_of(os::Fd file, const os::FileStatus& status, std::int64_t served_since,
                     std::string_view content_type, std::string_view encoding) {
  const std::int64_t modified = modified_since_1970(status, served_since, seconds_now());
  std::string suffix{encoding};
  if (!encoding.empty()) suffix.insert(suffix.begin(), '-');
  return boost::make_local_shared<OpenFile>(
      OpenFile{.file = std::move(file),
               .status = status,
               .content_type = content_type,
               .encoding = encoding,
               .validators = {.etag = entity_tag(status, suffix), .modified_seconds = modified},
               .last_modified = http_date(modified)});
}

bool is_older(const os::FileStatus& one, const os::FileStatus& other) noexcept {
  return std::tie(one.modified_seconds, one.modified_nanoseconds) <
         std::tie(other.modified_seconds, other.modified_nanoseconds);
}

bool names_a_directory(std::string_view path) noexcept {
  return path.ends_with('/') || path.ends_with("/.");
}

}  // namespace

Site::Site(os::Fd root, const Options& options)
    : root_path_{options.root},
      root_{std::move(root)},
      index_{options.index},
      open_files_{options.open_files},
      types_{os::read_file(system_media_types, media_types_bytes_max).text},
      cache_control_{cache_control_of(options.max_age)} {}

base::SentenceOr<std::shared_ptr<const Site>> Site::open(const Options& options) {
  auto root = os::open_directory(options.root);
  if (!root) return "cannot serve '" + options.root + "': " + root.error().message();
  return std::shared_ptr<const Site>{new Site{std::move(*root), options}};
}

int Site::directory_of(const Root& root) const noexcept {
  return root.directory ? root.directory.get() : root_.get();
}

bool Site::follow(Root& root) const noexcept {
  auto found = os::open_directory(root_path_);
  if (!found) return false;
  const auto now = os::status_of(found->get());
  const auto before = os::status_of(directory_of(root));
  if (!now || !before || (now->inode == before->inode && now->device == before->device))
    return false;
  // The sandbox, or the rights of this user, may not let it be read: the old one serves on.
  if (!os::open_beneath(found->get(), ".")) return false;
  root = {.directory = std::move(*found), .since_seconds = seconds_now()};
  return true;
}

Found Site::open_file(const Root& root, const std::string& relative) const {
  auto opened = os::open_beneath(directory_of(root), relative);
  if (!opened) return {.status = status_of_error(opened.error().value())};
  const auto status = os::status_of(opened->get());
  if (!status) return {.status = status_of_error(status.error().value())};
  // Built from the clean path: "//host/" as it was sent would lead the client to another host.
  if (status->is_directory)
    return {.status = 301, .location = '/' + wire::percent_encode_path(relative) + '/'};
  if (!status->is_regular) return {.status = 403};
  Found found{
      .status = 200,
      .file = handle_of(std::move(*opened), *status, root.since_seconds, types_.of(relative), {})};
  found.zstd = open_form(root, relative, *found.file, ".zst", "zstd");
  found.gzip = open_form(root, relative, *found.file, ".gz", "gzip");
  return found;
}

// One that is older than the file was made from another content.
FileHandle Site::open_form(const Root& root, const std::string& relative, const OpenFile& plain,
                           std::string_view ending, std::string_view encoding) const {
  auto opened = os::open_beneath(directory_of(root), std::string{relative}.append(ending));
  if (!opened) return {};
  const auto status = os::status_of(opened->get());
  if (!status || !status->is_regular || is_older(*status, plain.status)) return {};
  return handle_of(std::move(*opened), *status, root.since_seconds, plain.content_type, encoding);
}

Found Site::find(std::string_view path, const Root& root) const {
  std::string relative;
  if (!to_relative(path, relative)) return {.status = 403};
  if (!names_a_directory(path)) return open_file(root, relative);
  if (index_.empty()) return {.status = 404};
  // A slash behind a file's name: opening the index below it fails with ENOTDIR.
  Found index = open_file(root, relative.empty() ? index_ : relative + '/' + index_);
  if (index.status == 301) return {.status = 404};  // a directory of that name
  return index;
}

}  // namespace penstock::files
