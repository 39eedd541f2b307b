/**
 * Tokens of NATS as `nsc` makes them: JWTs that are signed with nkeys (Ed25519), an operator's of itself, an
 * account's by its operator, a user's by its account.
 */
import { createHash } from 'node:crypto'
import type { nkeys } from '@nats-io/transport-node'

type KeyPair = ReturnType<typeof nkeys.createUser>
type Kind = 'operator' | 'account' | 'user'

const NO_LIMIT = -1
const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

export function tokenOf(kind: Kind, subject: KeyPair, issuer: KeyPair, what: object = {}): string {
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name: kind,
    sub: subject.getPublicKey(),
    nats: { ...what, type: kind, version: 2 },
  }
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex')
  const header = { typ: 'JWT', alg: 'ed25519-nkey' }
  const signed = [header, { jti, ...claims }].map((each) => base64url(JSON.stringify(each))).join('.')
  return `${signed}.${base64url(issuer.sign(new TextEncoder().encode(signed)))}`
}

export function accountToken(account: KeyPair, operator: KeyPair): string {
  const limits = { subs: NO_LIMIT, data: NO_LIMIT, payload: NO_LIMIT, conn: NO_LIMIT, leaf: NO_LIMIT }
  const shared = { imports: NO_LIMIT, exports: NO_LIMIT, wildcards: true }
  return tokenOf('account', account, operator, { limits: { ...limits, ...shared } })
}

export function userToken(user: KeyPair, account: KeyPair): string {
  return tokenOf('user', user, account, { subs: NO_LIMIT, data: NO_LIMIT, payload: NO_LIMIT })
}

export function credsFile(token: string, user: KeyPair): string {
  const part = (name: string, text: string): string => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`
  return part('NATS USER JWT', token) + part('USER NKEY SEED', new TextDecoder().decode(user.getSeed()))
}
