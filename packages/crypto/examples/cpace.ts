import { Cpace } from '@showchain/crypto/cpace'
import { utf8 } from '@showchain/wire'

const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
// Both know the password, and where they meet; the session's name is new for each run, and public.
const inputs = { password: utf8('orbit-velvet'), channel: utf8('an example'), session: random.bytes(16) }
const alice = new Cpace('initiator', inputs, utf8('alice'), random)
const bob = new Cpace('responder', inputs, utf8('bob'), random)

// Each sends its message, then its confirmation.
const aliceKeys = alice.finish(bob.message)
const bobKeys = bob.finish(alice.message)
if (aliceKeys === undefined || bobKeys === undefined) throw new Error('a message is not valid')
console.log(aliceKeys.confirms(bobKeys.confirmation)) // true: Bob knew the password
console.log(aliceKeys.key('data from alice').length) // 32: the same key at both ends
