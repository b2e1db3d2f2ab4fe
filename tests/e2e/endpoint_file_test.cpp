// Endpoints that come from files.

#include <filesystem>

#include "catch.hpp"
#include "e2e/network.hpp"
#include "e2e/origin.hpp"
#include "e2e/penstock.hpp"
#include "e2e/talk.hpp"
#include "e2e/upstreams.hpp"

using namespace penstock::e2e;
namespace fs = std::filesystem;

TEST_CASE("a file of endpoints is read again when another one is renamed onto it", "[discovery]") {
  Origin a;
  Origin b;
  a.serve(say("A"));
  b.serve(say("B"));
  const TemporaryFolder folder;
  const std::string file = folder.write("endpoints.yaml", "- " + a.address() + "\n");
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}}};
  CHECK(answers_of(penstock, 2) == "AA");
  fs::rename(folder.write("new.yaml", "- {address: \"" + b.address() + "\", weight: 3}\n"), file);
  wait_for_endpoints(penstock, {b.address()});
  CHECK(number_of(endpoint_of(penstock, b.address()), "weight") == 3);
  CHECK(answers_of(penstock, 2) == "BB");
  fs::rename(folder.write("new.yaml", "[]\n"), file);
  wait_for_endpoints(penstock, {});
  Peer nobody = penstock.client();
  CHECK(nobody.receive_all().ending == Ending::reset);
  CHECK(text_of(penstock.record_of(nobody), "reason") == "no_endpoint");
}

// Their tables are made on a thread of their own, which the sandbox locks as well, and lets nobody
// start once the list has grown.
TEST_CASE("a file that grows to a thousand endpoints is taken under maglev, and what changes in it",
          "[discovery]") {
  const std::string port = port_of(free_address());
  Origin everyone{"0.0.0.0:" + port};
  everyone.serve(say("x"));
  const auto numbered = [&](int first, int count = 1000) {
    std::vector<std::string> identities;
    for (int i = first; i < first + count; ++i)
      identities.push_back("127.1." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) +
                           ":" + port);
    return identities;
  };
  const auto list_of = [](const std::vector<std::string>& identities) {
    std::string text;
    for (const std::string& identity : identities) text += "- " + identity + "\n";
    return text;
  };
  const TemporaryFolder folder;
  const std::string file = folder.write("endpoints.yaml", list_of(numbered(0, 10)));
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}, .upstream = "balance: maglev"}};
  wait_for_endpoints(penstock, numbered(0, 10));
  fs::rename(folder.write("new.yaml", list_of(numbered(0))), file);
  wait_for_endpoints(penstock, numbered(0));
  CHECK(answers_of(penstock, 5) == "xxxxx");
  fs::rename(folder.write("new.yaml", list_of(numbered(1))), file);
  wait_for_endpoints(penstock, numbered(1));
  CHECK(answers_of(penstock, 5) == "xxxxx");
}

TEST_CASE("a file of endpoints in a ConfigMap changes when its link does", "[discovery]") {
  Origin a;
  Origin b;
  const TemporaryFolder folder;
  folder.write("..v1/endpoints.yaml", "- " + a.address() + "\n");
  folder.write("..v2/endpoints.yaml", "- " + b.address() + "\n");
  fs::create_symlink("..v1", folder.path("..data"));
  fs::create_symlink("..data/endpoints.yaml", folder.path("endpoints.yaml"));
  Penstock penstock{{.endpoints = {"{file: \"" + folder.path("endpoints.yaml") + "\"}"}}};
  wait_for_endpoints(penstock, {a.address()});
  // As the kubelet does it: a new link is renamed onto the old one, then the old folder goes.
  fs::create_symlink("..v2", folder.path("..data_tmp"));
  fs::rename(folder.path("..data_tmp"), folder.path("..data"));
  fs::remove_all(folder.path("..v1"));
  wait_for_endpoints(penstock, {b.address()});
  folder.write("..v3/endpoints.yaml", "- " + a.address() + "\n");
  fs::create_symlink("..v3", folder.path("..data_tmp"));
  fs::rename(folder.path("..data_tmp"), folder.path("..data"));
  wait_for_endpoints(penstock, {a.address()});
}

TEST_CASE("a half-written file of endpoints changes nothing, and the log says where it is wrong",
          "[discovery]") {
  Origin a;
  a.serve(say("A"));
  const TemporaryFolder folder;
  const std::string good = "- " + a.address() + "\n";
  const std::string file = folder.write("endpoints.yaml", good);
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}}};
  wait_for_endpoints(penstock, {a.address()});
  folder.write("endpoints.yaml", good + "- {address: 127.0.0.1:1, wei");
  wait_for_words(penstock, file + ":");
  wait_for_words(penstock, "its last good list of 1 endpoints stays in use");
  folder.write("endpoints.yaml", good + "- {address: 127.0.0.1:1, weigth: 2}\n");
  wait_for_words(penstock, file + ":2:26: ");
  CHECK(identities_of(penstock) == std::vector<std::string>{a.address()});
  CHECK(answer_of(penstock) == "A");
  folder.write("endpoints.yaml", good + "- 127.0.0.1:1\n");
  wait_for_endpoints(penstock, {a.address(), "127.0.0.1:1"});
}

TEST_CASE("endpoints of a file that stay keep their connections", "[discovery]") {
  Origin a;
  Origin b;
  const TemporaryFolder folder;
  const std::string file =
      folder.write("endpoints.yaml", "- " + a.address() + "\n- " + b.address() + "\n");
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}, .upstream = "on_remove: close"}};
  wait_for_endpoints(penstock, {a.address(), b.address()});
  std::vector<Talk> both = talk_to_both(penstock, a, b);
  fs::rename(folder.write("new.yaml", "- " + b.address() + "\n- 127.0.0.1:1\n"), file);
  wait_for_endpoints(penstock, {b.address(), "127.0.0.1:1"});
  CHECK(both[0].client.receive_all().ending == Ending::reset);
  both[1].goes_on();
  CHECK(text_of(penstock.record_of(both[0].client), "reason") == "endpoint_removed");
}

TEST_CASE("a file of endpoints may come later, and may go", "[discovery]") {
  Origin a;
  a.serve(say("A"));
  Penstock penstock{{.endpoints = {"{file: later.yaml}"}}};  // beside the configuration
  wait_for_words(penstock, "later.yaml:1:1: -: cannot open");
  CHECK(identities_of(penstock).empty());
  const fs::path file = fs::path{penstock.config_file()}.parent_path() / "later.yaml";
  { std::ofstream{file} << "- " << a.address() << "\n"; }
  wait_for_endpoints(penstock, {a.address()});
  CHECK(answer_of(penstock) == "A");
  fs::remove(file);
  wait_for_words(penstock, "its last good list of 1 endpoints stays in use");
  CHECK(answer_of(penstock) == "A");
}

TEST_CASE("a discovered endpoint that is a listener of this proxy is left out", "[discovery]") {
  Origin a;
  a.serve(say("A"));
  const TemporaryFolder folder;
  const std::string file = folder.write("endpoints.yaml", "- " + a.address() + "\n");
  Penstock penstock{{.endpoints = {"{file: \"" + file + "\"}"}}};
  fs::rename(folder.write("new.yaml", "- " + penstock.address() + "\n- " + a.address() + "\n"),
             file);
  wait_for_words(penstock, "a loop");
  CHECK(answers_of(penstock, 4) == "AAAA");
  CHECK(identities_of(penstock) == std::vector<std::string>{a.address()});
}
