import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { offerCode, takeCode } from '@showchain/mailbox'
import { Mailbox } from '@showchain/mailbox/server'
import { parseTicket } from '@showchain/wire'

// Three peers in one program; in practice each is a program of its own, and a relay has the mailbox.
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
const open = async (): Promise<Peer> => Peer.open({ identity: await generateIdentity(), ...local })
await using alice = await open()
await using bob = await open()
const server = await open()
await using mailbox = Mailbox.serve(server)
const where = parseTicket(server.ticket) // of a relay: mailboxOf(parseTicket(relayTicket))

// Alice gets a code, and tells it to Bob, who types it.
await using offered = await offerCode(alice, where)
console.log(offered.code) // such as 1-orbit-velvet
const ticket = await takeCode(bob, where, offered.code)

// Each has the other's ticket, and nobody else has either.
console.log(ticket.id === alice.id, (await offered.taken).id === bob.id) // true true
console.log((await bob.connect(ticket)).remoteId === alice.id, mailbox.counters().runsDone) // true 1
