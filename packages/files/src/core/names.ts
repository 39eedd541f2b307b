/**
 * Which paths, links and names a receiver takes. Paths are bytes, with `/` between names, since file
 * systems know names as bytes.
 */
import { fromUtf8, printable } from '@showchain/wire'
import { MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES } from './limits.ts'

const [DOT, SLASH, DELETE, FIRST_PRINTABLE] = [0x2e, 0x2f, 0x7f, 0x20]
/** The first byte of U+0080 to U+00BF in UTF-8; those up to U+009F are controls. */
const [C1_LEAD, C1_FIRST, C1_LAST] = [0xc2, 0x80, 0x9f]

/** Where a receiver keeps what came so far: no entry may come to lie there. */
export const STAGING_NAME: RegExp = /^showchain-[0-9a-f]{16}\.part$/i

/** Each byte as the character of that number, as a key. */
export function keyOf(bytes: Uint8Array): string {
  let key = ''
  for (const byte of bytes) key += String.fromCharCode(byte)
  return key
}

/** The name or path as one printable line, for people. */
export const shownPath = (path: Uint8Array): string =>
  printable(fromUtf8(path) ?? keyOf(path).replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`))

/** The names of a path. */
export function namesOf(path: Uint8Array): readonly Uint8Array[] {
  const names: Uint8Array[] = []
  let begin = 0
  for (let at = 0; at <= path.length; at++)
    if (at === path.length || path[at] === SLASH) {
      names.push(path.subarray(begin, at))
      begin = at + 1
    }
  return names
}

/** `.`: 1, `..`: 2, others 0. */
const dots = (name: Uint8Array): number => (name.length <= 2 && name.every((byte) => byte === DOT) ? name.length : 0)

const hasControls = (bytes: Uint8Array): boolean =>
  bytes.some(
    (byte, at) =>
      byte < FIRST_PRINTABLE || byte === DELETE || (byte >= C1_FIRST && byte <= C1_LAST && bytes[at - 1] === C1_LEAD),
  )

/** Why a name is refused; undefined when it is not. */
function nameFault(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'a name in it is empty'
  if (name.length > MAX_NAME_BYTES) return `a name in it is longer than ${MAX_NAME_BYTES} bytes`
  if (dots(name) > 0) return 'it has . or .. in it'
  return hasControls(name) ? 'it has control characters' : undefined
}

/** Why a path is refused; undefined when it is not. An absolute one begins with an empty name. */
export function pathFault(path: Uint8Array): string | undefined {
  if (path.length > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`
  if (path[0] === SLASH) return 'it is absolute'
  const names = namesOf(path)
  if (names.length > MAX_DEPTH) return `it is more than ${MAX_DEPTH} folders deep`
  for (const name of names) {
    const fault = nameFault(name)
    if (fault !== undefined) return fault
  }
  return STAGING_NAME.test(keyOf(names[0] as Uint8Array)) ? 'that name is for parts of transfers' : undefined
}

/**
 * Why a link is refused. Its target must lie below the offered name that it is in, whatever the links
 * on the way are: each leads to a place below, and from there names only go deeper. Therefore `..`
 * may stand at the beginning only.
 *
 * @param path of the link
 */
export function linkFault(path: Uint8Array, target: Uint8Array): string | undefined {
  if (target.length === 0) return 'it leads nowhere'
  if (target.length > MAX_PATH_BYTES) return `its target is longer than ${MAX_PATH_BYTES} bytes`
  if (target[0] === SLASH) return 'its target is absolute'
  if (hasControls(target)) return 'its target has control characters'
  /** Folders between the link and the offered name. */
  const room = namesOf(path).length - 2
  let up = 0
  let down = false
  for (const name of namesOf(target)) {
    if (dots(name) === 2) {
      if (down) return 'its target has .. behind a name'
      up += 1
    } else if (name.length > 0 && dots(name) === 0) down = true
  }
  return up > room || room < 0 ? 'it leads out of what is sent' : undefined
}
