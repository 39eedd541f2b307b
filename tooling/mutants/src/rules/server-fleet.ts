/** Rules of @showchain/server: what other nodes of a fleet, and who pretends to be one, may do. */
import { inPackage, type Mutant } from '../mutant.ts'

const FLEET = 'src/core/fleet/fleet.ts'
const MAIL = 'src/core/fleet/fleet-mail.ts'
const ADAPTED = 'src/core/fleet/adapted.ts'
const CHANNEL = 'src/core/channel-forwarder.ts'
const NODE = { test: 'test/fleet.test.ts' }

export const SERVER_FLEET: readonly Mutant[] = inPackage('server', [
  {
    name: 'fleet-tag',
    rule: 'A message of a fleet has a tag by its secret.',
    file: MAIL,
    text: "    if (!sameBytes(this.#tag(message), fleetTag(message))) return 'fleetRefused'\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-receiver',
    rule: 'A message of a fleet is for the node that it names.',
    file: MAIL,
    text: " || (header.to !== 'all' && header.to !== node)",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-time',
    rule: 'A message of a fleet counts for half a minute.',
    file: MAIL,
    text: "    if (Math.abs(unixMs() - header.time) > TIME_TOLERANCE) return 'fleetStale'\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-twin',
    rule: 'A node with the number of this one is not listened to.',
    file: FLEET,
    text: '    if (header.from === this.node) return this.#twin(now)\n',
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-frame-rate',
    rule: 'A frame for a session of another node costs the rate of its sender.',
    file: FLEET,
    text: 'if (bindings.takeFrame(row, bytes.length, now)) this.#passOn(node, binding, bytes, false, now)',
    replacement: 'if (row !== undefined) this.#passOn(node, binding, bytes, false, now)',
    ...NODE,
  },
  {
    name: 'fleet-data-rate',
    rule: 'A message for a session of another node costs the rate of its sender.',
    file: FLEET,
    text: "    else if (!this.#parts.bindings.takeData(binding.id, now)) this.#context.count('rateLimited')\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-proven-speaks',
    rule: 'Only an address that proved itself speaks to other nodes.',
    file: FLEET,
    text: 'return binding !== undefined && isProven(binding.source) ? binding : undefined',
    replacement: 'return binding',
    ...NODE,
  },
  {
    name: 'fleet-proven-binds',
    rule: 'A registration that a token stands for takes no binding from another node.',
    file: FLEET,
    text: 'if (isNews && isProven(source))',
    replacement: 'if (isNews)',
    ...NODE,
  },
  {
    name: 'fleet-newer-binding',
    rule: 'A node that heard from a peer since keeps its binding.',
    file: FLEET,
    text: ' || unixMs() - (now - bindings.heard(row)) > at',
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-asking',
    rule: 'All nodes are asked for one peer so often.',
    file: FLEET,
    text: "    if (node === 'all' && !this.#asking.take(id, at)) return this.#context.count('fleetNotAsked')\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-known-nodes',
    rule: 'Room for messages to a node is kept of nodes that are there.',
    file: FLEET,
    text: " && this.#nodes.has(from, now)) this.#mail.post(from, { kind: 'gone', peer })",
    replacement: ") this.#mail.post(from, { kind: 'gone', peer })",
    ...NODE,
  },
  {
    name: 'fleet-end-of-session',
    rule: 'A frame of another node counts only for an end of its session.',
    file: CHANNEL,
    text: "    if (!isRequester && this.#sessions.peerAt(session, TARGET) !== peer) return count('unbound')\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-consent',
    rule: 'A frame of a requester at another node waits for the consent of the target.',
    file: CHANNEL,
    text: "    if (isRequester && !this.#sessions.isConsented(session)) return count('consentExhausted')\n",
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-sender',
    rule: 'A message of another node counts only for the peer that it came from.',
    file: 'src/core/fleet/fleet-peers.ts',
    text: 'return source.id === id ? source : undefined',
    replacement: 'return source',
    ...NODE,
  },
  {
    name: 'fleet-passed-messages',
    rule: 'A node sends for another one only what a relay passes on.',
    file: ADAPTED,
    text: ' || !PASSED.includes(decoded.message.op_code)',
    replacement: '',
    ...NODE,
  },
  {
    name: 'fleet-local',
    rule: 'Host candidates go only to a peer with the same public address, at another node, too.',
    file: ADAPTED,
    text: 'sharesAddress: message.ip === to.source.ip,',
    replacement: 'sharesAddress: true,',
    ...NODE,
  },
])
