#pragma once
// Whom a request of the admin pages means to speak to. Pure.

#include <string_view>

namespace penstock::admin {

// A browser that was led to a name of ours sends that name (DNS rebinding): a write must name a
// literal address or localhost, with a port or without.
bool names_a_literal_host(std::string_view host);

// ASCII letters.
bool equal_but_for_case(std::string_view a, std::string_view b);

}  // namespace penstock::admin
