/** SHA-256, which whoever uses the core brings along. */
export interface Hash {
  update(bytes: Uint8Array): void
  digest(): Uint8Array
}

export type NewHash = () => Hash
