// The licences of the third-party code that a bundle holds, as those licences ask to be passed on.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of an installed package, and its name. */
const INSTALLED = /^(?<folder>.*node_modules\/(?<name>(?:@[^/]+\/)?[^/]+))\//
const LICENCE = /^licen[cs]e(-mit)?(\.(md|txt))?$/i
const RULE = '-'.repeat(80)

/**
 * One text for all installed packages that these files come from, by name. Workspace packages are
 * not installed ones: they come under the licence of the program itself.
 * @throws Error when a package has no licence file
 */
export function licencesOf(files) {
  const packages = new Map()
  for (const file of files) {
    const found = INSTALLED.exec(file)?.groups
    if (found !== undefined) packages.set(found.folder, found.name)
  }
  const texts = [...packages].map(([folder, name]) => {
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => LICENCE.test(entry))
    if (file === undefined) throw new Error(`${name} ${version} (${license}) has no licence file`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  return `Third-party packages in this program.\n\n${texts
    .sort()
    .map((text) => `${RULE}\n${text}`)
    .join('\n')}`
}
