/**
 * What must hold of a public package before it is released. The tests and `pnpm release:dry` run
 * the same table.
 */
import type { Check } from './check.ts'
import * as install from './install-checks.ts'
import * as tarball from './tarball-checks.ts'
import type { PublicPackage } from './workspace.ts'

const every = (): boolean => true
const libraries = ({ kind }: PublicPackage): boolean => kind === 'library'
const only =
  (wanted: string) =>
  ({ name }: PublicPackage): boolean =>
    name === wanted
/** Libraries that have all others with them. */
const TOPMOST: readonly string[] = ['@showchain/testkit', '@showchain/files', '@showchain/mailbox', '@showchain/tunnel']
const programs = ({ kind }: PublicPackage): boolean => kind === 'program'

/** What its tarball alone tells. */
export const TARBALL_CHECKS: readonly Check[] = [
  {
    column: 'tarball',
    demand: 'its tarball holds the build, sources, README, LICENSE and manifest, and nothing else',
    appliesTo: every,
    run: tarball.contents,
  },
  {
    column: 'licences',
    demand: 'its tarball has the licence of each third-party package in its bundle',
    appliesTo: programs,
    run: tarball.licences,
  },
  {
    column: 'version',
    demand: 'its manifest asks for released versions, and for those of our packages that were packed with it',
    appliesTo: every,
    run: tarball.versions,
  },
  { column: 'publint', demand: 'publint finds no fault', appliesTo: every, run: tarball.publintFindings },
  {
    column: 'links',
    demand: "each link of its README leads to a file in the tarball or in the repository's main branch",
    appliesTo: every,
    run: tarball.links,
  },
]

/** What resolving its types, and using it in a new project, tells. */
export const INSTALL_CHECKS: readonly Check[] = [
  { column: 'types', demand: 'its types resolve for every ESM resolver', appliesTo: libraries, run: tarball.types },
  {
    column: 'installs',
    demand: 'it brings along our tarballs and the third-party packages that it may, others only optionally',
    appliesTo: every,
    run: install.dependencies,
  },
  {
    column: 'loads',
    demand: 'each entry point loads, and each program shows its help',
    appliesTo: every,
    run: install.loads,
  },
  {
    column: 'examples',
    demand: 'the examples of its README compile and run',
    appliesTo: libraries,
    run: install.examples,
  },
  {
    column: 'commands',
    demand: 'the commands of its README connect two peers through a relay, and send a folder',
    appliesTo: programs,
    run: install.commands,
  },
  {
    column: 'commands',
    demand: 'the command of its README passes an implementation that answers as ours',
    appliesTo: only('@showchain/testkit'),
    run: install.conformance,
  },
  {
    column: 'repository',
    demand: "the program of the repository's README compiles with it",
    appliesTo: only('@showchain/client'),
    run: install.repositoryPrograms,
  },
  {
    column: 'repository',
    demand: "the commands of the repository's README connect two peers through a relay, and send a folder",
    appliesTo: only('@showchain/peer-cli'),
    run: install.repositoryCommands,
  },
  {
    column: 'TS floor',
    demand: 'its declarations, and those of the libraries that it needs, pass the oldest TypeScript that READMEs name',
    appliesTo: ({ name }) => TOPMOST.includes(name),
    run: install.floor,
  },
  {
    column: 'browser',
    demand: 'its browser bundles keep their budget',
    appliesTo: install.hasBudget,
    run: install.bundles,
  },
]

export const CHECKS: readonly Check[] = [...TARBALL_CHECKS, ...INSTALL_CHECKS]
