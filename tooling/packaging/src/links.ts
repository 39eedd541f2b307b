/** Where a README's links lead, on a package page and in the repository. */
import { anchorsOf, linksOf } from './markdown.ts'

/** Files that a relative link can reach. */
export interface Place {
  /** Whether a file or folder is there. */
  has(path: string): boolean
  /** The text of a file that is there. */
  text(path: string): string
}

/** The address of the project's repository; manifests and READMEs use this one. */
export const REPOSITORY = 'https://github.com/showchain/showchain'
const IN_REPOSITORY = new RegExp(`^${REPOSITORY}/(?:blob|tree)/main/`)

/**
 * Links that lead nowhere. A relative one must be in `nearby`, one to the repository's main branch
 * in `repository`; an anchor must be a heading. Other addresses are not followed.
 */
export function deadLinks(
  markdown: string,
  { nearby, repository }: { readonly nearby: Place; readonly repository: Place },
): readonly string[] {
  return linksOf(markdown).filter((link) => {
    const [target = '', anchor] = link.split('#')
    if (target === '') return !anchorsOf(markdown).includes(anchor ?? '')
    const place = IN_REPOSITORY.test(target) ? repository : nearby
    const path = target.replace(IN_REPOSITORY, '')
    if (path.includes('://')) return false
    return !place.has(path) || (anchor !== undefined && !anchorsOf(place.text(path)).includes(anchor))
  })
}
