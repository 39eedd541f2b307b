/** Programs of others through `showchain serve`, `forward` and `stdio`: ssh, curl, iperf3. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PEER_PROGRAM } from '../lab.ts'
import type { Host } from '../lab-options.ts'
import type { Program } from '../program.ts'
import { isOn, isPath, type Scenario, type World } from '../scenario.ts'
import { type PathKind, simulatedPair } from '../simulated.ts'
import { FILE_BYTES, MIB } from '../transfer.ts'

/** Where the programs listen that are served, and where they are forwarded to. */
const [TARGET_PORT, LOCAL_PORT] = [8080, 9090]
const AT_ONCE = 100

interface Tunnel {
  readonly server: Program
  readonly forwarder: Program
}

/** `serve` at one host; its ticket without addresses, which are private. */
async function serve(
  { lab, relay }: World,
  host: Host,
): Promise<{ readonly server: Program; readonly ticket: string }> {
  const server = lab.peer(host, ['serve', '--relay', relay, `tcp://127.0.0.1:${TARGET_PORT}`])
  const { ticket } = await server.until('it has a ticket', ({ event }) => event === 'ticket')
  await server.until('it knows its NAT', ({ event }) => event === 'nat')
  return { server, ticket: (ticket as string).replace(/&addr=[^&]*/g, '') }
}

/** `serve` at one host and `forward` at the other, on this kind of path. */
async function tunnel(world: World, [from, to]: readonly [Host, Host], path: PathKind): Promise<Tunnel> {
  const { server, ticket } = await serve(world, to)
  const forwarder = world.lab.peer(from, ['forward', `${LOCAL_PORT}`, ticket])
  await forwarder.until('it forwards', ({ event }) => event === 'forwarding')
  await forwarder.until(`its path is ${path}`, isOn(path))
  return { server, forwarder }
}

/** Runs a program to its end, with this on its stdin. @returns what it printed */
async function outputOf(
  world: World,
  { name }: Host,
  command: readonly string[],
  { input = new Uint8Array(), code = 0 }: { readonly input?: Uint8Array; readonly code?: number } = {},
): Promise<Buffer> {
  const program = world.lab.start(command[0] as string, name, command, true)
  const pieces: Buffer[] = []
  program.child.stdout?.on('data', (piece: Buffer) => pieces.push(piece))
  const closed = new Promise<void>((resolve) => program.child.once('close', () => resolve()))
  program.child.stdin?.end(input)
  const exited = await program.ended
  await closed
  if (exited !== code) throw new Error(`${command[0]} exited with ${exited}\n${program.transcript()}`)
  return Buffer.concat(pieces)
}

/** Starts a program of Node.js at a host, and waits until it has printed that it listens. */
async function web(world: World, { name }: Host, handler: string): Promise<void> {
  const script = `
    const { createCipheriv } = require('node:crypto')
    const { createServer } = require('node:http')
    const waiting = []
    createServer(${handler}).listen(${TARGET_PORT}, '127.0.0.1', () => console.log('listening'))`
  const program = world.lab.start('web', name, [process.execPath, '-e', script])
  await program.until('it listens', ({ text }) => text === 'listening')
}

const local = (path: string): string => `http://127.0.0.1:${LOCAL_PORT}/${path}`

async function manyAtOnce(world: World): Promise<string> {
  const path = await simulatedPair('T3', 'T3')
  const [from, to] = world.hosts('T3', 'T3')
  // It answers nobody before all are there.
  await web(
    world,
    to,
    `(request, response) => {
      waiting.push(() => response.end(request.url.slice(1) + '\\n'))
      if (waiting.length === ${AT_ONCE}) for (const answer of waiting.splice(0)) answer()
    }`,
  )
  await tunnel(world, [from, to], path)
  const curl = ['curl', '-s', '-Z', '--parallel-immediate', '--parallel-max', `${AT_ONCE}`, local(`[1-${AT_ONCE}]`)]
  const answers = (await outputOf(world, from, curl)).toString().trim().split('\n').map(Number)
  if (answers.sort((a, b) => a - b).some((answer, at) => answer !== at + 1) || answers.length !== AT_ONCE)
    throw new Error(`curl printed ${answers}`)
  return `${path}, as simulated; ${AT_ONCE} connections of curl at once, each answered`
}

/** What the server sends: random, and the same in each run. */
const keystream = (bytes: number): Buffer =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes))

async function pathMoves(world: World): Promise<string> {
  const [router, other] = [await world.router({ kind: 'T3' }), world.side('b', 'T3')]
  const [from, to] = [world.lab.host(router), world.lab.host(other)]
  // 64 KiB each 10 ms.
  await web(
    world,
    to,
    `(request, response) => {
      const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
      let left = ${FILE_BYTES} * 8
      const timer = setInterval(() => {
        response.write(cipher.update(Buffer.alloc(65536)))
        if ((left -= 65536) > 0) return
        clearInterval(timer)
        response.end()
      }, 10)
    }`,
  )
  router.partition(other.wan)
  const { forwarder } = await tunnel(world, [from, to], 'relay')
  const downloading = outputOf(world, from, ['curl', '-s', local('')])
  await new Promise((resolve) => setTimeout(resolve, 1000))
  router.heal()
  await forwarder.until('it is direct', isOn('direct'))
  const received = await downloading
  if (!received.equals(keystream(8 * FILE_BYTES)))
    throw new Error(`curl got ${received.length} bytes\n${forwarder.transcript()}`)
  const paths = forwarder.events.filter(isPath).map(({ path }) => path.kind)
  return `${paths.join(' → ')}; ${(8 * FILE_BYTES) / MIB} MiB by curl on one connection, every byte`
}

async function iperf(world: World): Promise<string> {
  const path = await simulatedPair('T3', 'T3')
  const [from, to] = world.hosts('T3', 'T3')
  const target = world.lab.start('iperf3', to.name, [
    'iperf3',
    '-s',
    '-B',
    '127.0.0.1',
    '-p',
    `${TARGET_PORT}`,
    '--forceflush',
  ])
  await target.until('it listens', ({ text }) => String(text).includes('Server listening'))
  await tunnel(world, [from, to], path)
  const rates: string[] = []
  for (const direction of [[], ['-R']]) {
    const command = ['iperf3', '-c', '127.0.0.1', '-p', `${LOCAL_PORT}`, '-t', '3', '-P', '4', '-J', ...direction]
    const { end } = JSON.parse((await outputOf(world, from, command)).toString())
    const rate = end.sum_received.bits_per_second / 1e6
    if (!(rate > 0)) throw new Error(`iperf3 measured ${rate} Mbit/s`)
    rates.push(`${rate.toFixed(0)} Mbit/s ${direction.length === 0 ? 'there' : 'back'}`)
  }
  return `${path}, as simulated; iperf3 with 4 connections: ${rates.join(', ')}`
}

/** What a command at the other end ends with. */
const EXIT_CODE = 7

async function ssh(world: World): Promise<string> {
  const path = await simulatedPair('T4', 'T4')
  const [from, to] = world.hosts('T4', 'T4')
  const [hostKey, userKey] = ['ssh-host', 'ssh-user'].map((name) => join(world.lab.folder, name)) as [string, string]
  for (const key of [hostKey, userKey])
    world.lab.names.exec(to.name, 'ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  // sshd leaves its privileges there.
  mkdirSync('/run/sshd', { recursive: true })
  const settings = [
    `HostKey=${hostKey}`,
    `AuthorizedKeysFile=${userKey}.pub`,
    ...['ListenAddress=127.0.0.1', `Port=${TARGET_PORT}`, 'PidFile=none'],
    ...['UsePAM=no', 'StrictModes=no', 'PermitRootLogin=yes', 'PasswordAuthentication=no'],
  ]
  const options = (all: readonly string[]): readonly string[] => all.flatMap((each) => ['-o', each])
  const daemon = world.lab.start('sshd', to.name, [
    '/usr/sbin/sshd',
    '-D',
    '-e',
    '-f',
    '/dev/null',
    ...options(settings),
  ])
  await daemon.until('it listens', ({ text }) => String(text).startsWith('Server listening'))
  const { server, ticket } = await serve(world, to)
  const proxy = `${process.execPath} ${PEER_PROGRAM} stdio --lab '${ticket}'`
  const client = [`ProxyCommand=${proxy}`, 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes']
  const input = randomBytes(FILE_BYTES)
  const command = [
    'ssh',
    '-F',
    'none',
    '-i',
    userKey,
    ...options(client),
    'root@behind',
    `sha256sum; exit ${EXIT_CODE}`,
  ]
  const printed = (await outputOf(world, from, command, { input, code: EXIT_CODE })).toString()
  if (printed.split(' ')[0] !== createHash('sha256').update(input).digest('hex'))
    throw new Error(`sha256sum printed ${printed}\n${server.transcript()}`)
  const kinds = server.events.filter(isPath).map((event) => event.path.kind)
  if (kinds.some((kind) => kind !== path)) throw new Error(`${path}, as simulated, but it was ${kinds}`)
  return `${path}, as simulated; sha256sum of ${FILE_BYTES / MIB} MiB by ssh, its exit code ${EXIT_CODE}`
}

export const TUNNELS: readonly Scenario[] = [
  {
    name: 'tunnel-http',
    title: `${AT_ONCE} connections of curl through forward, T3 → T3`,
    needs: { curl: 'curl' },
    run: manyAtOnce,
  },
  {
    name: 'tunnel-moves',
    title: 'a download by curl while the path changes from relay to direct',
    needs: { curl: 'curl' },
    run: pathMoves,
  },
  { name: 'tunnel-iperf3', title: 'iperf3 through forward, T3 → T3', needs: { iperf3: 'iperf3' }, run: iperf },
  { name: 'tunnel-ssh', title: 'ssh through stdio, T4 → T4', needs: { sshd: 'openssh-server' }, run: ssh },
]
