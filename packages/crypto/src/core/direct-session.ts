/** Sessions of direct paths: the layout is wire's, the hash a provider's. */
import { SESSION_ID_BYTES, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { type AnsweredRequest, directSessionPreimage } from '@showchain/wire/end-to-end'
import type { CryptoProvider } from './provider.ts'

/** The session that both ends derive from an answered 0x101. */
export const directSession = (provider: CryptoProvider, request: AnsweredRequest): SessionId =>
  sessionIdFromBytes(provider.sha256(directSessionPreimage(request)).subarray(0, SESSION_ID_BYTES))
