/** The files of the status page, as they were built: read once, so that no path of a request reaches the disk. */
import { readdir, readFile } from 'node:fs/promises'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/** Beside this program's bundle. */
const FOLDER = new URL('./page/', import.meta.url)

export interface PageFile {
  readonly type: string
  readonly body: Uint8Array
}

/** By the path that asks for each. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(FOLDER, { recursive: true })
  const files = entries.flatMap((name) => {
    const type = TYPES[name.split('.').at(-1) ?? '']
    return type === undefined ? [] : [{ name, type }]
  })
  const read = await Promise.all(
    files.map(async ({ name, type }) => {
      const body = await readFile(new URL(name, FOLDER))
      return [name === 'index.html' ? '/' : `/${name}`, { type, body }] as const
    }),
  )
  return new Map(read)
}
