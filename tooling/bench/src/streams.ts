/**
 * Protected connections: what a handshake costs, how long it takes to connect, and how fast a
 * stream is, beside HyperDHT.
 */
import { type KeyPair, type NoiseCrypto, NoiseHandshake, openssl, opensslEndToEnd } from '@showchain/crypto'
import { type Address, formatTicket } from '@showchain/wire'
import { certificatePreimage, readCertificate, writeCertificate } from '@showchain/wire/end-to-end'
import { relayActor } from './actors.ts'
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type Figure, type FigureTable, type Findings, figure, rateAndTime, times } from './figures.ts'
import { LOOPBACK } from './loopback.ts'
import { NO_FRAME_LIMITS } from './middle.ts'
import type { RelayRequest } from './relay-process.ts'
import type { Kind, StreamRequest } from './stream-process.ts'
import { openTestnet, withoutHyperdht } from './testnet.ts'

/** A stream takes seconds: fewer samples than of other things. */
const MAX_SAMPLES = 5
/** At once, of ours. */
const STREAMS: readonly number[] = [1, 10, 100]
const ATTEMPTS = 4
const PER_BYTES = 256 * 1024 * 1024

export async function streams(effort: Effort): Promise<Findings> {
  return { tables: [await handshakes(effort), await throughput(effort)] }
}

const crypto: NoiseCrypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
const newKey = (): KeyPair => {
  const privateKey = globalThis.crypto.getRandomValues(new Uint8Array(32))
  return { privateKey, publicKey: crypto.x25519Public(privateKey) }
}

/** Both ends on one core: three messages, and each end checks the other's certificate. */
async function handshakes(effort: Effort): Promise<FigureTable> {
  const { identity } = relayActor()
  const validity = { notBefore: 0, notAfter: 1 }
  const staticKey = newKey()
  const signature = await identity.certify(certificatePreimage(staticKey.publicKey, validity))
  const payload = writeCertificate({ spki: identity.publicKey.spki, signature, ...validity })
  const check = (received: Uint8Array | undefined): void => {
    const certificate = received && readCertificate(received)
    if (
      certificate === undefined ||
      !openssl.verifyPss(
        identity.publicKey,
        certificatePreimage(staticKey.publicKey, certificate),
        certificate.signature,
      )
    )
      throw new Error('A certificate is not genuine.')
  }
  const once = (): void => {
    const end = (initiator: boolean): NoiseHandshake =>
      new NoiseHandshake({
        pattern: 'XX',
        crypto,
        initiator,
        prologue: new Uint8Array(1),
        staticKey,
        ephemeralKey: newKey(),
      })
    const [a, b] = [end(true), end(false)]
    b.read(a.write(new Uint8Array(0)))
    check(a.read(b.write(payload)))
    check(b.read(a.write(payload)))
    a.result()
    b.result()
  }
  const count = Math.max(1, effort.sample * 10)
  const samples: number[] = []
  for (let round = 0; round <= effort.samples; round++) {
    const before = performance.now()
    for (let index = 0; index < count; index++) once()
    if (round > 0) samples.push((performance.now() - before) / 1000)
  }
  return {
    title: 'Handshakes, both ends on one core',
    columns: ['what', 'handshakes', 'time of each'],
    rows: [
      {
        name: 'Noise XX with RSA-2048 certificates',
        cells: rateAndTime(samples, count, 'ms'),
      },
    ],
    notes: [],
  }
}

interface Sample {
  readonly connectMs: number
  readonly seconds: number
  /** Of both ends, and of the relay where there is one. */
  readonly cpuSeconds: number
}

interface Way {
  readonly name: string
  /** The relays of ours; undefined: HyperDHT's. */
  readonly relays: readonly string[] | undefined
  readonly via: 'direct' | 'relay-only'
  readonly streams: number
  readonly relay?: Child
}

const THEIRS: readonly Way[] = [
  { name: 'HyperDHT, direct', relays: undefined, via: 'direct', streams: 1 },
  { name: 'HyperDHT, through a relay', relays: undefined, via: 'relay-only', streams: 1 },
]

async function throughput(effort: Effort): Promise<FigureTable> {
  const { streamBytes } = effort
  const missing = await withoutHyperdht()
  const relay = new Child('./relay-process.js')
  const { identity } = relayActor()
  const port = await relay.ask<number>({
    ...{ type: 'open', privateKey: identity.toPem(), knownKeys: [] },
    limits: NO_FRAME_LIMITS,
  } satisfies RelayRequest)
  const addresses: readonly Address[] = [{ host: LOOPBACK, port }]
  const ticket = formatTicket({ id: identity.id, relays: [], addresses })
  const ways: readonly Way[] = [
    ...STREAMS.flatMap((streams): readonly Way[] => {
      const more = streams === 1 ? '' : `, ${streams} streams`
      return [
        { name: `direct${more}`, relays: [], via: 'direct', streams },
        { name: `through a relay${more}`, relays: [ticket], via: 'relay-only', streams, relay },
      ]
    }),
    ...(effort.hyperdht && missing === undefined ? THEIRS : []),
  ]
  const samples = ways.map((): Sample[] => [])
  try {
    for (let round = 0; round < Math.min(effort.samples, MAX_SAMPLES); round++)
      for (const [index, way] of ways.entries()) {
        const sample = await persistently(() => run(way, streamBytes))
        samples[index]?.push(sample)
      }
  } finally {
    await relay.stop()
  }
  const found = samples.map((list) => ({
    connect: figure(
      list.map(({ connectMs }) => connectMs),
      'ms',
    ),
    rate: figure(
      list.map(({ seconds }) => streamBytes / 1e6 / seconds),
      'MB/s',
    ),
    cpu: figure(
      list.map(({ cpuSeconds }) => (cpuSeconds * PER_BYTES) / streamBytes),
      's',
    ),
  }))
  const foundOf = (wanted: (way: Way) => boolean): Found | undefined => found[ways.findIndex(wanted)]
  const compared = ways
    .filter(({ relays }) => relays !== undefined)
    .map((way) => ({
      name: `${way.name} : HyperDHT`,
      ours: foundOf((each) => each === way) as Found,
      theirs: foundOf(({ relays, via }) => relays === undefined && via === way.via),
    }))
  return {
    title: 'Streams, each end in its own process',
    columns: ['what', 'connect', 'throughput', 'CPU for 256 MiB'],
    rows: [
      ...found.map(({ connect, rate, cpu }, index) => ({ name: ways[index]?.name ?? '', cells: [connect, rate, cpu] })),
      ...compared.flatMap(({ name, ours, theirs }) =>
        theirs === undefined
          ? []
          : [
              {
                name,
                cells: [
                  times(ours.connect, theirs.connect),
                  times(ours.rate, theirs.rate),
                  times(ours.cpu, theirs.cpu),
                ],
              },
            ],
      ),
    ],
    references: THEIRS.map(({ name }) => name),
    notes: [
      `${streamBytes / 1024 / 1024} MiB over loopback, on one stream unless it says more, until the other end said that it has everything. Connecting: from the call to an`,
      'open, protected connection, whose receiver is known by a ticket, or by its key and three nodes of a test network. CPU: of both ends and the relay.',
      ...(missing === undefined ? [] : [missing]),
    ],
  }
}

/** HyperDHT's holepunching on one host gives up now and then. */
async function persistently<T>(job: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await job()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

interface Found {
  readonly connect: Figure
  readonly rate: Figure
  readonly cpu: Figure
}

async function run({ relays, via, streams, relay }: Way, bytes: number): Promise<Sample> {
  const testnet = relays === undefined ? await openTestnet() : undefined
  const [listener, caller] = [new Child('./stream-process.js'), new Child('./stream-process.js')]
  const theirRelay = testnet && via === 'relay-only' ? new Child('./stream-process.js') : undefined
  const ask = <T>(child: Child, request: StreamRequest): Promise<T> => child.ask<T>(request)
  const cpu = async (): Promise<number> => {
    const all = await Promise.all(
      [listener, caller, relay ?? theirRelay]
        .flatMap((child) => child ?? [])
        .map((child) => child.ask<number>({ type: 'cpu' })),
    )
    return all.reduce((sum, seconds) => sum + seconds, 0)
  }
  try {
    const bootstrap = testnet?.bootstrap ?? []
    const kind: Kind =
      relays === undefined
        ? { bootstrap, relay: theirRelay && (await ask<string>(theirRelay, { type: 'relay', bootstrap })) }
        : { relays }
    const to = await ask<string>(listener, { type: 'listen', kind })
    const connectMs = await ask<number>(caller, { type: 'connect', kind, to, via })
    const before = await cpu()
    const seconds = await ask<number>(caller, { type: 'send', bytes, streams })
    const sample = { connectMs, seconds, cpuSeconds: (await cpu()) - before }
    // In order: HyperDHT's caller says goodbye to a listener that is there.
    for (const child of [caller, listener, theirRelay].flatMap((each) => each ?? []))
      await ask(child, { type: 'close' })
    return sample
  } finally {
    await Promise.all([listener, caller, theirRelay].map((child) => child?.stop()))
    await testnet?.destroy()
  }
}
