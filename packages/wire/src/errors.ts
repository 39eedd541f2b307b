/**
 * The error class of Show Chain and the table of its codes.
 *
 * An error's `code` is stable and meant for programs; the message is meant for people and may
 * change. Malformed datagrams are not errors: they are dropped and counted.
 */

import { printable } from './foreign.ts'

interface ErrorRow {
  /** What happened, and what to do about it. */
  readonly sentence: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
}

/** Each code with its sentence, and whether the same call may succeed later. */
export const ERROR_CODES = {
  ERR_ABORTED: { sentence: 'The operation was aborted by its caller.', retryable: false },
  ERR_ADDRESS_IN_USE: { sentence: 'The local address is in use: choose another port, or 0 for any.', retryable: true },
  ERR_BAD_ARGUMENT: { sentence: 'An argument of the call is not valid.', retryable: false },
  ERR_BAD_CODE: { sentence: 'Not a code: expected a number and two words, such as 7-orbit-velvet.', retryable: false },
  ERR_BAD_CONFIG: { sentence: 'The configuration is not valid.', retryable: false },
  ERR_BAD_ENDPOINT: { sentence: 'Not an endpoint: expected ip:port, or [ip]:port for IPv6.', retryable: false },
  ERR_BAD_MESSAGE: { sentence: 'The message does not fit its row of the message table.', retryable: false },
  ERR_BAD_PEER_ID: { sentence: 'Not a peer id: expected 43 characters of base64url.', retryable: false },
  ERR_BAD_SESSION_ID: { sentence: 'Not a session id: expected 22 characters of base64url.', retryable: false },
  ERR_BAD_TICKET: {
    sentence: 'Not a ticket: expected showchain:<id>?relay=<id>@host:port or ?addr=ip:port.',
    retryable: false,
  },
  ERR_BUSY: { sentence: 'A queue is full: try again later.', retryable: true },
  ERR_CANNOT_LISTEN: { sentence: 'Cannot listen on the local address.', retryable: false },
  ERR_CANNOT_RESOLVE: { sentence: 'The host name cannot be resolved.', retryable: true },
  ERR_CLOSED: { sentence: 'The peer, connection or stream is closed.', retryable: false },
  ERR_CODE_EXPIRED: { sentence: 'The code has run out: nobody used it in time.', retryable: false },
  ERR_CODE_SPENT: {
    sentence: 'The other end left while the code was checked; it cannot be used again.',
    retryable: false,
  },
  ERR_CODE_UNKNOWN: { sentence: 'The mailbox has no such code: it was used, or has run out.', retryable: false },
  ERR_CODE_WRONG: { sentence: 'The code is wrong; it cannot be used again.', retryable: false },
  ERR_CONNECT_FAILED: { sentence: 'Could not connect.', retryable: true },
  ERR_FILE_EXISTS: { sentence: 'The file already exists; files are never overwritten.', retryable: false },
  ERR_FILE_MODE: { sentence: 'Other users can read the key file: run chmod 600 on it.', retryable: false },
  ERR_FILE_READ: { sentence: 'The file cannot be read.', retryable: false },
  ERR_FILE_WRITE: { sentence: 'The file cannot be written.', retryable: false },
  ERR_KEY_REFUSED: {
    sentence: 'The key is refused: expected RSA of 2048, 3072 or 4096 bits with exponent 65537.',
    retryable: false,
  },
  ERR_MAILBOX_BUSY: { sentence: 'The mailbox takes no more at the moment: try again later.', retryable: true },
  ERR_MAILBOX_FAILED: { sentence: 'The mailbox does not do what it should.', retryable: true },
  ERR_NO_DATA_PATH: { sentence: 'No path to the remote peer carries data: connect through a relay.', retryable: false },
  ERR_NO_PATH: {
    sentence: 'No path to the remote peer is known: neither an address nor a relay that can be used.',
    retryable: false,
  },
  ERR_PASSPHRASE_NEEDED: { sentence: 'The key file is encrypted: a passphrase is needed.', retryable: false },
  ERR_PASSPHRASE_WRONG: { sentence: 'The passphrase is wrong.', retryable: false },
  ERR_PLAINTEXT_REFUSED: {
    sentence: 'Not available without end-to-end encryption.',
    retryable: false,
  },
  ERR_RUNTIME: {
    sentence: 'This JavaScript runtime lacks cryptography that connections need: use Node.js, or a browser over https.',
    retryable: false,
  },
  ERR_SIGNING_FAILED: { sentence: 'The private key could not sign.', retryable: false },
  ERR_STREAM_RESET: { sentence: 'The remote peer reset the stream.', retryable: false },
  ERR_TIMEOUT: { sentence: 'Timed out.', retryable: true },
  ERR_TRANSFER_DECLINED: { sentence: 'The offer of files was not accepted.', retryable: false },
  ERR_TRANSFER_REFUSED: { sentence: 'What was sent is not taken.', retryable: false },
  ERR_TRANSFER_STOPPED: { sentence: 'The transfer stopped before its end.', retryable: true },
  ERR_TOO_LARGE: { sentence: 'The message does not fit one datagram.', retryable: false },
  ERR_UNKNOWN_PROTOCOL: { sentence: 'The remote peer takes no streams of this protocol.', retryable: false },
  ERR_TUNNEL_REFUSED: { sentence: 'The tunnel did not carry the connection.', retryable: true },
} as const satisfies Record<string, ErrorRow>

/** The codes of `ShowchainError`; they are stable. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What every package throws: `code` for programs, the message for people, `cause` where there is one. */
export class ShowchainError extends Error {
  override readonly name = 'ShowchainError'
  readonly code: ErrorCode
  readonly retryable: boolean
  /** What follows the code's sentence in `message`: which address, file or field it was. */
  readonly detail: string | undefined

  /**
   * @param detail follows the code's sentence, in one line: which address, file or field it was.
   */
  constructor(code: ErrorCode, detail?: string, options?: { readonly cause?: unknown }) {
    const { sentence, retryable } = ERROR_CODES[code]
    const shown = detail === undefined ? undefined : printable(detail)
    super(shown === undefined ? sentence : `${sentence} ${shown}`, options)
    this.code = code
    this.detail = shown
    this.retryable = retryable
  }
}

/**
 * The thrown value if it is a ShowchainError, otherwise a ShowchainError with the value as its
 * cause. Never throws.
 */
export function typedError(thrown: unknown, code: ErrorCode, detail: string): ShowchainError {
  try {
    // instanceof throws for some proxies.
    if (thrown instanceof ShowchainError) return thrown
  } catch {}
  return new ShowchainError(code, detail, { cause: thrown })
}
