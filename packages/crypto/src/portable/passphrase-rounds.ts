/** What makes the key of a private key out of a passphrase (RFC 8018 §5.2), by every provider. */

/**
 * A hundred times the rounds of Node's default: 60 ms in OpenSSL, 1.6 s in JavaScript (measured).
 */
export const ROUNDS = 200_000
/** RFC 8018 §4.1 asks for 8 at least. */
export const SALT_BYTES = 16
