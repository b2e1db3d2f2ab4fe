#include "logging/line_batch.hpp"

#include "catch.hpp"

using penstock::logging::LineBatch;

TEST_CASE("what a target takes whole leaves nothing behind", "[base]") {
  LineBatch batch;
  batch.add("one\n");
  batch.add("two\n");
  CHECK(batch.bytes() == "one\ntwo\n");
  CHECK(batch.took(8) == 0);
  CHECK(batch.bytes().empty());
  CHECK_FALSE(batch.owes_rest());
}

TEST_CASE("a target that took half a line gets its rest first, and loses what was not begun",
          "[base]") {
  LineBatch batch;
  for (const char* line : {"one\n", "two\n", "three\n", "four\n"}) batch.add(line);
  CHECK(batch.took(6) == 2);  // "one", and "tw"
  CHECK(batch.bytes() == "o\n");
  batch.add("five\n");
  CHECK(batch.took(0) == 1);  // still full: the rest waits on, the new line is given up
  CHECK(batch.bytes() == "o\n");
  CHECK(batch.took(1) == 0);
  CHECK(batch.bytes() == "\n");
  batch.add("six\n");
  CHECK(batch.bytes() == "\nsix\n");
  CHECK(batch.took(5) == 0);
  CHECK_FALSE(batch.owes_rest());
}

TEST_CASE("a target that refuses everything at the end of a line is owed nothing", "[base]") {
  LineBatch batch;
  batch.add("one\n");
  batch.add("two\n");
  CHECK(batch.took(4) == 1);
  CHECK(batch.bytes().empty());
  CHECK_FALSE(batch.owes_rest());
}

TEST_CASE("a rest that is given up is one lost line, unless all of its text went out", "[base]") {
  LineBatch batch;
  batch.add("one\n");
  CHECK(batch.took(2) == 0);
  CHECK(batch.give_up_rest() == 1);
  CHECK(batch.bytes().empty());
  batch.add("two\n");
  CHECK(batch.took(3) == 0);
  CHECK(batch.give_up_rest() == 0);
  CHECK(batch.give_up_rest() == 0);
}

TEST_CASE("a half line of somebody else is ended before the next one, whenever there is room",
          "[base]") {
  LineBatch batch;
  batch.add("one\n");
  batch.end_foreign_line();
  CHECK(batch.bytes() == "\none\n");
  CHECK(batch.took(0) == 1);
  batch.add("two\n");
  CHECK(batch.bytes() == "\ntwo\n");
  CHECK(batch.took(5) == 0);
}
