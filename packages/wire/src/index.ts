/**
 * The wire format of Show Chain: the message table and everything derived from it. Pure and
 * portable: no I/O, no clock, no cryptography; zod is the only dependency.
 */
export { fromBase64url, toBase64url } from './base64url.ts'
export { equalBytes, toHex } from './bytes.ts'
export { BINARY_BYTE, CHANNEL_BYTE, classify, type DatagramClass, JSON_BYTE, RECORD_BYTE } from './classify.ts'
export { decode, encode, encodedLength } from './codec.ts'
export type { Decoded, Refusal } from './decoded.ts'
export { describe } from './describe.ts'
export { type Endpoint, endpointSchema, formatEndpoint, parseEndpoint, sameEndpoint } from './endpoint.ts'
export { ERROR_CODES, type ErrorCode, ShowchainError } from './errors.ts'
export type { Nat, NatBehaviour } from './extension-kinds.ts'
export {
  CAPS,
  EXTENSIONS,
  type ExtensionName,
  type Extensions,
  isConcealed,
  type UnknownExtension,
} from './extensions.ts'
export { printable, quote } from './foreign.ts'
export {
  type PeerId,
  parsePeerId,
  peerIdFromBytes,
  peerIdSchema,
  peerIdToBytes,
  type SessionId,
  sessionIdFromBytes,
  sessionIdSchema,
  sessionIdToBytes,
} from './ids.ts'
export { canonicalIp, formatIp, ipFamily, parseIp } from './ip.ts'
export * from './limits.ts'
export {
  type Encoding,
  hasExtensions,
  MESSAGE_SCHEMAS,
  type Message,
  type MessageOf,
  messageSchema,
  type Unsigned,
} from './message.ts'
export { MessageView, rewriteOp } from './message-view.ts'
export { parseOptions } from './options.ts'
export { preimage, type SignedMessage } from './preimage.ts'
export {
  decodeStun,
  encodeStun,
  isClassic,
  isStun,
  MAX_STUN_BYTE,
  STUN_ATTRIBUTE,
  STUN_HEADER_BYTES,
  STUN_MAGIC_COOKIE,
  STUN_TYPE,
  type StunMessage,
  type StunType,
} from './stun.ts'
export {
  FIELDS,
  type FieldName,
  MESSAGES,
  type MessageRow,
  OP,
  type OpCode,
  type OpName,
  rowOf,
  type SignedElement,
  WIRE_ERROR,
} from './table.ts'
export {
  type Address,
  addressSchema,
  formatAddress,
  formatTicket,
  parseAddress,
  parseTicket,
  type Ticket,
  ticketSchema,
} from './ticket.ts'
export { fromUtf8, utf8 } from './utf8.ts'
export { HTTPS_PORT, WEBSOCKET_PATH, type WebSocketAt, websocketUrl } from './websocket.ts'
