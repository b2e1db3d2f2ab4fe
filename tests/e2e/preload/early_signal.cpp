// Loaded before a program (LD_PRELOAD): raises the signal EARLY_SIGNAL before the constructors of
// that program, as somebody would who signals a process that has only just begun.

#include <csignal>
#include <cstdlib>

[[gnu::constructor]] static void raise_early() {
  if (const char* number = std::getenv("EARLY_SIGNAL")) std::raise(std::atoi(number));
}
