#include "files/http_text.hpp"

#include "catch.hpp"

namespace penstock::files {

TEST_CASE("dates are written as HTTP wants them", "[files]") {
  CHECK(http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(951'782'399) == "Mon, 28 Feb 2000 23:59:59 GMT");
  CHECK(http_date(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(http_date(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(http_date(4'102'444'800) == "Fri, 01 Jan 2100 00:00:00 GMT");
}

TEST_CASE("every status that is sent has its phrase", "[files]") {
  CHECK(reason_phrase(200) == "OK");
  CHECK(reason_phrase(404) == "Not Found");
  for (const int status :
       {206, 301, 304, 400, 403, 405, 408, 412, 413, 414, 416, 431, 501, 503, 505}) {
    CAPTURE(status);
    CHECK(reason_phrase(status) != reason_phrase(500));
  }
}

}  // namespace penstock::files
