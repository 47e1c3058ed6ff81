#!/usr/bin/env python3
"""One handshake as a script of a page would do it, with python-bitcoinlib: bitcoinlib_handshake.py HOST PORT."""

import os
import socket
import sys

import bitcoin
from bitcoin.messages import MsgSerializable, msg_ping, msg_verack, msg_version

bitcoin.SelectParams("mainnet")
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15) as peer:
    stream = peer.makefile("rb")
    version = msg_version()
    # Its own, 60002, is too old for bcoin.
    version.nVersion = 70_015
    version.nNonce = int.from_bytes(os.urandom(8), "little")
    version.strSubVer = b"/example:1.0/"
    peer.sendall(version.to_bytes())
    ping = msg_ping(nonce=int.from_bytes(os.urandom(8), "little"))
    came = set()
    while "pong" not in came:
        message = MsgSerializable.stream_deserialize(stream)
        if message is None:
            continue
        name = message.command.decode()
        came.add(name)
        if name == "version":
            print(message.nVersion, message.nServices, message.strSubVer.decode(), message.nStartingHeight)
            peer.sendall(msg_verack().to_bytes())
        if name == "verack":
            peer.sendall(ping.to_bytes())
