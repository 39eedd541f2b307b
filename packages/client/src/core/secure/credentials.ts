/**
 * What this peer shows in handshakes: one static X25519 key for as long as it runs, and its
 * identity's certificate of that key, renewed in time (docs/protocol.md, End to end).
 */
import { CERTIFICATE_LIFETIME, DH_BYTES, type EndToEndCrypto, type KeyPair, type Random } from '@showchain/crypto/core'
import { certificatePreimage, type Validity, writeCertificate } from '@showchain/wire/end-to-end'
import type { Instant } from '../endpoint/machine.ts'
import type { Outbox } from '../endpoint/outbox.ts'
import { Waiters } from '../endpoint/waiters.ts'

/**
 * A certificate is renewed after half of its lifetime; until the new one is signed, the old one
 * serves.
 */
const RENEW_AFTER: number = CERTIFICATE_LIFETIME / 2
/** A clock that went back by more, in ms, was wrong when the certificate was made. */
const CLOCK_STEP = 60_000
const NEVER: Validity = { notBefore: Number.POSITIVE_INFINITY, notAfter: 0 }

export interface CredentialsOptions {
  readonly spki: Uint8Array
  readonly crypto: EndToEndCrypto
  readonly random: Random
  readonly unixMs: () => number
  readonly outbox: Pick<Outbox<unknown>, 'certify'>
}

interface Made {
  readonly bytes: Uint8Array
  readonly validity: Validity
}

type Waiter = (certificate: Uint8Array | undefined, now: Instant) => void

/** What a handshake needs of this peer's credentials. */
export type CertificateSource = Pick<Credentials, 'staticKey' | 'certificate'>

/** Credentials after whose callbacks the owner of a handshake drains its events. */
export const drainedCredentials = (
  credentials: CertificateSource,
  drain: (now: Instant) => void,
): CertificateSource => ({
  staticKey: credentials.staticKey,
  certificate: (waiter, now) =>
    credentials.certificate((certificate, at) => {
      waiter(certificate, at)
      drain(at)
    }, now),
})

export class Credentials {
  readonly staticKey: KeyPair
  readonly #options: CredentialsOptions
  #current: Made | undefined
  /** Handshakes that wait for the first certificate: at most two for each connection. */
  readonly #waiters = new Waiters<Parameters<Waiter>>()
  #signing = false

  constructor(options: CredentialsOptions) {
    const { crypto, random } = options
    this.#options = options
    const privateKey = random.bytes(DH_BYTES)
    this.staticKey = { privateKey, publicKey: crypto.x25519Public(privateKey) }
  }

  /** Calls back with a certificate that is valid now; undefined when none could be signed. */
  certificate(waiter: Waiter, now: Instant): void {
    const unixMs = this.#options.unixMs()
    const made = this.#valid(unixMs)?.validity.notBefore
    if ((made === undefined || unixMs > made + RENEW_AFTER) && !this.#signing) this.#sign(unixMs)
    const valid = this.#valid(unixMs)
    if (valid !== undefined) waiter(valid.bytes, now)
    else this.#waiters.add(waiter)
  }

  /** One that was made while the clock ran ahead is not of now either. */
  #valid(unixMs: number): Made | undefined {
    const { notBefore, notAfter } = this.#current?.validity ?? NEVER
    return notBefore <= unixMs + CLOCK_STEP && unixMs < notAfter ? this.#current : undefined
  }

  #sign(unixMs: number): void {
    this.#signing = true
    const validity = { notBefore: unixMs, notAfter: unixMs + CERTIFICATE_LIFETIME }
    const { spki, outbox } = this.#options
    outbox.certify(certificatePreimage(this.staticKey.publicKey, validity), (signature, now) => {
      this.#signing = false
      if (signature !== undefined)
        this.#current = { bytes: writeCertificate({ spki, signature, ...validity }), validity }
      this.#waiters.settle(this.#current?.bytes, now)
    })
  }
}
