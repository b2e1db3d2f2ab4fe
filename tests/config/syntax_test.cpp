#include "config/broken_config.hpp"

namespace penstock::config {

namespace {

const std::vector<BrokenConfig> broken_documents = {
    {"", {"f.yaml:1:1: listeners: missing"}},
    {"# nothing\n", {"f.yaml:1:1: listeners: missing"}},
    {"hello\n", {"f.yaml:1:1: -: expected a map, found a single value"}},
    {"- a\n", {"f.yaml:1:1: -: expected a map, found a list"}},
    {listener_with("name: a: b"), {"f.yaml:4:12: -: illegal map value"}},
    {"listeners:\n\t- a\n",
     {"f.yaml:2:2: -: illegal block entry; indent with spaces, not with tabs"}},
    {"listeners: [{bind: ${BIND}, upstream: web}]\n",
     {"f.yaml:1:21: -: end of map flow not found; in flow style ${...}, IPv6 addresses and * must "
      "be quoted"}},
    {"listeners: [{bind: [::1]:80}]\n",
     {"f.yaml:1:25: -: end of map flow not found; in flow style ${...}, IPv6 addresses and * must "
      "be quoted"}},
    {bound_to("[[::1]:80]"),
     {"f.yaml:2:12: -: a list or a map cannot be a key; in flow style ${...}, IPv6 addresses and * "
      "must be quoted"}},
    {"a: [*.example.com]\n",
     {"f.yaml:1:5: -: the referenced anchor is not defined; in flow style ${...}, IPv6 addresses "
      "and * must be quoted"}},
    {bound_to("[::1]:80"),
     {"f.yaml:2:16: -: end of map not found; in flow style ${...}, IPv6 addresses and * must be "
      "quoted"}},
    {listener_with("name: \"web"), {"f.yaml:4:11: -: this quote is never closed"}},
    {with_part("---\na: 1"), {"f.yaml:7:1: -: a second document begins here; only one is allowed"}},
    {"a: &x [*x]\n", {"f.yaml:1:8: -: an alias cannot stand inside its own anchor"}},
    {"a: *x\n",
     {"f.yaml:1:4: -: the referenced anchor is not defined; in flow style ${...}, IPv6 addresses "
      "and * must be quoted"}},
    {"a: !foo 1\n", {"f.yaml:1:4: -: tags are not supported"}},
    {"? [a]\n: 1\n",
     {"f.yaml:1:3: -: a list or a map cannot be a key; perhaps a closing ] or } is missing"}},
    {": 1\n", {"f.yaml:1:1: -: a key is empty"}},
    {"a: \"\377\"\n", {"f.yaml:1:5: -: not UTF-8"}},
    {listener_with("name: \"a\\0b\""),
     {"f.yaml:4:11: listeners[0].name: 'a\\x00b' contains a control character"}},
};

}  // namespace

TEST_CASE("a text that is no single plain YAML document is one fault, alone", "[config]") {
  check_faults(broken_documents);
}

}  // namespace penstock::config
