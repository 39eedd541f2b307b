/** What is made of the table of commands: completion, tried in the shells that there are, and the manual page. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../src/program.ts'

const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))
const SHELLS = ['bash', 'zsh', 'fish'] as const

let folder: Folder
beforeAll(() => {
  folder = new Folder()
})
afterAll(() => folder.remove())

const printed = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await new Program(BIN, args).ended()
  expect([code, stderr]).toEqual([0, ''])
  return `${stdout}\n`
}

const root = program(() => {})
const commands = root
  .createHelp()
  .visibleCommands(root)
  .map((command) => ({
    name: command.name(),
    options: command.options.map(({ long }) => long as string),
  }))

describe('in bash', () => {
  /** Lines that were typed into an interactive bash on a terminal, with what the program then got. */
  const LINES = [
    ['showchain conn\tTICKET', ['connect', 'TICKET']],
    ['showchain connect --via rel\tTICKET', ['connect', '--via', 'relay-only', 'TICKET']],
    ['showchain connect --via=pun\tTICKET', ['connect', '--via=punch', 'TICKET']],
    ['showchain ping TICKET --unt\t', ['ping', 'TICKET', '--until-direct']],
    ['showchain keygen --bits 4\t', ['keygen', '--bits', '4096']],
    ['showchain keygen --out some\t', ['keygen', '--out', 'some file.pem']],
    ['showchain completion z\t', ['completion', 'zsh']],
    ['showchain listen --timeout some\t', ['listen', '--timeout', 'some']],
    ['showchain --ver\t', ['--version']],
    ['showchain connect al\t', ['connect', 'alice']],
    ['showchain send x --to al\t', ['send', 'x', '--to', 'alice']],
    ['showchain serve x --allow al\t', ['serve', 'x', '--allow', 'alice']],
    ['showchain forward 80 al\t', ['forward', '80', 'alice']],
    ['showchain contact ren\tal\t', ['contact', 'rename', 'alice']],
    ['showchain receive 7-orb\tvelv\t', ['receive', '7-orbit-velvet']],
    ['showchain receive al\t', ['receive', 'alice']],
  ] as const

  test('commands, options and their values are completed, and files where they are wanted', async () => {
    folder.write('some file.pem', '')
    mkdirSync(folder.file('showchain'))
    const alice = { id: 'A'.repeat(43) }
    folder.write('showchain/contacts.json', JSON.stringify({ version: 1, contacts: { alice } }))
    // What the script asks, beside the function that shows the lines.
    mkdirSync(folder.file('bin'))
    folder.write('bin/showchain', `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`, 0o755)
    folder.write('script', await printed('completion', 'bash'))
    const settings = ['bind "set enable-bracketed-paste off"', 'bind "set bell-style none"', "PS1=''"]
    const shown = 'showchain() { printf "<%s>" "$@"; echo; }'
    folder.write('rc', [`cd ${folder.path}`, ...settings, shown, '. ./script', 'echo ready', ''].join('\n'))
    const bash = Program.terminal(`exec bash --rcfile ${folder.file('rc')} -i`, {
      PATH: `${folder.file('bin')}:${process.env.PATH}`,
      XDG_CONFIG_HOME: folder.path,
      ...{ INPUTRC: '/dev/null', TERM: 'dumb' },
    })
    await bash.stdout.line(/^ready/)
    for (const [line] of LINES) bash.type(line)
    bash.type('exit')
    const { stdout } = await bash.ended()
    const got = stdout.split(/\r?\n/).filter((line) => line.startsWith('<'))
    expect(got).toEqual(LINES.map(([, args]) => args.map((each) => `<${each}>`).join('')))
  })
})

describe.each(SHELLS)('the script for %s', (shell) => {
  test('knows each command and each option', async () => {
    const script = await printed('completion', shell)
    for (const { name, options } of commands) {
      expect(script).toContain(name)
      for (const option of options) expect(script).toContain(shell === 'fish' ? `-l ${option.slice(2)}` : option)
    }
  })

  test('has no error of syntax', needsTool(shell), async () => {
    const file = folder.write(`${shell}-script`, await printed('completion', shell))
    expect(execFileSync(shell, ['-n', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })).toBe('')
  })
})

test('another shell is refused in one line', async () => {
  const { code, stderr } = await new Program(BIN, ['completion', 'tc\u001b[2Jsh']).ended()
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^showchain: the shell is one of bash, zsh, fish, not .*$/)])
  expect(stderr).not.toContain('\u001b')
})

describe('the manual page', () => {
  test('is read by man without a warning, and has everything that help has', needsTool('man', 'man-db'), async () => {
    const file = folder.write('showchain.1', await printed('man'))
    const man = Program.shell(`exec man --warnings=w -l ${file}`, { MANWIDTH: '80', LC_ALL: 'C.UTF-8' })
    const { code, stdout, stderr } = await man.ended()
    expect([code, stderr]).toEqual([0, ''])
    for (const { name, options } of commands) {
      expect(stdout).toMatch(new RegExp(`^ +showchain ${name}\\b`, 'm'))
      for (const option of options) expect(stdout).toContain(option)
    }
    for (const title of ['NAME', 'SYNOPSIS', 'COMMANDS', 'EXIT CODES', 'EXAMPLES'])
      expect(stdout).toMatch(new RegExp(`^${title}$`, 'm'))
    expect(stdout).toMatch(/^ {7} {2}2 {2}wrong arguments/m)
    expect(stdout).toContain('showchain:<relay>?addr=')
  })

  test('is in the package', async () => {
    expect(await printed('man')).toBe(readFileSync(new URL('../dist/showchain.1', import.meta.url), 'utf8'))
  })
})
