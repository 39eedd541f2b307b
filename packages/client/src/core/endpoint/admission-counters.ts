/** What admission counts: a machine that admits requests spreads this into its own table. */
export const ADMISSION_COUNTERS = {
  badKey: 'requests whose key does not hash to their id, or breaks the import policy',
  unknownKey: 'signed messages whose signer has no known key',
  rateLimited: 'messages over the rate of their source or id, or from a new source while the table of rates is full',
  challenged: 'requests that were answered with a challenge',
  replayed: 'messages no newer than one that was accepted, or too old or too far ahead for a first contact',
  inProgress: 'requests that came while the one before was being verified or answered',
  repeated: 'requests that came again as the same bytes and got the same answer',
  badSignature: 'messages whose signature did not verify',
  verifyShed: 'signatures that nobody had time to verify',
} as const

export type AdmissionCounter = keyof typeof ADMISSION_COUNTERS
