// One discv4 node of @ethereumjs/devp2p on loopback, for tests to probe.
//
//   node node.mjs [--port N] [--key HEX] [--bind ADDR] [--tcp]
//
//   --port N     UDP port; 0, the default, takes a free one
//   --key HEX    private key, 64 hex digits; the default is a fixed one
//   --bind ADDR  address to listen on; 127.0.0.1 unless told, ::1 works as well
//   --tcp        also accept TCP connections on the same port number
//
// Once it is ready, one line of JSON:
//   {"udp":PORT,"tcp":PORT_OR_0,"public_key":"128 hex digits","enode":"enode://…"}
// and from then on one for each thing that happened:
//   {"event":"received"|"sent","packet":"ping"|…,"address":…,"port":…,"hash":…,"size":…}
//       a datagram, seen at the socket, whatever the library then makes of it
//   {"event":"refused","packet":…,"address":…,"port":…,"hash":…,"size":…}
//       a datagram that the library wanted to send beyond loopback, which this script does not let it
//   {"event":"ping-answered","public_key":…,"address":…,"udp":…,"tcp":…}
//       a Ping of its own was answered: the Pong's hash and signature are right, and it named that Ping
//   {"event":"peer-added", …the same…}      the library has put that peer into its table
//   {"event":"tcp-accepted","address":…,"port":…}
//   {"event":"error","message":…}           what the library or the socket complained about
//
// It exits when stdin closes, so that a test that crashed does not leave it behind.

import dgram from 'node:dgram'
import net from 'node:net'
import { parseArgs } from 'node:util'
import { DPT } from '@ethereumjs/devp2p'

// The private key of the packets in EIP-8: known to all, and good for nothing but tests.
const DEFAULT_KEY = 'b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291'
// At each tenth of this the library asks some of its peers for neighbours. A day is never, here; more than 24
// days would overflow setInterval, which then fires all the time.
const REFRESH_MS = 10 * 24 * 60 * 60 * 1000
const FREE_PORT_TRIES = 20
const PACKETS = { 1: 'ping', 2: 'pong', 3: 'findnode', 4: 'neighbors', 5: 'enrrequest', 6: 'enrresponse' }
const HASH_SIZE = 32
const TYPE_AT = 97

/** True for the addresses that this program may listen on and send to. */
const isLoopback = (() => {
  const list = new net.BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addAddress('::1', 'ipv6')
  return (address) => net.isIP(address) !== 0 && list.check(address, `ipv${net.isIP(address)}`)
})()

function options() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      key: { type: 'string', default: DEFAULT_KEY },
      bind: { type: 'string', default: '127.0.0.1' },
      tcp: { type: 'boolean', default: false },
    },
  })
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65535) throw new Error(`not a port: ${values.port}`)
  if (!/^[0-9a-fA-F]{64}$/.test(values.key)) throw new Error('--key takes 64 hex digits')
  if (!isLoopback(values.bind)) throw new Error(`not a loopback address: ${values.bind}`)
  return { ...values, port, family: net.isIP(values.bind), key: Buffer.from(values.key, 'hex') }
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

const hex = (bytes) => Buffer.from(bytes).toString('hex')

/** Waits until a socket or server that was told to bind has done so, or throws its error. */
function bound(socket) {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('listening', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** A bound UDP socket and, if wanted, a TCP listener with the same port number. */
async function listen({ port, bind, family, tcp: withTcp }) {
  for (let left = FREE_PORT_TRIES; ; left--) {
    const udp = await bound(dgram.createSocket({ type: `udp${family}` }).bind(port, bind))
    if (!withTcp) return { udp }
    try {
      const tcp = await bound(net.createServer().listen(udp.address().port, bind))
      return { udp, tcp }
    } catch (error) {
      // The number was free for UDP alone. Another one will do, unless this one was asked for.
      udp.close()
      if (port !== 0 || left === 0 || error.code !== 'EADDRINUSE') throw error
    }
  }
}

/** Reports each datagram that passes the socket, and lets none leave loopback: the library pings any address
 *  that a Ping's `from` or a Neighbors names. */
function watch(udp) {
  const report = (event, packet, address, port) => {
    const name = PACKETS[packet[TYPE_AT]] ?? null
    const hash = hex(packet.subarray(0, HASH_SIZE))
    say({ event, packet: name, address, port, hash, size: packet.length })
  }
  udp.on('message', (packet, { address, port }) => report('received', packet, address, port))
  const send = udp.send.bind(udp)
  udp.send = (packet, offset, length, port, address) => {
    const allowed = isLoopback(address)
    report(allowed ? 'sent' : 'refused', packet.subarray(offset, offset + length), address, port)
    if (allowed) send(packet, offset, length, port, address)
  }
}

const opts = options()
const { udp, tcp } = await listen(opts)
const { address, port } = udp.address()
watch(udp)

const dpt = new DPT(opts.key, {
  createSocket: () => udp, // bound already, so its port is known
  endpoint: { address, udpPort: port, tcpPort: tcp ? port : null },
  refreshInterval: REFRESH_MS,
  // Without this it would not even ping back. Nothing is looked for by itself: see REFRESH_MS.
  shouldFindNeighbours: true,
  shouldGetDnsPeers: false,
})
const peer = ({ id, address, udpPort, tcpPort }) => ({ public_key: hex(id), address, udp: udpPort, tcp: tcpPort ?? 0 })
dpt.events.on('peer:new', (it) => say({ event: 'ping-answered', ...peer(it) }))
dpt.events.on('peer:added', (it) => say({ event: 'peer-added', ...peer(it) }))
dpt.events.on('error', (error) => say({ event: 'error', message: String(error?.message ?? error) }))

tcp?.on('connection', (socket) => {
  say({ event: 'tcp-accepted', address: socket.remoteAddress, port: socket.remotePort })
  socket.on('error', () => {}) // the other side may reset it
  socket.resume()
})

process.stdin.on('error', () => process.exit(0)).on('close', () => process.exit(0)).resume()
process.stdout.on('error', () => process.exit(0)) // nobody reads any more

const host = opts.family === 6 ? `[${address}]` : address
const publicKey = hex(dpt.id)
const ports = tcp ? `${port}` : `0?discport=${port}`
say({ udp: port, tcp: tcp ? port : 0, public_key: publicKey, enode: `enode://${publicKey}@${host}:${ports}` })
