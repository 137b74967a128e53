// What Asio calls instead of epoll_wait(2): boost_impl.cpp puts it there. The one place where a
// loop sleeps, so the one place where a turn of it ends.
#pragma once

#include <sys/epoll.h>

namespace holdfast::runtime {

int watched_epoll_wait(int epoll, epoll_event* events, int most, int timeout);

}  // namespace holdfast::runtime
