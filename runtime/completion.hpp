// What a shell may propose behind the name of a program, from the same description that reads its
// command line.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace holdfast::runtime {

/// A script for bash that completes the options and verbs of `app`, and what stands behind them:
/// files where the type is FILE, directories where it is DIR, the words of a choice.
[[nodiscard]] std::string bash_completion(const CLI::App& app);

}  // namespace holdfast::runtime
