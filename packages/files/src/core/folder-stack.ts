/**
 * The folders that an entry is in. Entries come depth first, each behind its folder, so that as many
 * folders are known as lie in each other, and not all of them.
 */
import type { Entry } from './frames.ts'
import { keyOf } from './names.ts'

const SLASH = '/'

/** Of the path's folder; empty for what lies in none. */
function parentOf(key: string): string {
  const slash = key.lastIndexOf(SLASH)
  return slash < 0 ? '' : key.slice(0, slash)
}

export class FolderStack {
  readonly #open: { readonly key: string; readonly entry: Entry }[] = []

  /** The folders that the path is not in, the innermost first. They are complete. */
  leave(path: Uint8Array): readonly Entry[] {
    const parent = parentOf(keyOf(path))
    const left: Entry[] = []
    for (let top = this.#open.at(-1); top !== undefined && !isIn(parent, top.key); top = this.#open.at(-1)) {
      left.push(top.entry)
      this.#open.pop()
    }
    return left
  }

  /** Whether the path lies right in the innermost folder, or in none. */
  takes(path: Uint8Array): boolean {
    return parentOf(keyOf(path)) === (this.#open.at(-1)?.key ?? '')
  }

  enter(folder: Entry): void {
    this.#open.push({ key: keyOf(folder.path), entry: folder })
  }

  /** All that are open, the innermost first. */
  end(): readonly Entry[] {
    return this.#open
      .splice(0)
      .reverse()
      .map(({ entry }) => entry)
  }
}

const isIn = (key: string, folder: string): boolean => key === folder || key.startsWith(folder + SLASH)
