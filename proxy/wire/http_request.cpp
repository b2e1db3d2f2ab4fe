#include "wire/http_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/ascii.hpp"

namespace penstock::wire {

namespace {

constexpr int bad_request = 400;
constexpr int target_too_long = 414;
constexpr int head_too_large = 431;
constexpr int not_implemented = 501;
constexpr int version_not_supported = 505;

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_one_of(char c, std::string_view set) noexcept {
  return set.find(c) != std::string_view::npos;
}

// RFC 9110, 5.6.2.
constexpr bool is_token_char(char c) noexcept {
  return is_letter(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-.^_`|~");
}

constexpr bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

// RFC 3986 knows fewer characters; clients send more. A fragment never belongs into a request.
constexpr bool is_target_char(char c) noexcept {
  return c > ' ' && c < 0x7f && c != '#';
}

constexpr bool is_value_char(char c) noexcept {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

constexpr bool is_host_char(char c) noexcept {
  return is_letter(c) || is_digit(c) || is_one_of(c, "-._~!$&'()*+,;=%:[]");
}

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

HttpRequestParser::Progress HttpRequestParser::fail(int status) noexcept {
  status_ = status;
  return progress_ = Progress::bad;
}

// Whoever speaks something else (TLS, say) hears it at once instead of waiting for a line's end.
bool HttpRequestParser::first_byte_is_wrong(std::string_view bytes) const noexcept {
  if (has_request_line_ || line_begin_ >= bytes.size()) return false;
  const char first = bytes[line_begin_];
  return first != '\r' && !is_token_char(first);
}

HttpRequestParser::Progress HttpRequestParser::wait_for_more(std::string_view bytes) noexcept {
  scanned_ = bytes.size();
  if (!has_request_line_ && bytes.size() - line_begin_ >= http_request_line_bytes_max)
    return fail(target_too_long);
  if (bytes.size() >= http_head_bytes_max) return fail(head_too_large);
  return Progress::incomplete;
}

HttpRequestParser::Progress HttpRequestParser::parse(std::string_view bytes) noexcept {
  while (progress_ == Progress::incomplete) {
    if (first_byte_is_wrong(bytes)) return fail(bad_request);
    const std::size_t line_end = bytes.find('\n', scanned_);
    if (line_end == std::string_view::npos) return wait_for_more(bytes);
    const std::size_t next = line_end + 1;
    if (!has_request_line_ && next - line_begin_ > http_request_line_bytes_max)
      return fail(target_too_long);
    if (next > http_head_bytes_max) return fail(head_too_large);
    std::string_view line = bytes.substr(line_begin_, line_end - line_begin_);
    if (line.empty() || line.back() != '\r') return fail(bad_request);
    line.remove_suffix(1);
    bool is_end = false;
    if (const int status = take_line(line, is_end); status != 0) return fail(status);
    line_begin_ = scanned_ = next;
    if (!is_end) continue;
    request_.head_bytes = next;
    progress_ = Progress::complete;
  }
  return progress_;
}

int HttpRequestParser::take_line(std::string_view line, bool& is_end) noexcept {
  if (has_request_line_) {
    is_end = line.empty();
    return is_end ? finish() : take_field(line);
  }
  if (line.empty()) {
    if (skipped_empty_line_) return bad_request;
    skipped_empty_line_ = true;
    return 0;
  }
  has_request_line_ = true;
  return take_request_line(line);
}

int HttpRequestParser::take_request_line(std::string_view line) noexcept {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad_request;
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) return bad_request;
  if (method.size() > http_method_bytes_max) return not_implemented;
  request_.method = method;
  if (const int status = take_version(line.substr(last + 1)); status != 0) return status;
  return take_target(line.substr(first + 1, last - first - 1));
}

int HttpRequestParser::take_version(std::string_view text) noexcept {
  const bool has_form = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                        text[6] == '.' && is_digit(text[7]);
  if (!has_form) return bad_request;
  if (text[5] != '1') return version_not_supported;
  request_.version =
      text[7] == '0' ? HttpRequest::Version::http_1_0 : HttpRequest::Version::http_1_1;
  return 0;
}

// RFC 9112, 3.2: "/path?query", "http://host/path?query" and, for OPTIONS, "*".
int HttpRequestParser::take_target(std::string_view target) noexcept {
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_target_char))
    return bad_request;
  if (request_.method == "CONNECT") return not_implemented;
  if (target == "*") {
    request_.path = target;
    return request_.method == "OPTIONS" ? 0 : bad_request;
  }
  if (target.front() != '/') {
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos) return bad_request;
    const std::string_view scheme = target.substr(0, colon);
    if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))
      return bad_request;
    target.remove_prefix(colon + 3);
    request_.host = target.substr(0, target.find_first_of("/?"));
    const bool is_host = !request_.host.empty() &&
                         std::all_of(request_.host.begin(), request_.host.end(), is_host_char);
    if (!is_host) return bad_request;
    target_has_host_ = true;
    target.remove_prefix(request_.host.size());
  }
  const std::size_t question = target.find('?');
  request_.has_query = question != std::string_view::npos;
  if (request_.has_query) request_.query = target.substr(question + 1);
  request_.path = target.substr(0, question);
  if (request_.path.empty()) request_.path = "/";
  return 0;
}

int HttpRequestParser::take_field(std::string_view line) noexcept {
  if (++fields_ > http_fields_max) return head_too_large;
  // A name with white space in it or before the colon, a line without a colon and a continuation
  // line all fail to be a token.
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return bad_request;
  const std::string_view value = line.substr(colon + 1);
  if (!std::all_of(value.begin(), value.end(), is_value_char)) return bad_request;
  return take_known_field(line.substr(0, colon), trim(value));
}

int HttpRequestParser::take_known_field(std::string_view name, std::string_view value) noexcept {
  if (equals_ignoring_case(name, "host")) return take_host(value);
  if (equals_ignoring_case(name, "content-length")) return take_content_length(value);
  if (equals_ignoring_case(name, "transfer-encoding")) return take_transfer_encoding(value);
  if (equals_ignoring_case(name, "connection"))
    take_connection(value);
  else
    take_wish(name, value);
  return 0;
}

void HttpRequestParser::take_wish(std::string_view name, std::string_view value) noexcept {
  struct Wish {
    std::string_view name;
    std::string_view HttpRequest::*place;
  };
  static constexpr std::array wishes{
      Wish{"if-match", &HttpRequest::if_match},
      Wish{"if-none-match", &HttpRequest::if_none_match},
      Wish{"if-modified-since", &HttpRequest::if_modified_since},
      Wish{"if-unmodified-since", &HttpRequest::if_unmodified_since},
      Wish{"range", &HttpRequest::range},
      Wish{"if-range", &HttpRequest::if_range},
      Wish{"accept-encoding", &HttpRequest::accept_encoding},
  };
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    if (!equals_ignoring_case(name, wishes[i].name)) continue;
    const unsigned bit = 1U << i;
    request_.*wishes[i].place = (wishes_ & bit) == 0 ? value : std::string_view{};
    wishes_ |= bit;
  }
}

int HttpRequestParser::take_host(std::string_view value) noexcept {
  if (has_host_ || !std::all_of(value.begin(), value.end(), is_host_char)) return bad_request;
  has_host_ = true;
  // RFC 9112, 3.2.2: the host of an absolute target goes before the field.
  if (!target_has_host_) request_.host = value;
  return 0;
}

int HttpRequestParser::take_content_length(std::string_view value) noexcept {
  std::uint64_t length = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (error != std::errc{} || stop != end) return bad_request;
  if (has_content_length_ && length != request_.content_length) return bad_request;
  has_content_length_ = true;
  request_.content_length = length;
  return 0;
}

int HttpRequestParser::take_transfer_encoding(std::string_view value) noexcept {
  if (request_.has_transfer_encoding) return bad_request;
  request_.has_transfer_encoding = true;
  if (request_.version == HttpRequest::Version::http_1_0) return bad_request;
  return equals_ignoring_case(value, "chunked") ? 0 : not_implemented;
}

void HttpRequestParser::take_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (equals_ignoring_case(option, "close")) wants_close_ = true;
    if (equals_ignoring_case(option, "keep-alive")) wants_keep_alive_ = true;
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
  }
}

int HttpRequestParser::finish() noexcept {
  const bool is_1_1 = request_.version == HttpRequest::Version::http_1_1;
  if (is_1_1 && !has_host_) return bad_request;
  if (request_.has_transfer_encoding && has_content_length_) return bad_request;
  request_.keep_alive = !wants_close_ && (is_1_1 || wants_keep_alive_);
  return 0;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    result.push_back(c);
  }
  return result;
}

std::string percent_encode_path(std::string_view path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  result.reserve(path.size());
  for (const char c : path) {
    if (is_letter(c) || is_digit(c) || is_one_of(c, "-._~/")) {
      result.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result.push_back('%');
    result.push_back(digits[byte >> 4]);
    result.push_back(digits[byte & 15]);
  }
  return result;
}

}  // namespace penstock::wire
