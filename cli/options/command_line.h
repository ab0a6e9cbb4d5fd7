#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

// What holds for every option of every command, so that no command has to think of it.
namespace ltz::cli {

// Throws CLI::ValidationError for an argument that is empty or blank, as a shell's variable without
// a value leaves it ("--max-bytes "$LIMIT"", "--max-bytes=$LIMIT"): no option and no file is meant.
void refuse_empty_values(std::span<const char* const> arguments);

// To be called when a command has all of its options. Numbers must be numbers, and nothing that
// looks like an option is the name of a file. Help calls whole numbers N, others X, and texts FILE
// unless the option has said what they are.
void complete_options(CLI::App& command);

// What is wrong with a command line that CLI11 refused.
std::string explain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ltz::cli
