/** The part of crypto that runs in every JavaScript runtime: no provider, no Node. */

export { CERTIFICATE_LIFETIME, isCurrent } from './certificate.ts'
export { Chain, type Link } from './chain.ts'
export { COOKIE_EPOCH, CookieJar } from './cookie-jar.ts'
export { directSession } from './direct-session.ts'
export {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type Aead,
  DH_BYTES,
  type EndToEndCrypto,
} from './end-to-end.ts'
export { generateIdentityWith, type Identity, identityFromPemWith, identityOf } from './identity.ts'
export { KeyCache } from './key-cache.ts'
export { messagePreimage, verifyMessage } from './message-signatures.ts'
export {
  type KeyPair,
  type NoiseCrypto,
  NoiseHandshake,
  type NoiseOptions,
  type NoisePattern,
  type NoiseResult,
} from './noise.ts'
export { type Permit, type PermitFault, Permits, type PermitTerms, readPermit } from './permits.ts'
export {
  type CryptoProvider,
  DEFAULT_KEY_BITS,
  KEY_BITS,
  type KeyBits,
  type PrivateKey,
  type PublicKey,
  type Random,
} from './provider.ts'
export { MAX_EPOCH, MAX_RECORD_NUMBER, OpeningKey, rekey, SealingKey } from './record-keys.ts'
export { type Freshness, REPLAY_WINDOW, ReplayWindow } from './replay-window.ts'
export {
  type Evidence,
  FIRST_CONTACT_TOLERANCE,
  RequestReplay,
  type RequestReplayOptions,
  type RequestStamp,
} from './request-replay.ts'
export { sameBytes } from './same-bytes.ts'
export { readSpki, spkiOf } from './spki.ts'
export { TOKEN_BYTES, TOKEN_EPOCH, TOKEN_EPOCHS, TokenMint } from './token-mint.ts'
