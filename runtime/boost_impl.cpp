// The bodies of Boost.Asio and Boost.JSON, compiled once for the whole suite.
#include <boost/asio/impl/src.hpp>
#include <boost/json/src.hpp>
