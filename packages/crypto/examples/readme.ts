import { generateIdentity, KeyCache, messagePreimage, openssl, verifyMessage } from '@showchain/crypto'
import { OP, peerIdFromBytes } from '@showchain/wire'

const alice = await generateIdentity() // RSA-2048; alice.id is the hash of her public key
const bob = peerIdFromBytes(new Uint8Array(32).fill(7))

// Alice signs a request to Bob.
const request = { op_code: OP.directRequest, id: alice.id, target: bob, seq: 1, ts: Date.now() } as const
const signed = { ...request, sign: await alice.sign(messagePreimage(openssl, request)) }

// The verifier needs her public key, from any source: it is hers if its hash is her id.
const keys = new KeyCache(openssl, 1000)
const key = keys.learn(signed.id, alice.publicKey.spki)
console.log(key !== undefined && verifyMessage(openssl, key, signed)) // true
