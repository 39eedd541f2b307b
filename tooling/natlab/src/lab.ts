/**
 * The lab: a public segment, routers on it, private networks behind them, and programs on their
 * hosts.
 *
 *   public    relays .10 .11, .20 .21, .25 .26   coturn .30 .31   hosts .40 …   203.0.113.0/24, 2001:db8::/64
 *     │
 *   router    wan .101 …   netfilter   lan 192.168.1.1, 2001:db8:N::1
 *     │
 *   host      192.168.1.10 …, 2001:db8:N::10 …
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeCertificate } from './certificate.ts'
import type { Host, PeerOptions, ProgramOptions, RelayOptions } from './lab-options.ts'
import { fragmentsCreated, withHosts } from './machine.ts'
import { Namespaces } from './namespaces.ts'
import { Program } from './program.ts'
import { Router, type RouterOptions } from './router.ts'

const RELAY_PORT = 4400
export const NET = '203.0.113'
const NET6 = '2001:db8'
/** On the public segment, too; as in the simulator. Nothing of it leaves the lab. */
const GLOBAL = '81.2.0'
export const RELAYS = [10, 20, 25] as const
const STUN_SERVER = 30
const FIRST_HOST = 40
const FIRST_ROUTER = 101

const bin = (app: string, name: string): string =>
  fileURLToPath(new URL(`../node_modules/@showchain/${app}/bin/${name}.js`, import.meta.url))
export const RELAY_PROGRAM: string = bin('relay', 'showchain-relay')
export const PEER_PROGRAM: string = bin('peer-cli', 'showchain')

export class Lab {
  readonly names: Namespaces = new Namespaces()
  readonly folder: string = mkdtempSync(join(tmpdir(), 'showchain-natlab-'))
  readonly #environment: NodeJS.ProcessEnv
  readonly #programs: Program[] = []
  readonly #kept: Program[] = []
  #routers = 0
  #hosts = 0
  #started = 0

  /** @param sockets of its programs, as SHOWCHAIN_UDP says it. @default this process's */
  constructor(sockets: string | undefined = process.env.SHOWCHAIN_UDP) {
    this.#environment = sockets === undefined ? process.env : { ...process.env, SHOWCHAIN_UDP: sockets }
    this.names.add('public')
    this.bridge('public', 'br0')
    this.names.set('public', 'net.ipv6.conf.all.forwarding', 1)
    const addresses = [...RELAYS, STUN_SERVER].flatMap((first) => [first, first + 1])
    for (const last of addresses) this.names.ip('public', `addr add ${NET}.${last}/24 dev br0`)
    this.names.ip('public', `addr add ${NET6}::1/64 dev br0 nodad`)
    this.names.ip('public', `route add ${GLOBAL}.0/24 dev br0`)
  }

  /** An unused address of the public segment. */
  freeAddress(): string {
    return `${NET}.${FIRST_ROUTER + this.#routers++}`
  }

  router(options: RouterOptions): Router {
    const { behind, global = false } = options
    const number = this.#routers + 1
    const outside = (): string => (global ? `${GLOBAL}.${number}` : this.freeAddress())
    const wan = behind === undefined ? outside() : `${behind.lan}.${behind.hosts++}`
    if (behind !== undefined || global) this.#routers++
    const name = `router${number}`
    const [lan, lan6] = [options.lan ?? '192.168.1', `${NET6}:${number}`]
    const router = new Router(this.names, name, options, wan, lan, lan6)
    this.names.add(name)
    this.plug(name, 'wan', behind?.name ?? 'public', behind === undefined ? 'br0' : 'lan')
    this.names.ip(name, `addr add ${wan}/24 dev wan`)
    if (behind !== undefined) this.names.ip(name, `route add default via ${behind.lan}.1`)
    else {
      this.names.ip(name, `route add ${global ? NET : GLOBAL}.0/24 dev wan`)
      this.names.ip(name, `addr add ${NET6}::${number + 100}/64 dev wan nodad`)
      this.names.ip(name, `-6 route add default via ${NET6}::1`)
      this.names.ip('public', `-6 route add ${lan6}::/64 via ${NET6}::${number + 100}`)
    }
    this.bridge(name, 'lan')
    this.names.ip(name, `addr add ${lan}.1/24 dev lan`)
    this.names.ip(name, `addr add ${lan6}::1/64 dev lan nodad`)
    this.names.set(name, 'net.ipv4.ip_forward', 1)
    this.names.set(name, 'net.ipv6.conf.all.forwarding', 1)
    if (options.mappingSeconds !== undefined)
      for (const setting of ['udp_timeout', 'udp_timeout_stream'])
        this.names.set(name, `net.netfilter.nf_conntrack_${setting}`, options.mappingSeconds)
    if (options.mtu !== undefined) this.names.ip(name, `link set wan mtu ${options.mtu}`)
    router.load()
    return router
  }

  /** IP packets that these hosts have fragmented. */
  fragmented(...hosts: readonly Host[]): number {
    return hosts.reduce((sum, { name }) => sum + fragmentsCreated(this.names.exec(name, 'cat', ['/proc/net/snmp'])), 0)
  }

  /** A host behind a router, or on the public segment. */
  host(router?: Router): Host {
    const name = `host${++this.#hosts}`
    this.names.add(name)
    if (router === undefined) {
      const last = FIRST_HOST + this.#hosts
      this.plug(name, 'eth0', 'public', 'br0')
      this.names.ip(name, `addr add ${NET}.${last}/24 dev eth0`)
      return { name, ip: `${NET}.${last}` }
    }
    const last = router.hosts++
    this.plug(name, 'eth0', router.name, 'lan')
    this.names.ip(name, `addr add ${router.lan}.${last}/24 dev eth0`)
    this.names.ip(name, `route add default via ${router.lan}.1`)
    const ip = `${router.lan}.${last}`
    if (router.options.behind !== undefined) return { name, ip }
    const ip6 = `${router.lan6}::${last}`
    this.names.ip(name, `addr add ${ip6}/64 dev eth0 nodad`)
    this.names.ip(name, `-6 route add default via ${router.lan6}::1`)
    return { name, ip, ip6 }
  }

  /** Starts any program in a namespace. */
  start(name: string, where: string, command: readonly string[], raw = false): Program {
    const child = this.names.spawn(where, command, { stdio: ['pipe', 'pipe', 'pipe'], env: this.#environment })
    const program = new Program(name, child, raw)
    this.#programs.push(program)
    return program
  }

  /** coturn with two addresses, as RFC 5780 needs for NAT behaviour discovery. */
  async stunServer(): Promise<string> {
    const [here, there] = [`${NET}.${STUN_SERVER}`, `${NET}.${STUN_SERVER + 1}`]
    const turn = this.start('coturn', 'public', [
      ...['turnserver', '-v', '-n', '-L', here, '-L', there, '-p', '3478', '--alt-listening-port', '3479'],
      ...['--no-auth', '--no-tls', '--no-dtls', '--no-tcp', '--no-tcp-relay', '--no-cli', '--log-file', 'stdout'],
      ...['--pidfile', join(this.folder, 'turn.pid'), '-b', join(this.folder, 'turn.db')],
      ...['--no-dynamic-ip-list', '--no-dynamic-realms'],
    ])
    await turn.until('it is listening', ({ text }) => String(text).includes('Total General servers'))
    return here
  }

  /** A relay with two addresses. A second start of the same index has the same identity. */
  async relay(
    index: 0 | 1 | 2 = 0,
    { families = [4], mailbox = false, websocket }: RelayOptions = {},
  ): Promise<{ readonly program: Program; readonly ticket: string; readonly certificate: string }> {
    const [here, there] = [`${NET}.${RELAYS[index]}`, `${NET}.${RELAYS[index] + 1}`]
    const identity = join(this.folder, `relay${index}.pem`)
    const certificate = join(this.folder, `relay${index}.cert.pem`)
    const key = join(this.folder, `relay${index}.key.pem`)
    if (websocket === 'tls') makeCertificate(here, certificate, key)
    const alternates = [`${here}:${RELAY_PORT + 1}`, `${there}:${RELAY_PORT}`, `${there}:${RELAY_PORT + 1}`]
    const program = this.start(`relay${index}`, 'public', [
      ...[process.execPath, RELAY_PROGRAM, '--identity', identity, '--create-identity'],
      ...families.flatMap((family) => ['--listen', `${family === 4 ? here : `[${NET6}::1]`}:${RELAY_PORT}`]),
      ...(families.includes(4) ? alternates.flatMap((address) => ['--stun-alternate', address]) : []),
      ...['--log-format', 'json', '--limit', 'bindingsPerSource=4096'],
      ...['--limit', 'requestsPerSecondPerSource=4096', '--limit', 'requestBurstPerSource=8192'],
      ...(mailbox ? ['--mailbox'] : []),
      ...(websocket === 'plain' ? ['--websocket', `${here}:8080`] : []),
      ...(websocket === 'tls' ? ['--websocket', `${here}:443`] : []),
      ...(websocket === 'tls' ? ['--websocket-cert', certificate, '--websocket-key', key] : []),
    ])
    const { ticket } = await program.until('it has a ticket', ({ event }) => event === 'ticket')
    return { program, ticket: ticket as string, certificate }
  }

  /** `showchain listen`; resolves when it is registered and has discovered its NAT. */
  async listen(
    host: Host,
    relays: readonly string[],
    { args = [], pipe = false, echo = !pipe, discoversNat = true, hosts }: PeerOptions = {},
  ): Promise<{ readonly program: Program; readonly ticket: string }> {
    const program = this.peer(
      host,
      ['listen', ...relays.flatMap((relay) => ['--relay', relay]), ...(echo ? ['--echo'] : []), ...args],
      { pipe, hosts },
    )
    const { ticket } = await program.until('it has a ticket', ({ event }) => event === 'ticket')
    if (discoversNat) await program.until('it knows its NAT', ({ event }) => event === 'nat')
    return { program, ticket: withoutAddresses(ticket as string) }
  }

  /** `showchain connect`; exits at the end of its stdin. */
  connect(host: Host, ticket: string, { args = [], ...how }: PeerOptions = {}): Program {
    return this.peer(host, ['connect', ...args, ticket], how)
  }

  /** `showchain ping`. */
  ping(host: Host, ticket: string, args: readonly string[]): Program {
    return this.peer(host, ['ping', ...args, ticket])
  }

  /** `showchain send`; resolves when it is registered. */
  async send(
    host: Host,
    relays: readonly string[],
    path: string,
  ): Promise<{ readonly program: Program; readonly ticket: string }> {
    const program = this.peer(host, ['send', ...relays.flatMap((relay) => ['--relay', relay]), path])
    const { ticket } = await program.until('it has a ticket', ({ event }) => event === 'ticket')
    return { program, ticket: withoutAddresses(ticket as string) }
  }

  /** `showchain send` with a code of the relay's mailbox. */
  async sendByCode(
    host: Host,
    relay: string,
    path: string,
  ): Promise<{ readonly program: Program; readonly code: string }> {
    const program = this.peer(host, ['send', '--relay', relay, path])
    const { code } = await program.until('it has a code', ({ event }) => event === 'code')
    return { program, code: code as string }
  }

  /** `showchain receive` into a folder. @param from a ticket; or a code, with the relay that has its mailbox */
  receive(host: Host, from: string, folder: string, relay?: string): Program {
    return this.peer(host, [
      ...['receive', '--yes', '--out', folder],
      ...(relay === undefined ? [] : ['--relay', relay]),
      from,
    ])
  }

  /** Captures the public segment into a file until the program is ended. */
  capture(folder: string, name: string): Program {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${name}.pcap`)
    return this.start('tcpdump', 'public', ['tcpdump', '-q', '-U', '-i', 'br0', '-w', file, 'udp'])
  }

  /** The programs that run now stay until the lab closes. */
  keepPrograms(): void {
    this.#kept.push(...this.#programs.splice(0))
  }

  /** Ends every other running program. */
  async endPrograms(): Promise<void> {
    await Promise.all(this.#programs.splice(0).map((program) => program.kill('SIGKILL')))
  }

  async close(): Promise<void> {
    this.#programs.push(...this.#kept.splice(0))
    await this.endPrograms()
    await this.names.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Any command of `showchain`, with what the lab needs. */
  peer({ name }: Host, args: readonly string[], how: ProgramOptions = {}): Program {
    const { pipe = false, environment = [], hosts } = how
    const [command, ...rest] = args
    const identity = rest.includes('--identity') ? [] : ['--ephemeral']
    // Outages of minutes are tried here.
    const all = [
      command as string,
      // What routers do is tried here, not whether hosts behind one find each other without it.
      ...['--dead-after', '300', '--lab', '--no-lan-discovery', '--json'],
      ...(pipe ? ['--pipe'] : []),
      ...identity,
      ...rest,
    ]
    return this.start(
      `${command}${++this.#started}`,
      name,
      [
        ...(hosts === undefined ? [] : withHosts(hosts)),
        ...(environment.length === 0 ? [] : ['env', ...environment]),
        ...[process.execPath, PEER_PROGRAM, ...all],
      ],
      pipe,
    )
  }

  /**
   * A bridge with a fixed MAC address. Without one, a bridge takes the lowest MAC address of its
   * ports: a new port could change it, and neighbours would send to the former one until their ARP
   * entries expire.
   */
  bridge(name: string, device: string): void {
    this.names.ip(name, `link add ${device} address 02:00:00:00:00:01 type bridge`)
    this.names.ip(name, `link set ${device} up`)
    for (const setting of ['iptables', 'ip6tables', 'arptables'])
      this.names.set(name, `net.bridge.bridge-nf-call-${setting}`, 0)
  }

  /** A veth pair from an interface of one namespace to a bridge of another. */
  plug(name: string, device: string, to: string, bridge: string): void {
    const port = `to-${name}`.slice(0, 15)
    this.names.ip(name, `link add ${device} type veth peer name ${port} netns ${this.names.nameOf(to)}`)
    this.names.ip(to, `link set ${port} master ${bridge} up`)
    this.names.ip(name, `link set ${device} up`)
  }
}

/** Without the listener's own addresses, which are private. */
const withoutAddresses = (ticket: string): string => ticket.replace(/&addr=[^&]*/g, '')
