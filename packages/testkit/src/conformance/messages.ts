/** Our own implementation of messages and texts, as the conformance runner asks for one. */
import { openssl } from '@showchain/crypto'
import {
  decode,
  encode,
  formatEndpoint,
  formatTicket,
  type Message,
  parseEndpoint,
  parsePeerId,
  parseTicket,
  peerIdToBytes,
  preimage,
  ShowchainError,
  type SignedMessage,
  ticketSchema,
} from '@showchain/wire'
import { fromHex, toHex } from '../vectors/hex.ts'
import { messageOf, type PlainMessage, plainOf } from '../vectors/plain.ts'
import type { EndToEndOperations } from './end-to-end-operations.ts'
import type { Implementing, Operations } from './operations.ts'

/** A refusal that our API throws, as null. */
function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof ShowchainError) return null
    throw error
  }
}

function messageFrom(plain: PlainMessage): Message {
  const message = messageOf(plain)
  if (message === undefined) throw new ShowchainError('ERR_BAD_MESSAGE')
  return message
}
const preimageOf = (plain: PlainMessage): Uint8Array => preimage(messageFrom(plain) as SignedMessage, openssl.sha256)

export const messageImplementation: Implementing<Omit<Operations, keyof EndToEndOperations>> = {
  decode: ({ datagram, strict }) => {
    const decoded = decode(fromHex(datagram), { strict })
    return decoded.ok ? plainOf(decoded.message) : null
  },
  encode: ({ message, encoding }) => orNull(() => toHex(encode(messageFrom(message), encoding))),
  preimage: ({ message }) => orNull(() => toHex(preimageOf(message))),
  verify: ({ message, key }) =>
    orNull(() => {
      const { sign } = messageFrom(message) as SignedMessage
      return openssl.verify(openssl.importPublicKey(fromHex(key)), preimageOf(message), sign)
    }) ?? false,
  sign: async ({ message, privateKey }) =>
    toHex(await openssl.sign(openssl.importPrivateKey(privateKey), preimageOf(message))),
  peerId: ({ key }) => orNull(() => openssl.importPublicKey(fromHex(key)).id),
  parseId: ({ text }) => orNull(() => toHex(peerIdToBytes(parsePeerId(text)))),
  parseEndpoint: ({ text }) => orNull(() => parseEndpoint(text)),
  formatEndpoint,
  parseTicket: ({ text }) => orNull(() => parseTicket(text)),
  formatTicket: (ticket) => formatTicket(ticketSchema.parse(ticket)),
}
