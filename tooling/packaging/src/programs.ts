/**
 * Runs the commands of a README as they stand, on loopback: a relay and two peers, each a process
 * of its own.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Program } from '@showchain-tooling/vitest/programs'
import type { Command } from './commands.ts'
import { carryLine, proxyCommandIn } from './tunnels.ts'

/** Scripts of the installed programs, by the name that people type. */
export type Scripts = Readonly<Record<'showchain' | 'showchain-relay', string>>

const TIME = 120_000 // ms, for everything
const TICKET = /^showchain:/
const PLACEHOLDER = /</ // '<relay ticket>', 'showchain:<id>?relay=…'
const CODE = /^\d+-[a-z]+-[a-z]+$/
const LINE = 'a line from a README'

/** The subcommand of `showchain`, or `relay`. */
const role = ({ program, args }: Command): string => (program === 'showchain-relay' ? 'relay' : (args[0] ?? ''))

/** With another value for an option, or with the option when it has none. */
function having(args: readonly string[], option: string, value: string): readonly string[] {
  const at = args.indexOf(option)
  return at === -1 ? [...args, option, value] : [...args.slice(0, at + 1), value, ...args.slice(at + 2)]
}

const optionOf = (args: readonly string[], option: string): string | undefined =>
  args.includes(option) ? args[args.indexOf(option) + 1] : undefined

const lab = (args: readonly string[]): readonly string[] =>
  having(args.includes('--lab') ? args : [...args, '--lab'], '--host', '127.0.0.1')

const withTicket = (args: readonly string[], ticket: string): readonly string[] =>
  args.map((argument) => (PLACEHOLDER.test(argument) ? ticket : argument))

/** The relay's ticket with the loopback address in place of a public one. */
const reachable = (ticket: string, port: number): string => ticket.replace(/addr=[^&]*/, `addr=127.0.0.1:${port}`)

/** What READMEs send. */
const SENT = 'photos'

/** Sends a folder of that name, by a code. */
async function sendFolder(
  send: readonly string[],
  receive: readonly string[],
  folder: string,
  start: (args: readonly string[], home: string) => Promise<Program>,
): Promise<void> {
  const [from, into] = [join(folder, SENT), join(folder, 'received')]
  await Promise.all([mkdir(from, { recursive: true }), mkdir(into, { recursive: true })])
  await writeFile(join(from, 'a.jpg'), LINE)
  const sender = await start(
    send.map((argument) => (argument === SENT ? from : argument)),
    'listener',
  )
  const code = await sender.stdout.line(CODE)
  const typed = receive.map((argument) => (CODE.test(argument) ? code : argument))
  // Nobody is there to be asked.
  const receiver = await start([...having(typed, '--out', into), '--yes'], 'caller')
  for (const program of [sender, receiver]) {
    const { code, stderr } = await program.ended()
    if (code !== 0) throw new Error(`showchain send and receive: ended with ${code}: ${stderr}`)
  }
  const received = await readFile(join(into, SENT, 'a.jpg'), 'utf8')
  if (received !== LINE) throw new Error(`showchain receive: the file has: ${received}`)
}

/**
 * Starts the relay, the listener and the connecting end of `commands` (the first command of each),
 * sends a folder, a line from one peer to the other, and one to a server of the other host and back.
 * Tickets take the place of placeholders; ports and addresses become loopback ones.
 * @throws Error when a command does not do what its README says
 */
export async function play(commands: readonly Command[], scripts: Scripts, folder: string): Promise<void> {
  const running: Program[] = []
  const start = async (
    args: readonly string[],
    name: keyof Scripts,
    home: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Program> => {
    await mkdir(join(folder, home), { recursive: true })
    const paths = args.map((argument) => (argument.endsWith('.pem') ? join(folder, argument) : argument))
    const program = new Program(scripts[name], paths, { XDG_CONFIG_HOME: join(folder, home), ...environment })
    running.push(program)
    return program
  }
  const of = (wanted: string): readonly Command[] => commands.filter((command) => role(command) === wanted)
  const first = (wanted: string): readonly string[] => {
    const args = of(wanted)[0]?.args
    if (args === undefined) throw new Error(`no README has a command for: ${wanted}`)
    return args
  }

  const deadline = setTimeout(() => running.forEach((program) => void program.kill()), TIME)
  try {
    for (const { args } of of('keygen')) {
      // without --out, each user has a file of their own
      for (const home of args.includes('--out') ? ['any'] : ['listener', 'caller']) {
        const { code, stderr } = await (await start(args, 'showchain', home)).ended()
        if (code !== 0) throw new Error(`showchain ${args.join(' ')}: ${stderr}`)
      }
    }
    const relay = await start(
      having(having(first('relay'), '--listen', '127.0.0.1:0'), '--log-format', 'json'),
      'showchain-relay',
      'relay',
    )
    const listening = await relay.stderr.line(/"listening"/)
    const { addresses } = JSON.parse(listening) as { readonly addresses: readonly { readonly port: number }[] }
    const announced = await relay.stdout.line(TICKET)
    const publicAddress = optionOf(first('relay'), '--public-address')
    if (publicAddress !== undefined && !announced.includes(`addr=${publicAddress}&mailbox=`))
      throw new Error(`the ticket does not have ${publicAddress}: ${announced}`)
    const relayTicket = reachable(announced, addresses[0]?.port ?? 0)

    await sendFolder(lab(first('send')), lab(first('receive')), folder, (args, home) =>
      start(args, 'showchain', home, { SHOWCHAIN_RELAY: relayTicket }),
    )
    const listener = await start(lab(withTicket(first('listen'), relayTicket)), 'showchain', 'listener')
    const ticket = await listener.stdout.line(TICKET)
    const caller = await start(lab(withTicket(first('connect'), ticket)), 'showchain', 'caller')
    const ended = caller.ended().then(({ code, stderr }) => {
      if (code !== 0) throw new Error(`showchain connect ended with ${code}: ${stderr}`)
    })
    caller.type(LINE)
    await Promise.race([listener.stdout.line(new RegExp(`^${LINE}$`)), ended])
    caller.child.stdin?.end()
    await ended

    listener.kill()
    await listener.ended()
    const stdio = proxyCommandIn(commands)
    if (stdio === undefined) throw new Error('no README has a ProxyCommand of ssh')
    await carryLine({ serve: first('serve'), forward: first('forward'), stdio }, (args, home, at = relayTicket) =>
      start(lab(withTicket(args, at)), 'showchain', home, { SHOWCHAIN_RELAY: relayTicket }),
    )
  } finally {
    clearTimeout(deadline)
    for (const program of running) program.kill()
  }
}
