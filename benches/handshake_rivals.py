#!/usr/bin/env python3
"""One Bitcoin handshake with the same bcoin node on loopback: by p2pprobe, by nmap's script bitcoin-info, and by a
script with python-bitcoinlib (bitcoinlib_handshake.py).

    cargo build --release && benches/handshake_rivals.py

All take turns in one run, so that what else the machine does hits all. Each time is that of a whole process, from its
start to its end; CPU time is user and system together. Needs nmap (apt-get install nmap), python-bitcoinlib (pip
install python-bitcoinlib) and bcoin, which tests/run installs. The binary is taken from $CARGO_TARGET_DIR or target.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 30
ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"), "release", "p2pprobe")
# What all must have been told: else they were not fast, but wrong.
ANSWER = "/bcoin:v1.0.2/"


def run(command):
    """Its wall time and CPU time, in ms."""
    with tempfile.TemporaryFile("w+") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    if process.returncode != 0 or ANSWER not in said:
        sys.exit(f"{command}: exit code {process.returncode}\n{said}")
    return wall * 1000, (used.ru_utime + used.ru_stime) * 1000


def say_where():
    cpus = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in cpus if line.startswith("model name")), "?")
    nmap = subprocess.run(["nmap", "--version"], capture_output=True, text=True, check=True)
    ours = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    print(f"{model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}")
    print(f"{ours.stdout.strip()}, {nmap.stdout.split(' (')[0]}; {ROUNDS} rounds, all in each")


def compare(port):
    commands = {
        "p2pprobe": [PROGRAM, "btc-handshake", f"127.0.0.1:{port}"],
        # `+`: bitcoin-info looks at port 8333 only, unless it is made to.
        "nmap": ["nmap", "-n", "-Pn", "--script", "+bitcoin-info", "-p", str(port), "127.0.0.1"],
        "python": [sys.executable, ROOT / "benches/bitcoinlib_handshake.py", "127.0.0.1", str(port)],
    }
    for command in commands.values():
        run(command)  # the node's first handshake is slower
    taken = {name: [] for name in commands}
    for number in range(ROUNDS):
        # None is always the one that comes after another.
        for name in list(commands)[:: 1 if number % 2 else -1]:
            taken[name].append(run(commands[name]))
    print("".join(f"{name:>15}" for name in ["", *commands]))
    for column, what in enumerate(("wall", "CPU")):
        for how, of in (("min", min), ("median", statistics.median)):
            times = {name: of(time[column] for time in taken[name]) for name in commands}
            ours = times["p2pprobe"]
            cells = "".join(f"{ms:7.1f} ms {ms / ours:4.0f}x" for ms in times.values())
            print(f"{f'{what} {how}':>15}{cells}")


def main():
    say_where()
    node = ["node", ROOT / "tests/peers/bcoin/node.cjs", "--network", "main"]
    # It ends when its stdin closes.
    with subprocess.Popen(node, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as bcoin:
        try:
            compare(json.loads(bcoin.stdout.readline())["port"])
        finally:
            bcoin.stdin.close()


main()
