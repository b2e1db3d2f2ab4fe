// Questions of explain: an answer or a sentence; what a question costs grows with its size.

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "fuzz/linear_cost.hpp"
#include "fuzz/rig.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace penstock;
  static const fuzz::Rig rig;
  const std::string text{fuzz::text_of(data, size)};
  for (const char* listener : {"web", "api"}) {
    const admin::Explained explained = rig.explain({.listener = listener, .source = text});
    if (explained)
      fuzz::require(boost::json::parse(base::text_of(*explained)).is_object(),
                    "an answer is an object");
    else
      fuzz::require(!explained.error().empty(), "a refusal is a sentence");
  }
  fuzz::require(!rig.explain({.listener = text + '?', .source = {}}).has_value(),
                "nobody has that name");
  fuzz::require_linear(text, [](const std::string& large) {
    static_cast<void>(rig.explain({.listener = "web", .source = large}));
    static_cast<void>(rig.explain({.listener = large + '?', .source = {}}));
  });
  return 0;
}
