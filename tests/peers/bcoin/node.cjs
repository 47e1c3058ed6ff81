// One bcoin full node on 127.0.0.1, with an empty chain in memory, for tests to probe.
//
//   node node.cjs [--network NAME] [--port N]
//
//   --network NAME  main (the default), testnet, regtest or simnet, as bcoin calls them
//   --port N        TCP port; 0, the default, takes a free one
//
// Once it listens, one line of JSON:
//   {"network":…,"address":"127.0.0.1","port":PORT}
// and from then on one for each thing that the node complains about:
//   {"event":"error","message":…}
//
// It opens no connection and looks up no name. It exits when stdin closes, so that a test that crashed does not
// leave it behind.

'use strict'

// The native parts of its packages are not built (npm's --ignore-scripts), nor needed.
process.env.NODE_BACKEND = 'js'

const dns = require('node:dns')
const net = require('node:net')
const { parseArgs } = require('node:util')
const FullNode = require('bcoin/lib/node/fullnode')

const HOST = '127.0.0.1'
const NETWORKS = ['main', 'testnet', 'regtest', 'simnet']
// All by which its pool looks for peers, or tells a router about itself.
const OUTWARD = [
  'discoverGateway',
  'discoverExternal',
  'discoverSeeds',
  'addLoader',
  'addOutbound',
  'fillOutbound',
  'refill',
]

function options() {
  const { values } = parseArgs({
    options: {
      network: { type: 'string', default: 'main' },
      port: { type: 'string', default: '0' },
    },
  })
  const port = Number(values.port)
  if (!/^\d+$/.test(values.port) || port > 65535) throw new Error(`not a port: ${values.port}`)
  if (!NETWORKS.includes(values.network)) throw new Error(`--network takes ${NETWORKS.join(', ')}`)
  return { network: values.network, port }
}

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Leaves the node nothing to do but to wait for those who connect; it refuses `maxOutbound: 0`. */
function keepHome(node) {
  for (const name of OUTWARD) {
    if (typeof node.pool[name] !== 'function') throw new Error(`bcoin's pool has no ${name}`)
    node.pool[name] = () => {}
  }
  // Its HTTP server would take a second port.
  node.http.open = async () => {}
  // Should anything be left: no socket of this process connects, and no name is looked up.
  net.Socket.prototype.connect = () => {
    throw new Error('this process opens no connection')
  }
  const lookup = dns.lookup
  dns.lookup = (name, ...rest) => {
    if (name !== HOST) throw new Error(`this process looks up no name: ${name}`)
    lookup(name, ...rest)
  }
}

async function main() {
  process.stdin.on('error', () => process.exit(0)).on('close', () => process.exit(0)).resume()
  process.stdout.on('error', () => process.exit(0)) // nobody reads any more

  const { network, port } = options()
  const node = new FullNode({ network, memory: true, listen: true, host: HOST, seeds: [] })
  node.pool.options.port = port // 0 would be refused above
  keepHome(node)
  node.on('error', (error) => say({ event: 'error', message: String(error?.message ?? error) }))
  node.pool.on('listening', ({ address, port }) => say({ network, address, port }))
  await node.open()
  await node.connect()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
