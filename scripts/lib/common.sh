# shellcheck shell=bash
# Sourced by every script here: where things are, and how we speak.

set -euo pipefail

# Debian keeps debootstrap, dockerd and runc where a plain user's PATH has no entry.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# shellcheck disable=SC2034 # for the scripts
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# What is slow to make (a virtual environment, image archives) outlives the checkout.
cache="${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/the0-runtime"
me=$(basename "$0")

# Progress goes to standard error: standard output is for what a caller reads.
say() { printf '%s: %s\n' "$me" "$*" >&2; }

die() {
    printf '%s: error: %s\n' "$me" "$*" >&2
    exit 1
}

# Runs a command as root; the person is told what needs it by sudo's own prompt.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root, and there is no sudo: $*"
    fi
}

# lock NAME: one run at a time of what changes the cache; released when the script ends.
lock() {
    mkdir -p "$cache"
    exec 9>"$cache/$1.lock"
    if ! flock --nonblock 9; then
        say "waiting for another run of scripts/$1"
        flock --timeout 1800 9 || die "another run of scripts/$1 still holds $cache/$1.lock after 30 minutes"
    fi
}

# started_at PID: the kernel's start time of a process, which tells it from a later one with the same number.
started_at() {
    # The name in parentheses may hold spaces: fields are counted from the last parenthesis.
    sed -e 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# record PID FILE, is_recorded FILE, end_recorded FILE SECONDS: processes which these scripts started, and only those.
record() { printf '%s %s\n' "$1" "$(started_at "$1")" >"$2"; }

is_recorded() {
    local pid start
    read -r pid start 2>/dev/null <"$1" || return 1
    [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}

end_recorded() {
    local pid start deadline=$((SECONDS + $2))
    if is_recorded "$1"; then
        read -r pid start <"$1"
        kill -TERM "$pid" 2>/dev/null || true
        while is_recorded "$1" && [ "$(process_state "$pid")" != Z ]; do
            if [ "$SECONDS" -ge "$deadline" ]; then
                say "process $pid still runs $2 s after SIGTERM: killing it"
                kill -KILL "$pid" 2>/dev/null || true
                deadline=$((SECONDS + 10))
            fi
            sleep 0.1
        done
    fi
    rm -f "$1"
}

process_state() { sed -e 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 1; }

# Bit 24 of the bounding set is CAP_SYS_RESOURCE; without it runc needs the wrapper.
lacks_sys_resource() {
    local set
    set=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
    [ $(((0x$set >> 24) & 1)) -eq 0 ]
}
