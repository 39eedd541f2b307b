/** Sessions of direct paths, derived from a 0x101. */
import { type PeerId, parsePeerId } from '@showchain/wire'
import { type AnsweredRequest, directSessionPreimage } from '@showchain/wire/end-to-end'
import type { IdentityVector } from '../files.ts'
import { toHex } from '../hex.ts'
import { sha256 } from '../sha256.ts'
import { NOW } from './ends.ts'
import type { DirectSessionFile, DirectSessionVector } from './forms.ts'

const SEQ = 0x1234_5678_9abc

export function directSession(name: string, request: AnsweredRequest): DirectSessionVector {
  const preimage = directSessionPreimage(request)
  return { name, ...request, preimage: toHex(preimage), session: toHex(sha256(preimage).subarray(0, 16)) }
}

export function directSessionFile(requester: IdentityVector, target: IdentityVector): DirectSessionFile {
  const [a, b]: readonly PeerId[] = [requester, target].map(({ id }) => parsePeerId(id))
  const request = { requester: a as PeerId, responder: b as PeerId, seq: SEQ, ts: NOW }
  return {
    about: 'Sessions of data on a direct path: the first 16 bytes of SHA-256 over the preimage.',
    sessions: [
      directSession('a request', request),
      directSession('the request of the other end', {
        ...request,
        requester: request.responder,
        responder: request.requester,
      }),
      directSession('the next request', { ...request, seq: SEQ + 1 }),
      directSession('the first request', { ...request, seq: 0, ts: 0 }),
      directSession('the largest numbers', { ...request, seq: Number.MAX_SAFE_INTEGER, ts: Number.MAX_SAFE_INTEGER }),
    ],
  }
}
