/** What a transfer needs of its surroundings: a stream, files to send, and a place for what comes. */
import type { Stream } from '@showchain/client'
import type { Entry, Offer } from '../core/index.ts'

/** What a transfer needs of a stream. */
export type ByteStream = Pick<Stream, 'read' | 'write' | 'end' | 'abort' | 'cancel'>

/** A file that is sent. */
export interface SourceFile {
  /** Fewer bytes than `length` only at the end. They are not changed afterwards. */
  read(position: number, length: number): Promise<Uint8Array>
  /** @throws TransferError when the file is another one than was offered */
  unchanged(): Promise<void>
  /** Frees what it holds. */
  close(): Promise<void>
}

/** What is sent. */
export interface Source {
  /** Depth first: each folder before what is in it. */
  readonly entries: readonly Entry[]
  /** The entries that are in no folder, in their order. */
  readonly names: readonly Uint8Array[]
  /** @throws TransferError */
  open(entry: Entry): Promise<SourceFile>
}

/** What came of a file. */
export interface Part {
  readonly size: number
  /** Fewer bytes than `length` only at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Frees what it holds; the part stays. */
  close(): Promise<void>
}

/** A file that is received. */
export interface TargetFile {
  /** Appends bytes. */
  write(bytes: Uint8Array): Promise<void>
  /** So many zeros. */
  skip(count: number): Promise<void>
  /** All of it came, and was checked: the file gets its size, mode and time. */
  complete(): Promise<void>
  /** What came does not have the hash that the sender has. */
  discard(): Promise<void>
  /** Frees what it holds; what came stays for the next time. */
  close(): Promise<void>
}

/** What there is of an offer: `whole` only when all of it was checked. */
export type Found = 'nothing' | 'part' | 'whole'

/** Every call throws TransferError. */
export interface Target {
  /** Changes nothing. @throws TransferError when a name of the offer is taken */
  look(offer: Offer): Promise<Found>
  /** The offer is accepted. */
  begin(): Promise<void>
  /** Makes a folder, if it is not there. */
  folder(entry: Entry): Promise<void>
  /** What is there of a file; undefined when nothing is that could be gone on with. */
  part(entry: Entry): Promise<Part | undefined>
  /** Only what is before the position stays. */
  open(entry: Entry, position: number): Promise<TargetFile>
  /** Makes a link. */
  link(entry: Entry): Promise<void>
  /** Everything in the folder is complete. */
  left(entry: Entry): Promise<void>
  /** Everything came: it takes its names. After that `look` says `whole`, until `forget`. */
  finish(): Promise<void>
  /** The sender knows that everything came. */
  forget(): Promise<void>
}

/** How far a transfer is. */
export interface TransferProgress {
  /** It is hashing what is there of a file from before. */
  readonly checking: boolean
  /** What is sent or received at the moment, printable. */
  readonly path: string
  /** Of all files: sent or received, with what was there before. */
  readonly bytes: number
  /** Of these, what was there before. */
  readonly bytesBefore: number
  readonly totalBytes: number
  /** Complete ones. */
  readonly files: number
  readonly totalFiles: number
}

/** Options of both ends. */
export interface TransferOptions {
  readonly signal?: AbortSignal
  /** Told of what is done, some times a second. */
  readonly onProgress?: (progress: TransferProgress) => void
  /** Milliseconds in which something must go on; a person who is asked takes their time. */
  readonly silence?: number
}
