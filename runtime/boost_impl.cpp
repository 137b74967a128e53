// The bodies of Boost.Asio and Boost.JSON, compiled once for the whole suite. Where Asio sleeps it
// tells the turn meter.
#include "runtime/watched_epoll.hpp"

// Asio's header has been through here before its body is: only the call is renamed.
#define epoll_wait ::holdfast::runtime::watched_epoll_wait
#include <boost/asio/impl/src.hpp>
#undef epoll_wait
#include <boost/json/src.hpp>
