/**
 * Runs the READMEs' commands of tunnels on loopback: a server that sends back what it gets stands for
 * that of the other host, and a line goes to it and back by `forward` and by `stdio`.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Program } from '@showchain-tooling/vitest/programs'
import { type Command, commandsOf } from './commands.ts'

const LINE = 'a line through a tunnel'
/** What READMEs serve, and where they forward to. */
const TARGET = /^tcp:/
const LOCAL = /^\d+$/
const PROXY = /^showchain stdio /
const TICKET = /^showchain:/

interface Tunnels {
  readonly serve: readonly string[]
  readonly forward: readonly string[]
  /** Of ssh's ProxyCommand. */
  readonly stdio: readonly string[]
}

/** What a README types into ssh as its ProxyCommand. */
export function proxyCommandIn(commands: readonly Command[]): readonly string[] | undefined {
  const ssh = commands.find(({ program }) => program === 'ssh')
  const line = ssh?.args.find((argument) => PROXY.test(argument))
  return line === undefined ? undefined : commandsOf(`\`\`\`sh\n${line}\n\`\`\`\n`)[0]?.args
}

/**
 * @param start runs `showchain` with these arguments, of which tickets are those of the server
 * @throws Error when a command does not do what its README says
 */
export async function carryLine(
  { serve, forward, stdio }: Tunnels,
  start: (args: readonly string[], home: string, ticket?: string) => Promise<Program>,
): Promise<void> {
  const server = createServer((socket) => void socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const target = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
    const serving = await start(
      serve.map((argument) => (TARGET.test(argument) ? target : argument)),
      'listener',
    )
    const ticket = await serving.stdout.line(TICKET)
    const forwarding = await start(
      forward.map((argument) => (LOCAL.test(argument) ? '0' : argument)),
      'caller',
      ticket,
    )
    const port = /:(\d+)$/.exec(await forwarding.stdout.line(/^forwarding tcp:/))?.[1]
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`${LINE}\n`)
    const [back] = (await once(createInterface({ input: socket }), 'line')) as [string]
    socket.destroy()
    if (back !== LINE) throw new Error(`showchain forward: got ${back}`)

    const proxy = await start(stdio, 'caller', ticket)
    proxy.type(LINE)
    await proxy.stdout.line(new RegExp(`^${LINE}$`))
    proxy.child.stdin?.end()
    const { code, stderr } = await proxy.ended()
    if (code !== 0) throw new Error(`showchain stdio ended with ${code}: ${stderr}`)
  } finally {
    server.close()
  }
}
