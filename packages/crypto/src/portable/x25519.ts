/**
 * X25519 (RFC 7748 §5) by noble's Montgomery ladder alone. The one that @noble/curves exports has tables of
 * Ed25519 for public keys, which cost a page 7 kB.
 */

import { pow } from '@noble/curves/abstract/modular.js'
import { type MontgomeryECDH, montgomery } from '@noble/curves/abstract/montgomery.js'

/** §4.1 */
const P: bigint = 2n ** 255n - 19n

/** decodeScalar25519 (§5). */
function clamped(scalar: Uint8Array): Uint8Array {
  scalar[0] = (scalar[0] as number) & 248
  scalar[31] = ((scalar[31] as number) & 127) | 64
  return scalar
}

export const x25519: MontgomeryECDH = /* @__PURE__ */ montgomery({
  P,
  type: 'x25519',
  powPminus2: (x) => pow(x, P - 2n, P),
  adjustScalarBytes: clamped,
})
