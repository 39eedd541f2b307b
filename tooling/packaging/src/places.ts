import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './links.ts'
import type { Tarball } from './pack.ts'

/** A folder on disk. */
export const folder = (path: string): Place => ({
  has: (name) => existsSync(join(path, name)),
  text: (name) => readFileSync(join(path, name), 'utf8'),
})

/** What is in a tarball; of its texts only the README. */
export const tarballPlace = ({ files, readme }: Tarball): Place => ({
  has: (name) => files.some((file) => file === name || file.startsWith(`${name.replace(/\/$/, '')}/`)),
  text: (name) => (name === 'README.md' ? readme : ''),
})
