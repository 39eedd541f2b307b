/** Signatures of wire messages: wire says what is covered, a provider does the arithmetic. */
import { preimage, type SignedMessage, type Unsigned } from '@showchain/wire'
import type { CryptoProvider, PublicKey } from './provider.ts'

/** What the signature of this message covers, with or without its `sign`. */
export const messagePreimage = (provider: CryptoProvider, message: SignedMessage | Unsigned): Uint8Array =>
  preimage(message, (bytes) => provider.sha256(bytes))

/** Whether `message.sign` is this key's signature of the message. Whose key it should be is the caller's to know. */
export const verifyMessage = (provider: CryptoProvider, key: PublicKey, message: SignedMessage): boolean =>
  provider.verify(key, messagePreimage(provider, message), message.sign)
