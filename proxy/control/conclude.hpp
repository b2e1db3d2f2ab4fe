#pragma once
// How every verb ends: by an exit code and a sentence, whatever it met.
//
// Thread   main's, around the verb.

#include <exception>
#include <functional>
#include <string>

namespace penstock::control {

// The exit code of `verb`. What it throws is told on standard error and is a failure, and so is an
// answer that standard output did not take: a full disk, a reader that went away.
int conclude(const std::function<int()>& verb);

// What ended a verb by an exception, and what to do about it.
std::string sentence_for(const std::exception& error);

}  // namespace penstock::control
