#pragma once
// The rules of the house, one function each. A rule looks at one file, or at all of them where it
// says so, and answers every breach.

#include <string>
#include <vector>

#include "tidy/source_file.hpp"

namespace penstock::tidy {

// Rooms and foreign libraries (include_rules.cpp).
Findings includes_only_lower_floors(const SourceFile& file);
Findings libraries_behind_their_doors(const SourceFile& file);
Findings heavy_libraries_only_in_sources(const SourceFile& file);
Findings system_headers_only_in_os(const SourceFile& file);

// Of the whole house (room_rules.cpp).
inline constexpr std::size_t room_lines_max = 3500;
Findings includes_without_circles(const std::vector<SourceFile>& files);
Findings small_rooms(const std::vector<SourceFile>& files);

// What code may call (call_rules.cpp).
Findings system_calls_only_in_os(const SourceFile& file);
Findings time_and_chance_only_in_os(const SourceFile& file);
Findings no_sleep_in_tests(const SourceFile& file);

// Lengths and state (shape_rules.cpp).
inline constexpr std::size_t file_lines_max = 400;
inline constexpr std::size_t columns_max = 100;
inline constexpr int function_lines_max = 70;
Findings short_files(const SourceFile& file);
Findings narrow_lines(const SourceFile& file);
Findings short_functions(const SourceFile& file);
Findings no_mutable_globals(const SourceFile& file);

// Words (text_rules.cpp).
Findings headers_begin_with_their_contract(const SourceFile& file);
Findings contracts_keep_their_columns(const SourceFile& file);
Findings no_marks_of_unfinished_work(const SourceFile& file);
Findings no_word_of_the_workplace(const SourceFile& file);
// Of the whole tree (document_rules.cpp).
Findings documents_name_what_is_there(const std::vector<SourceFile>& files);
Findings fixed_top_level(const std::vector<std::string>& names);

}  // namespace penstock::tidy
