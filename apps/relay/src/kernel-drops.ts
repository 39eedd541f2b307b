/**
 * Datagrams that the kernel dropped since a socket of this process had no room for them, or since they could
 * be no message (`messagesOnly`): the relay never saw them. Linux lists them for each UDP socket, together;
 * other systems do not.
 */
import { readdir, readFile, readlink } from 'node:fs/promises'

/** Columns of /proc/net/udp (proc(5)), by white space. */
const [INODE, DROPS] = [9, 12]

/** @returns undefined where the system does not say */
export async function kernelDrops(proc: string = '/proc'): Promise<number | undefined> {
  const own = await ownSockets(`${proc}/self/fd`)
  if (own === undefined) return undefined
  const tables = await Promise.all(['udp', 'udp6'].map((name) => rowsOf(`${proc}/net/${name}`)))
  if (tables.every((rows) => rows === undefined)) return undefined
  let drops = 0
  for (const row of tables.flatMap((rows) => rows ?? []))
    if (own.has(row[INODE] ?? '')) drops += Number(row[DROPS] ?? 0)
  return drops
}

/** The inodes of the sockets that this process has open. */
async function ownSockets(folder: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const names = await readdir(folder)
    // A descriptor may be closed meanwhile.
    const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  } catch {
    return undefined
  }
}

async function rowsOf(path: string): Promise<readonly string[][] | undefined> {
  try {
    const [, ...lines] = (await readFile(path, 'utf8')).trim().split('\n')
    return lines.map((line) => line.trim().split(/\s+/))
  } catch {
    return undefined
  }
}
