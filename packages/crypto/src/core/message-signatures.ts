/** Signatures of messages: the preimage is wire's, the signature a provider's. */
import { preimage, type SignedMessage, type Unsigned } from '@showchain/wire'
import type { CryptoProvider, PublicKey } from './provider.ts'

/** The bytes that the signature covers. @param message with or without its `sign` */
export const messagePreimage = (provider: CryptoProvider, message: SignedMessage | Unsigned): Uint8Array =>
  preimage(message, (bytes) => provider.sha256(bytes))

/** Whether `message.sign` is a signature by this key. The caller decides whose key it must be. */
export const verifyMessage = (provider: CryptoProvider, key: PublicKey, message: SignedMessage): boolean =>
  provider.verify(key, messagePreimage(provider, message), message.sign)
