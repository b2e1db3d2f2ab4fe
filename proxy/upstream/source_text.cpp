#include "upstream/source_text.hpp"

namespace penstock::upstream {

std::string source_text(const EndpointSource& source) {
  if (const auto* endpoint = std::get_if<EndpointSpec>(&source)) return endpoint->identity;
  if (const auto* file = std::get_if<FileSource>(&source)) return "file " + file->path;
  const auto& dns = std::get<DnsSource>(source);
  const std::string port = dns.port == 0 ? std::string{} : ':' + std::to_string(dns.port);
  return "dns " + dns.name + port + ", type " + std::string{dns_type_names[dns.type]};
}

}  // namespace penstock::upstream
