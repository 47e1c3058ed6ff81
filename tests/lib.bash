# What tests/run and tests/long share; both source it, from the repository's root.
# shellcheck shell=bash

readonly PEERS=tests/peers/ethereumjs
readonly STAMP=$PEERS/node_modules/.installed-lock
# The oldest that the peers were seen to work with: that of Debian 12.
readonly NODE_MAJOR=18

usage() {
    printf 'usage: %s [--no-real-peers] [-h]\n' "$0"
}

# Sets real_peers, or prints the usage and exits.
parse_arguments() {
    real_peers=yes
    local argument
    for argument; do
        case $argument in
            --no-real-peers) real_peers=no ;;
            -h | --help)
                usage
                echo '  --no-real-peers  leave out the tests against programs that npm installs'
                exit 0
                ;;
            *)
                usage >&2
                exit 2
                ;;
        esac
    done
}

missing() { # WHAT HOW-TO-GET-IT
    printf 'missing: %s\n    %s\n' "$1" "$2" >&2
    complete=no
}

have() {
    command -v "$1" >/dev/null 2>&1
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=60 "$@" >&2
}

# need PROGRAM PACKAGE...: installs the Debian packages if the program is not there, or says how to.
need() {
    local program=$1
    shift
    have "$program" && return
    if [[ $EUID -eq 0 ]] && have apt-get; then
        echo "$program is missing: installing $*" >&2
        # A fresh machine has no package lists yet.
        apt_get install -y --no-install-recommends "$@" ||
            { apt_get update && apt_get install -y --no-install-recommends "$@"; } ||
            true
        hash -r
        have "$program" && return
    fi
    missing "$program" "apt-get install -y $*"
}

need_rust() {
    local wanted found
    # Not installed here: Debian 12 and 13 have one that is too old, and where to put another is for you to say.
    if ! have cargo; then
        missing 'cargo (Rust)' \
            'apt-get install -y rustup && rustup default stable   # Debian 12 has no rustup: https://rustup.rs'
        return
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(cargo --version | cut -d ' ' -f 2)
    if [[ $(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1) != "$wanted" ]]; then
        missing "Rust $wanted (this is $found)" 'rustup update stable'
    fi
    cargo fmt --version >/dev/null 2>&1 || missing rustfmt 'rustup component add rustfmt'
    cargo clippy --version >/dev/null 2>&1 || missing clippy 'rustup component add clippy'
}

need_real_peers() {
    local lock major log
    need node nodejs
    need npm npm
    have node && have npm || return 0
    major=$(node --version)
    major=${major#v}
    if ((${major%%.*} < NODE_MAJOR)); then
        missing "Node $NODE_MAJOR (this is $major)" 'apt-get install -y nodejs npm, on Debian 12 or later'
        return
    fi
    lock=$(sha256sum "$PEERS/package-lock.json")
    lock=${lock%% *}
    [[ -e $STAMP && $(<"$STAMP") == "$lock" ]] && return
    # The stamp goes with node_modules, which npm ci removes first; so a stamp means that all is there.
    if ! log=$(cd "$PEERS" && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund 2>&1); then
        printf '%s\n' "$log" >&2
        missing "the npm packages of $PEERS" "(cd $PEERS && npm ci --ignore-scripts)"
        return
    fi
    printf '%s\n' "$lock" >"$STAMP"
}

# Checks for what the tests need, installs what it can, and exits 3 if anything is left missing.
prepare() {
    complete=yes
    # Only what is found here decides what is left out.
    unset P2PPROBE_NO_REAL_PEERS P2PPROBE_NO_NAMESPACES P2PPROBE_LONG
    need_rust
    need cc gcc libc6-dev # libsecp256k1 is C
    need ip iproute2
    need jq jq
    need python3 python3-minimal # a resolver that says nothing, in the tests of names
    need sysctl procps
    need unshare util-linux
    if [[ $real_peers == yes ]]; then
        need_real_peers
    else
        export P2PPROBE_NO_REAL_PEERS=1
    fi
    if [[ $complete == no ]]; then
        echo "No test was run. After these lines, call $0 again." >&2
        if [[ $real_peers == yes ]]; then
            echo 'Without node, npm and their packages, --no-real-peers runs all the other tests.' >&2
        fi
        exit 3
    fi
    if ! unshare -rn true 2>/dev/null; then
        export P2PPROBE_NO_NAMESPACES=1
    fi
    say_what_is_left_out
}

say_what_is_left_out() {
    if [[ -n ${P2PPROBE_NO_REAL_PEERS-} ]]; then
        echo '!!! LEFT OUT: the tests against real peers (--no-real-peers)'
    fi
    if [[ -n ${P2PPROBE_NO_NAMESPACES-} ]]; then
        echo '!!! LEFT OUT: the tests in network namespaces (unshare -rn does not work here)'
    fi
}

# step NAME COMMAND...: runs the command; names the step, and the seconds it took. Exits 1 if it fails.
step() {
    local name=$1 start=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    if ! "$@"; then
        printf '=== %s: FAILED after %d s\n' "$name" $((SECONDS - start)) >&2
        exit 1
    fi
    printf '=== %s: %d s\n' "$name" $((SECONDS - start))
}

finish() {
    printf '\n=== all passed: %d s\n' "$SECONDS"
    say_what_is_left_out
}
