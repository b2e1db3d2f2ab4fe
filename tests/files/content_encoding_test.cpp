#include "files/content_encoding.hpp"

#include <boost/smart_ptr/make_local_shared.hpp>

#include "catch.hpp"

namespace penstock::files {

namespace {

FileHandle form(std::string_view encoding) {
  return boost::make_local_shared<OpenFile>(OpenFile{.file = {},
                                                     .status = {},
                                                     .content_type = {},
                                                     .encoding = encoding,
                                                     .validators = {},
                                                     .last_modified = {}});
}

std::string_view chosen(std::string_view accept_encoding, bool has_zstd = true,
                        bool has_gzip = true) {
  Found found{.status = 200, .file = form("")};
  if (has_zstd) found.zstd = form("zstd");
  if (has_gzip) found.gzip = form("gzip");
  return form_for(found, accept_encoding)->encoding;
}

}  // namespace

TEST_CASE("a quality is read, and what is none counts as not wanted", "[files]") {
  CHECK(quality_of("gzip", "gzip") == 1000);
  CHECK(quality_of("br, GZIP ; q=0.5", "gzip") == 500);
  CHECK(quality_of("gzip;q=0.123", "gzip") == 123);
  CHECK(quality_of("gzip;q=1.000", "gzip") == 1000);
  CHECK(quality_of("*;q=0.3, gzip;q=0.8", "gzip") == 800);
  CHECK(quality_of("*;q=0.3", "gzip") == 300);
  for (const char* none : {"", "br", "gzip;q=0", "gzip;q=0.000", "gzip;q=x", "gzip;q=", "gzip;q=2",
                           "gzip;q=0.1234", "gzip2", "gzip;q=.5"}) {
    CAPTURE(none);
    CHECK(quality_of(none, "gzip") == 0);
  }
}

TEST_CASE("the form goes out that is wanted most and is there", "[files]") {
  CHECK(chosen("gzip, deflate, br, zstd") == "zstd");
  CHECK(chosen("gzip, zstd;q=0.9") == "gzip");
  CHECK(chosen("gzip, zstd", false) == "gzip");
  CHECK(chosen("zstd", true, true) == "zstd");
  CHECK(chosen("*") == "zstd");
  CHECK(chosen("gzip;q=0.5") == "gzip");
}

TEST_CASE("the plain file goes out where nothing else will do", "[files]") {
  CHECK(chosen("").empty());
  CHECK(chosen("br").empty());
  CHECK(chosen("gzip", false, false).empty());
  CHECK(chosen("gzip;q=0, zstd;q=0").empty());
  CHECK(chosen("identity, gzip;q=0.5").empty());
  CHECK(chosen("identity;q=0").empty());
}

}  // namespace penstock::files
