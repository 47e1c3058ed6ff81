#!/bin/sh
# Runs a Bitcoin daemon in a new data directory until stdin closes, and leaves neither of them behind: the other
# end of stdin also closes when a test is killed.
#
#   daemon.sh PROGRAM [ARGUMENT...]    # -datadir=DIR is added
#
# If the daemon ends by itself, its last words go to stderr, and its exit code is that of this script.
set -u
# It is stdin that ends this, and what it leaves is to be removed even after a Ctrl-C.
trap '' HUP INT TERM

dir=$(mktemp -d --suffix=.p2pprobe) || exit 1
exec 3<&0 # what runs in the background has /dev/null as stdin
"$@" "-datadir=$dir" 3<&- >"$dir/said" 2>&1 &
daemon=$!
{
    while read -r _; do :; done
    kill -KILL "$daemon"
} <&3 &
watcher=$!

code=0
wait "$daemon" 2>/dev/null || code=$?
if kill -KILL "$watcher" 2>/dev/null && [ "$code" -ne 137 ]; then
    tail -n 20 "$dir/said" >&2
fi
rm -rf -- "$dir"
exit "$code"
