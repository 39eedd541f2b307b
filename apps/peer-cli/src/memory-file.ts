/**
 * What a peer keeps of those that it has met, in a file beside its identity: `identity.pem.met`. It
 * saves round trips. Where it cannot be written, or is not what this program wrote, they are spent.
 */
import { readFileSync, statSync } from 'node:fs'
import type { PeerOptions } from '@showchain/client'
import { type PeerId, peerIdSchema } from '@showchain/wire'
import { replacePrivateFile } from './private-file.ts'

/** Peers and relays; the one that was used first is forgotten. */
export const MAX_ENTRIES = 1024
/** An entry takes 300 bytes or so. */
const MAX_FILE_BYTES = 1024 * 1024
const VERSION = 1
/** A folder that is not ours to write in is no problem of this run. */
const READ_ONLY = ['EACCES', 'EPERM', 'EROFS']

type Memory = NonNullable<PeerOptions['memory']>

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** @param warn told when the file has something else */
export function memoryFile(identity: string, warn: (sentence: string) => void): Memory {
  const path = `${identity}.met`
  /** Least recently used first. */
  const entries = read(path, warn)
  let keeps = true
  const save = (): void => {
    const text = JSON.stringify({ version: VERSION, met: Object.fromEntries(entries) })
    try {
      replacePrivateFile(path, text)
    } catch (error) {
      keeps = false
      if (!READ_ONLY.includes(codeOf(error) ?? '')) warn(`${path} is not kept: ${codeOf(error)}`)
    }
  }
  return {
    get: (id) => {
      const value = entries.get(id)
      if (value !== undefined) {
        entries.delete(id)
        entries.set(id, value)
      }
      return value
    },
    set: (id, value) => {
      if (entries.get(id) === value) return
      entries.delete(id)
      const [first] = entries.keys()
      if (value !== undefined && entries.size >= MAX_ENTRIES && first !== undefined) entries.delete(first)
      if (value !== undefined) entries.set(id, value)
      if (keeps) save()
    },
  }
}

function read(path: string, warn: (sentence: string) => void): Map<PeerId, string> {
  const entries = new Map<PeerId, string>()
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new Error('too large')
    const { version, met } = JSON.parse(readFileSync(path, 'utf8'))
    if (version !== VERSION) throw new Error('another version')
    for (const [text, value] of Object.entries(met).slice(-MAX_ENTRIES)) {
      const { data: id } = peerIdSchema.safeParse(text)
      if (id !== undefined && typeof value === 'string') entries.set(id, value)
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') warn(`${path} has nothing that this version wrote, and is not used`)
  }
  return entries
}
