/** Sessions of direct paths: wire has the bytes, a provider the hash. */
import { SESSION_ID_BYTES, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { type AnsweredRequest, directSessionPreimage } from '@showchain/wire/end-to-end'
import type { CryptoProvider } from './provider.ts'

/** The session that both ends derive from the 0x101 that was answered. */
export const directSession = (provider: CryptoProvider, request: AnsweredRequest): SessionId =>
  sessionIdFromBytes(provider.sha256(directSessionPreimage(request)).subarray(0, SESSION_ID_BYTES))
