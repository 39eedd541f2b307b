import { decode, describe, encode, formatTicket, type Message, OP, parseTicket, peerIdFromBytes } from '@showchain/wire'

const alice = peerIdFromBytes(new Uint8Array(32).fill(1)) // in practice: SHA-256 of her public key
const bob = peerIdFromBytes(new Uint8Array(32).fill(2))

const message: Message = {
  op_code: OP.directRequest,
  id: alice,
  target: bob,
  seq: 7,
  ts: 1_767_225_600_000,
  sign: new Uint8Array(256), // in practice: RSA over preimage(message, sha256)
  ext: { caps: 4 },
}

const datagram = encode(message, 'binary') // or 'json'
const decoded = decode(datagram)
if (decoded.ok) console.log(describe(decoded.message))
// directRequest 0x101 id=AQEBAQEB… target=AgICAgIC… seq=7 ts=1767225600000 sign=256B +caps=4

console.log(decode(datagram.subarray(1))) // { ok: false, refusal: 'class' }: never throws

const ticket = parseTicket(`showchain:${bob}?addr=[2001:DB8::1]:4400`)
console.log(formatTicket(ticket)) // …?addr=[2001:db8::1]:4400
