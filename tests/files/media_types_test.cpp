#include "files/media_types.hpp"

#include "catch.hpp"

namespace penstock::files {

TEST_CASE("without a table the media type follows the extension of the last segment", "[files]") {
  const MediaTypes types;
  CHECK(types.of("a/index.html") == "text/html; charset=utf-8");
  CHECK(types.of("INDEX.HTML") == "text/html; charset=utf-8");
  CHECK(types.of("x.tar.gz") == "application/gzip");
  CHECK(types.of("style.css") == "text/css; charset=utf-8");
  CHECK(types.of("app.js") == "text/javascript; charset=utf-8");
  CHECK(types.of("picture.png") == "image/png");
  for (const char* unknown : {"README", "a.html/file", ".html", "x.", "x.unknown", "", "a/.png"}) {
    CAPTURE(unknown);
    CHECK(types.of(unknown) == "application/octet-stream");
  }
  CHECK(types.of("x." + std::string(1000, 'y')) == "application/octet-stream");
}

TEST_CASE("the system's table goes before our own", "[files]") {
  const MediaTypes types{
      "# a comment\n"
      "application/x-new\t\tnew NEWER  # and another\n"
      "image/x-ours png\r\n"
      "text/x-words words\n"
      "application/without-extension\n"
      "nonsense foo\n"
      "video/late new"};
  CHECK(types.of("a.new") == "application/x-new");
  CHECK(types.of("a.Newer") == "application/x-new");
  CHECK(types.of("a.png") == "image/x-ours");
  CHECK(types.of("a.words") == "text/x-words; charset=utf-8");
  CHECK(types.of("a.foo") == "application/octet-stream");
  CHECK(types.of("a.css") == "text/css; charset=utf-8");
}

}  // namespace penstock::files
