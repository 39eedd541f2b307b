/** The README's tables. */
import type { Model } from './model.ts'
import { MODELS } from './models.ts'

const PROTOCOL = '../../docs/protocol.md'
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
const linkOf = (section: string): string => `[${section}](${PROTOCOL}#${anchorOf(section)})`

function tableOf({ name, title, properties, guards }: Model): string {
  return [
    `### ${title}`,
    `[${name}.pml](promela/${name}.pml). In every state:`,
    '',
    '| property | meaning |',
    '|---|---|',
    ...properties.map((property) => `| \`${property.name}\` | ${property.meaning} |`),
    '',
    '| guard | rule | where | without it |',
    '|---|---|---|---|',
    ...guards.map((guard) => `| \`${guard.name}\` | ${guard.rule} | ${linkOf(guard.section)} | \`${guard.breaks}\` |`),
  ].join('\n')
}

/** One table for each model. */
export const tables = (): string => MODELS.map(tableOf).join('\n\n')
