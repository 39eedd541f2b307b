/** The part of crypto that runs anywhere: no provider, no Node. */
export { COOKIE_EPOCH, CookieJar } from './cookie-jar.ts'
export { generateIdentityWith, type Identity, identityFromPemWith, identityOf } from './identity.ts'
export { KeyCache } from './key-cache.ts'
export { messagePreimage, verifyMessage } from './message-signatures.ts'
export {
  type CryptoProvider,
  DEFAULT_KEY_BITS,
  KEY_BITS,
  type KeyBits,
  type PrivateKey,
  type PssVerifier,
  type PublicKey,
  type Random,
} from './provider.ts'
export { type Freshness, REPLAY_WINDOW, ReplayWindow } from './replay-window.ts'
export {
  FIRST_CONTACT_TOLERANCE,
  RequestReplay,
  type RequestReplayOptions,
  type RequestStamp,
} from './request-replay.ts'
