#pragma once
// What a running proxy says of its endpoints, as the tests of balancing, health and discovery ask.
//
// Thread   any. Errors: Failure.

#include <string>
#include <vector>

#include "e2e/penstock.hpp"

namespace penstock::e2e {

// What a client that sends nothing hears: the answer of whoever serves it.
std::string answer_of(const Penstock& penstock);
// The answers of so many clients, one after another.
std::string answers_of(const Penstock& penstock, int clients);

// Of the upstream `app` in GET /upstreams: an endpoint by its identity, and all identities.
Record endpoint_of(const Penstock& penstock, const std::string& identity);
std::vector<std::string> identities_of(const Penstock& penstock);

void wait_for_state(const Penstock& penstock, const std::string& identity,
                    const std::string& state);
void wait_for_endpoints(const Penstock& penstock, std::vector<std::string> identities);

// penstock ctl endpoint app IDENTITY STATE, which must succeed.
void steer(const Penstock& penstock, const std::string& identity, const std::string& state);

// Waits for a line of stderr that has these words.
void wait_for_words(Penstock& penstock, const std::string& words);

}  // namespace penstock::e2e
