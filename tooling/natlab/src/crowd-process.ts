/**
 * Many peers in one process: `crowd-process.js COUNT TICKET`. They open when a line arrives on
 * stdin.
 */
import { createPrivateKey, generatePrimeSync } from 'node:crypto'
import { once } from 'node:events'
import { Peer } from '@showchain/client'
import { type Identity, identityFromPem } from '@showchain/crypto'

const [count, relay] = process.argv.slice(2)
const report = (event: string): void => void process.stdout.write(`${JSON.stringify({ event })}\n`)
const MINUTE = 60_000
const PRIME_BITS = 1024
const PUBLIC_EXPONENT = 65_537n

const identities = manyIdentities(Number(count))
report('ready')
await once(process.stdin, 'data')
const open = identities.map((identity) =>
  Peer.open({ identity, relays: [relay as string], listen: [{ host: '0.0.0.0' }], addressPolicy: 'lab' }),
)
await Promise.all((await Promise.all(open)).map((peer) => registered(peer)))
report('registered')

/** A busy relay may exceed the timeout of one call; the peer retries by itself. */
async function registered(peer: Peer): Promise<void> {
  const deadline = AbortSignal.timeout(MINUTE)
  for (;;) {
    const done = await peer.registered({ signal: deadline }).then(
      () => true,
      (error: Error) => {
        if (deadline.aborted) throw error
        return false
      },
    )
    if (done) return
  }
}

/**
 * Prime generation dominates the cost of an RSA key. Here each pair of a few primes makes a key,
 * which takes seconds instead of minutes. Keys that share a prime are insecure; the lab protects
 * nothing.
 */
function manyIdentities(wanted: number): readonly Identity[] {
  const primes: bigint[] = []
  const identities: Identity[] = []
  while (identities.length < wanted) {
    const prime = generatePrimeSync(PRIME_BITS, { bigint: true })
    for (const other of primes) identities.push(identityFrom(prime, other))
    primes.push(prime)
  }
  return identities.slice(0, wanted)
}

function identityFrom(p: bigint, q: bigint): Identity {
  const d = inverse(PUBLIC_EXPONENT, (p - 1n) * (q - 1n))
  const numbers = { n: p * q, e: PUBLIC_EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const parts = Object.entries(numbers).map(([name, number]) => [name, base64url(number)])
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'RSA', ...Object.fromEntries(parts) } })
  return identityFromPem(key.export({ type: 'pkcs8', format: 'pem' }) as string)
}

function base64url(number: bigint): string {
  const digits = number.toString(16)
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString('base64url')
}

/** The modular inverse, by the extended Euclidean algorithm. */
function inverse(number: bigint, modulus: bigint): bigint {
  let [rest, next, factor, other] = [modulus, number, 0n, 1n]
  while (next !== 0n) {
    const quotient = rest / next
    ;[rest, next] = [next, rest - quotient * next]
    ;[factor, other] = [other, factor - quotient * other]
  }
  return ((factor % modulus) + modulus) % modulus
}
