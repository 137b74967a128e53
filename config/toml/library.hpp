// toml++, as Debian builds it: the parser is in its shared library. Only config/toml/ includes
// this.
#pragma once

#define TOML_HEADER_ONLY 0
#define TOML_SHARED_LIB 1
#include <toml++/toml.h>
