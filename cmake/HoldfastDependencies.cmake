# Third-party libraries, all from Debian 12 (the list of packages is in `dev`).
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(NL REQUIRED IMPORTED_TARGET libnl-3.0)
pkg_check_modules(NLGENL REQUIRED IMPORTED_TARGET libnl-genl-3.0)
pkg_check_modules(NLROUTE REQUIRED IMPORTED_TARGET libnl-route-3.0)
pkg_check_modules(CAPNG REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(MD REQUIRED IMPORTED_TARGET libmd)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
find_library(TOMLPLUSPLUS_LIBRARY tomlplusplus REQUIRED)

# Boost and fmt are included as system headers: their warnings are not ours to mend.
add_library(holdfast_boost INTERFACE)
target_link_libraries(holdfast_boost INTERFACE Boost::headers)
target_compile_definitions(holdfast_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_JSON_NO_LIB BOOST_CONTAINER_NO_LIB
  BOOST_ALL_NO_LIB)
