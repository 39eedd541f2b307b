// A peer as a process of its own, with a bad line in front of its socket: commands and events over IPC.
import { createHash, randomBytes } from 'node:crypto'
import { nodeRuntime, Peer } from '@showchain/client'
import { identityFromPem, publicKeyFromPem } from '@showchain/crypto'
import { faultySocket, SeededRandom } from '@showchain/testkit'
import { formatEndpoint } from '@showchain/wire'

const report = (event) => process.send?.(event)
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
/** Size of the file and place of the part, in front of each part. */
const HEADER_BYTES = 8
const IN_FLIGHT = 32

let peer
const connections = []

async function receive(connection) {
  let file
  let missing = 0
  const seen = new Set()
  for await (const message of connection) {
    const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES)
    const [size, offset] = [view.getUint32(0), view.getUint32(4)]
    if (file === undefined) [file, missing] = [new Uint8Array(size), size]
    // A part whose acknowledgement was lost five times is sent again as another message.
    if (seen.has(offset)) continue
    seen.add(offset)
    file.set(message.subarray(HEADER_BYTES), offset)
    missing -= message.length - HEADER_BYTES
    if (missing > 0) continue
    report({ type: 'received', sha256: sha256(file) })
    file = undefined
    seen.clear()
  }
}

function follow(connection, type) {
  connections.push(connection)
  connection.on('close', () => connections.splice(connections.indexOf(connection), 1))
  void receive(connection)
  report({ type, path: connection.path.kind })
}

async function sendPart(connection, message) {
  for (;;) {
    try {
      return await connection.sendDatagram(message)
    } catch (error) {
      if (error.code !== 'ERR_TIMEOUT') throw error
    }
  }
}

const commands = {
  async open({ type: _open, identity, relay, knownKeys = [], host, faults, seed, ...options }) {
    peer = await Peer.open({
      ...options,
      identity: identityFromPem(identity),
      knownKeys: knownKeys.map(publicKeyFromPem),
      relays: [relay],
      listen: [{ host, port: 0 }],
      addressPolicy: 'lab',
      plaintext: true,
      runtime: {
        ...nodeRuntime,
        openSocket: async (udp) => {
          const socket = await nodeRuntime.openSocket(udp)
          const { clock } = nodeRuntime
          const faulty = faultySocket(socket, { clock, random: new SeededRandom(seed), direction: 'sent', ...faults })
          return Object.assign(faulty, { counters: socket.counters })
        },
      },
      trace: ({ direction, remote, message }) => {
        if (message !== undefined)
          report({
            type: 'trace',
            direction,
            remote: formatEndpoint(remote),
            op: message.op_code,
            extended: message.ext !== undefined,
          })
      },
    })
    peer.on('relay', ({ state }) => report({ type: state }))
    void (async () => {
      for await (const connection of peer.incoming) follow(connection, 'incoming')
    })()
    await peer.registered()
    report({ type: 'opened', ticket: peer.ticket })
  },
  async connect({ ticket, via }) {
    follow(await peer.connect(ticket, { via, timeout: 50_000 }), 'connected')
  },
  async send({ size }) {
    const [connection] = connections.slice(-1)
    const file = randomBytes(size)
    const room = connection.maxDatagramSize - HEADER_BYTES
    const waiting = new Set()
    for (let offset = 0; offset < size; offset += room) {
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeUInt32BE(size, 0)
      header.writeUInt32BE(offset, 4)
      const sent = sendPart(connection, Buffer.concat([header, file.subarray(offset, offset + room)])).then(() =>
        waiting.delete(sent),
      )
      waiting.add(sent)
      if (waiting.size >= IN_FLIGHT) await Promise.race(waiting)
    }
    await Promise.all(waiting)
    report({ type: 'sent', sha256: sha256(file) })
  },
  async hangUp() {
    for (const connection of [...connections]) await connection.close()
    report({ type: 'hungUp' })
  },
}

process.on('message', (command) => {
  commands[command.type](command).catch((error) =>
    report({ type: 'failed', what: command.type, code: error.code, why: error.message }),
  )
})
process.once('disconnect', () => process.exit())
