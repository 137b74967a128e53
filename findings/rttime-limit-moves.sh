#!/usr/bin/env bash
# Linux: a process that uses up RLIMIT_RTTIME finds its own soft limit changed.
#
# With a soft limit of 50 ms and no hard one, SIGXCPU comes after 50 ms at real-time priority, as
# setrlimit(2) says, and again each second. What it does not say: the kernel makes that pause by
# writing 1.05 s, then 2.05 s … into the limit itself, where getrlimit(2) shows it, and never puts
# it back: not when the process blocks, not when it gives the real-time priority up and takes it
# again. The second time it may run for 1.05 s before it hears anything.
# Guessed beforehand: the limit stays what it was set to, and the pause is kept elsewhere.
# It matters to whoever steps down at SIGXCPU and comes back later: set the limit again.
source "$(dirname "$0")/lib/common.bash"
fetch util-linux=2.38.1-5+deb12u3

cat >"$work/spin.py" <<'PYTHON'
import os
import resource
import signal
import time

RLIMIT_RTTIME = 15
seen = []


def soft():
    return resource.prlimit(0, RLIMIT_RTTIME)[0] / 1e6


def spin(seconds):
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass


def real_time(on):
    policy = os.SCHED_RR if on else os.SCHED_OTHER
    os.sched_setscheduler(0, policy, os.sched_param(1 if on else 0))


signal.signal(signal.SIGXCPU, lambda *_: seen.append(soft()))
spin(1.3)
real_time(False)
time.sleep(0.2)
print(f"limits at the signals {seen}, after normal priority and sleep {soft()};", end=" ")
seen.clear()
real_time(True)
spin(0.5)
print(f"half a second at real-time priority again: {len(seen)} signals")
PYTHON

same "a soft limit of 0.05 s" "limits at the signals [1.05, 2.05], after normal priority and \
sleep 2.05; half a second at real-time priority again: 0 signals" "$(prlimit --rttime=50000:unlimited chrt --rr 1 python3 "$work/spin.py")"
finish
