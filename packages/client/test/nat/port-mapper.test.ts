/** Mapping a port on virtual time: what is sent and when, what counts as an answer, and what is made of it. */
import type { Random } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'
import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  type AddressPolicy,
  duration,
  type Instant,
  instant,
  internetPolicy,
  later,
  MAPPING_ASK_GAP,
  PortMapper,
  type PortMapperEvent,
  type UpnpAnswer,
} from '../../src/core/index.ts'

const ROUTER: Endpoint = { ip: '192.168.1.1', port: 5351 }
const PLACE = { gateway: ROUTER.ip, local: '192.168.1.10', port: 4500 }
const OUTSIDE = '81.2.0.7'
/** The middle of its range: no jitter. */
const random: Random = { uniform: () => 0.5, uint32: () => 7, bytes: (length) => new Uint8Array(length).fill(7) }

const u16 = (value: number): number[] => [value >> 8, value & 255]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)]
const ipv4 = (ip: string): number[] => ip.split('.').map(Number)
const mapped = (ip: string): number[] => [...new Array<number>(10).fill(0), 255, 255, ...ipv4(ip)]

interface Answer {
  readonly code?: number
  readonly lifetime?: number
  readonly nonce?: number
  readonly internal?: number
  readonly port?: number
  readonly ip?: string
  readonly protocol?: number
  readonly operation?: number
}

/** RFC 6887 §7.2, §11.1. */
function pcp(changes: Answer = {}): Uint8Array {
  const { code = 0, lifetime = 7200, nonce = 7, internal = 4500, port = 6000, ip = OUTSIDE } = changes
  const { protocol = 17, operation = 0x81 } = changes
  return Uint8Array.from([
    ...[2, operation, 0, code, ...u32(lifetime), ...u32(1), ...new Array<number>(12).fill(0)],
    ...[...new Array<number>(12).fill(nonce), protocol, 0, 0, 0, ...u16(internal), ...u16(port), ...mapped(ip)],
  ])
}
/** RFC 6886 §3.2, §3.3. */
const natPmpAddress = (ip = OUTSIDE, code = 0): Uint8Array =>
  Uint8Array.from([0, 128, ...u16(code), ...u32(1), ...ipv4(ip)])
const natPmp = ({ code = 0, lifetime = 7200, internal = 4500, port = 6000 }: Answer = {}): Uint8Array =>
  Uint8Array.from([0, 129, ...u16(code), ...u32(1), ...u16(internal), ...u16(port), ...u32(lifetime)])
/** RFC 6886 §3.5: another version than 0. */
const OTHER_VERSION = Uint8Array.from([0, 129, 0, 1, 0, 0, 0, 1])

const kindOf = ({ 0: version, 1: operation, length }: Uint8Array): string =>
  version === 2 ? `PCP ${length}` : operation === 0 ? 'NAT-PMP address' : 'NAT-PMP map'

/** A machine, its clock, and what it sends and tells. */
class Bed {
  readonly machine: PortMapper
  now: Instant = instant(0)
  readonly sent: { readonly at: number; readonly to: Endpoint; readonly bytes: Uint8Array }[] = []
  readonly events: PortMapperEvent[] = []

  constructor(allows: AddressPolicy = internetPolicy, upnp = false) {
    this.machine = new PortMapper(random, allows, upnp)
  }

  do(input: (machine: PortMapper, now: Instant) => void): this {
    input(this.machine, this.now)
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.type === 'transmit') this.sent.push({ at: this.now, to: output.to, bytes: output.bytes })
      if (output.type === 'event') this.events.push(output.event)
    }
    return this
  }

  ask(observed: readonly string[] = [OUTSIDE], place: typeof PLACE = PLACE): this {
    return this.do((machine, now) => machine.ask(place, observed, now))
  }

  receive(bytes: Uint8Array, source: Endpoint = ROUTER): this {
    return this.do((machine, now) => machine.receive({ bytes, source }, now))
  }

  advance(ms: number): this {
    const end = later(this.now, duration(ms))
    for (let at = this.machine.deadline; at !== undefined && at <= end; at = this.machine.deadline) {
      this.now = at
      this.do((machine, now) => machine.wake(now))
    }
    this.now = end
    return this
  }

  /** Takes what was sent: when, and what. */
  taken(): readonly (readonly [number, string])[] {
    return this.sent.splice(0).map(({ at, bytes }) => [at, kindOf(bytes)] as const)
  }

  get last(): PortMapperEvent | undefined {
    return this.events.at(-1)
  }

  get why(): string | undefined {
    return this.last?.type === 'mapping' && this.last.mapping.state === 'none' ? this.last.mapping.why : undefined
  }
}

const mappedBy = (protocol: string, lifetime = 7200): unknown => ({
  type: 'mapping',
  mapping: { state: 'mapped', protocol, external: { ip: OUTSIDE, port: 6000 }, lifetime },
})

const isMapped = (event: PortMapperEvent | undefined): boolean =>
  event?.type === 'mapping' && event.mapping.state === 'mapped'

let bed: Bed
beforeEach(() => {
  bed = new Bed()
})

describe('requests', () => {
  test('PCP asks for the port of this host, as RFC 6887 lays it out', () => {
    bed.ask()
    const [request] = bed.sent
    expect(request?.to).toEqual(ROUTER)
    expect([...(request?.bytes ?? [])]).toEqual([
      ...[2, 1, 0, 0, ...u32(7200), ...mapped('192.168.1.10')],
      ...[...new Array<number>(12).fill(7), 17, 0, 0, 0, ...u16(4500), ...u16(4500), ...mapped('0.0.0.0')],
    ])
    bed.receive(pcp())
    expect(bed.last).toEqual(mappedBy('PCP'))
  })

  test('NAT-PMP asks for the outside address and the port, as RFC 6886 lays them out', () => {
    bed.ask().receive(OTHER_VERSION)
    const [, address, map] = bed.sent
    expect([...(address?.bytes ?? [])]).toEqual([0, 0])
    expect([...(map?.bytes ?? [])]).toEqual([0, 1, 0, 0, ...u16(4500), ...u16(4500), ...u32(7200)])
    bed.receive(natPmp())
    expect(bed.last).toEqual({ type: 'mapping', mapping: { state: 'asking' } })
    bed.receive(natPmpAddress())
    expect(bed.last).toEqual(mappedBy('NAT-PMP'))
  })

  test('a silent router gets two of PCP and four pairs of NAT-PMP, then nothing', () => {
    bed.ask().advance(3_600_000)
    const pair = (at: number): readonly (readonly [number, string])[] => [
      [at, 'NAT-PMP address'],
      [at, 'NAT-PMP map'],
    ]
    expect(bed.taken()).toEqual([[0, 'PCP 60'], [3000, 'PCP 60'], ...[3000, 3250, 3750, 4750].flatMap(pair)])
    expect(bed.why).toBe('the router answers neither PCP nor NAT-PMP')
    expect(bed.machine.deadline).toBeUndefined()
  })

  test('what NAT-PMP has answered is not asked again', () => {
    bed.ask().receive(OTHER_VERSION).receive(natPmpAddress()).taken()
    bed.advance(300)
    expect(bed.taken()).toEqual([[250, 'NAT-PMP map']])
  })

  test('the same router is asked once in ten seconds at most, another one at once', () => {
    bed.ask().receive(pcp()).taken()
    for (let asked = 0; asked < 50; asked++) bed.advance(100).ask()
    expect(bed.taken()).toEqual([])
    bed.advance(MAPPING_ASK_GAP - bed.now)
    expect(bed.taken()).toEqual([[MAPPING_ASK_GAP, 'PCP 60']])
    bed.ask([OUTSIDE], { ...PLACE, gateway: '192.168.7.1', local: '192.168.7.10' })
    expect(bed.taken()).toHaveLength(1)
  })
})

describe('forged answers', () => {
  test.each([
    ['from another host of the network', pcp(), { ip: '192.168.1.66', port: 5351 }],
    ['from another port of the router', pcp(), { ...ROUTER, port: 5350 }],
    ['with another nonce', pcp({ nonce: 8 }), ROUTER],
    ['for another port', pcp({ internal: 4501 }), ROUTER],
    ['for TCP', pcp({ protocol: 6 }), ROUTER],
    ['of another operation', pcp({ operation: 0x82 }), ROUTER],
    ['that is a request', pcp({ operation: 0x01 }), ROUTER],
    ['with an outside address of IPv6', pcp().fill(9, 44, 54), ROUTER],
    ['cut short', pcp().subarray(0, 56), ROUTER],
    ['of NAT-PMP, which was not asked', natPmp(), ROUTER],
    ['with nothing in it', new Uint8Array(), ROUTER],
  ])('%s is counted, and nothing else', (_, bytes, source) => {
    bed.ask().receive(bytes, source)
    expect(bed.last).toEqual({ type: 'mapping', mapping: { state: 'asking' } })
    expect(bed.machine.counters).toEqual({ requests: 1, ignored: 1 })
    bed.receive(pcp())
    expect(bed.last).toEqual(mappedBy('PCP'))
  })

  test('NAT-PMP for another port, or from elsewhere, is counted, and nothing else', () => {
    bed.ask().receive(OTHER_VERSION).receive(natPmpAddress())
    bed.receive(natPmp({ internal: 4501 })).receive(natPmp(), { ...ROUTER, ip: '192.168.1.66' })
    expect(bed.last).toEqual({ type: 'mapping', mapping: { state: 'asking' } })
    expect(bed.machine.counters.ignored).toBe(2)
  })

  test('anything at all from the router changes nothing, and never throws', () => {
    const asking = [new Bed().ask(), new Bed().ask().receive(OTHER_VERSION), new Bed().ask().receive(pcp())]
    const known = asking.map(({ last }) => last)
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ maxLength: 80 }).map((rest) => Uint8Array.from([0, 129, ...rest])),
      fc.uint8Array({ maxLength: 80 }).map((rest) => Uint8Array.from([2, 0x81, 0, 0, ...rest])),
    )
    void fc.assert(
      fc.property(bytes, (datagram) => {
        for (const each of asking) each.receive(datagram)
        // A refusal has no nonce in NAT-PMP, and needs none.
        expect(asking.map(({ last }) => last).filter((last) => isMapped(last))).toEqual(known.filter(isMapped))
      }),
    )
  })

  test('an answer that nobody waits for changes nothing', () => {
    bed
      .ask()
      .receive(pcp())
      .receive(pcp({ port: 7000 }))
    expect(bed.last).toEqual(mappedBy('PCP'))
    expect(bed.machine.counters.ignored).toBe(1)
  })
})

describe('what a router grants', () => {
  test('is of use only where relays see this host, and where others may send', () => {
    bed.ask(['81.2.0.8']).receive(pcp())
    expect(bed.why).toBe(`the router says that its outside address is ${OUTSIDE}, and relays see this host at 81.2.0.8`)
    const carrier = new Bed().ask(['100.64.0.3']).receive(pcp({ ip: '100.64.0.3' }))
    expect(carrier.why).toContain('another NAT between it and the internet')
  })

  test('is given back when it is of no use: one packet, for 0 seconds', () => {
    bed.ask(['81.2.0.8']).receive(pcp())
    expect(bed.sent).toHaveLength(2)
    expect([...(bed.sent[1]?.bytes.subarray(4, 8) ?? [])]).toEqual([0, 0, 0, 0])
    bed.advance(3_600_000)
    expect(bed.sent).toHaveLength(2)
  })

  test('is used no more when relays see this host elsewhere', () => {
    bed.ask().receive(pcp()).advance(20_000).ask(['81.2.0.8'])
    expect(bed.events).toContainEqual({
      type: 'mapping',
      mapping: { state: 'none', cause: 'useless', why: expect.any(String) },
    })
  })

  test('is believed for two hours at most, and for two minutes at least', () => {
    bed.ask().receive(pcp({ lifetime: 0xffff_ffff }))
    expect(bed.last).toEqual(mappedBy('PCP', 7200))
    expect(new Bed().ask().receive(pcp({ lifetime: 119 })).why).toContain('for as long as 2 minutes')
    expect(new Bed().ask().receive(pcp({ port: 0 })).why).toContain('for as long as 2 minutes')
  })

  test('is a refusal by its name, or by its number', () => {
    expect(bed.ask().receive(pcp({ code: 8 })).why).toBe('the router refuses it by PCP: no resources')
    expect(new Bed().ask().receive(pcp({ code: 99 })).why).toBe('the router refuses it by PCP: result 99')
    const refusing = new Bed()
      .ask()
      .receive(OTHER_VERSION)
      .receive(natPmp({ code: 2 }))
    expect(refusing.why).toBe('the router refuses it by NAT-PMP: not authorized')
  })
})

describe('UPnP', () => {
  const GRANTED = { type: 'granted', external: { ip: OUTSIDE, port: 6000 }, lifetime: 7200 } as const
  /** Longer than a router may take for PCP and NAT-PMP. */
  const SILENCE = 8000
  let upnp: Bed
  beforeEach(() => {
    upnp = new Bed(internetPolicy, true)
  })
  /** The number of the last task, and whether it is to map. */
  const taskOf = (bed: Bed): { id: number; maps: boolean } | undefined =>
    bed.events
      .flatMap((event) =>
        event.type === 'upnp' ? [{ id: event.task.id, maps: event.task.request !== undefined }] : [],
      )
      .at(-1)
  const answer = (bed: Bed, told: UpnpAnswer, id = taskOf(bed)?.id ?? 0): Bed =>
    bed.do((machine, now) => machine.upnp(id, told, now))

  test('is asked when the router is silent to the others, and not before', () => {
    upnp.ask().advance(6700)
    expect(taskOf(upnp)).toBeUndefined()
    upnp.advance(SILENCE - 6700)
    const request = { local: PLACE.local, internalPort: 4500, suggested: { ip: undefined, port: 4500 }, lifetime: 7200 }
    expect(upnp.last).toMatchObject({ type: 'upnp', gateway: ROUTER.ip, task: { request } })
    expect(answer(upnp, GRANTED).last).toEqual(mappedBy('UPnP'))
    const heard = new Bed(internetPolicy, true).ask().receive(pcp()).advance(SILENCE)
    expect(taskOf(heard)).toBeUndefined()
  })

  test('is judged as the others are, and ended where it is of no use', () => {
    answer(upnp.ask(['81.2.0.8']).advance(SILENCE), GRANTED)
    expect(upnp.why).toBe(
      `the router says that its outside address is ${OUTSIDE}, and relays see this host at 81.2.0.8`,
    )
    expect(taskOf(upnp)?.maps).toBe(false)
  })

  test('is renewed at half, by itself; one that fails then is asked for again until it ends', () => {
    answer(upnp.ask().advance(SILENCE), GRANTED).taken()
    upnp.advance(3_600_000)
    expect([upnp.taken(), taskOf(upnp)]).toEqual([[], { id: 2, maps: true }])
    expect(answer(upnp, { type: 'unusable', why: 'it fails' }).last).toMatchObject({ type: 'upnp' })
    upnp.advance(1_800_000)
    expect(taskOf(upnp)).toEqual({ id: 3, maps: true })
  })

  test.each([
    [{ type: 'silent' }, 'silent', 'the router answers neither PCP, NAT-PMP nor UPnP'],
    [{ type: 'refused', code: 606 }, 'refused', 'the router refuses it by UPnP: not authorized'],
    [{ type: 'unusable', why: 'it leads elsewhere' }, 'refused', 'it leads elsewhere'],
  ] as const)('an answer %j is told', (told, cause, why) => {
    answer(upnp.ask().advance(SILENCE), told)
    expect(upnp.last).toEqual({ type: 'mapping', mapping: { state: 'none', cause, why } })
    expect(upnp.machine.deadline).toBeUndefined()
  })

  test('an answer to another task changes nothing', () => {
    answer(upnp.ask().advance(SILENCE), GRANTED, 7)
    expect(upnp.last).toMatchObject({ type: 'upnp' })
    upnp.do((machine) => machine.leave('not asked', 'there is no router'))
    expect(answer(upnp, GRANTED).why).toBe('there is no router')
  })

  test('is ended at the end, for which half a second is waited at most', () => {
    answer(upnp.ask().advance(SILENCE), GRANTED).do((machine, now) => machine.release(now))
    expect([taskOf(upnp)?.maps, upnp.last?.type]).toEqual([false, 'upnp'])
    upnp.advance(499)
    expect(upnp.last).toMatchObject({ type: 'upnp' })
    expect(upnp.advance(1).last).toEqual({ type: 'released' })
    const quick = answer(new Bed(internetPolicy, true).ask().advance(SILENCE), GRANTED)
    quick.do((machine, now) => machine.release(now))
    expect(answer(quick, { type: 'removed' }).last).toEqual({ type: 'released' })
  })

  test('is ended also where it has not answered so far, and not twice', () => {
    upnp
      .ask()
      .advance(SILENCE)
      .do((machine, now) => machine.release(now))
    expect(taskOf(upnp)).toEqual({ id: 2, maps: false })
    const ended = answer(new Bed(internetPolicy, true).ask(['81.2.0.8']).advance(SILENCE), GRANTED)
    answer(ended, { type: 'removed' }).do((machine, now) => machine.release(now))
    expect([ended.last, taskOf(ended)?.id]).toEqual([{ type: 'released' }, 2])
  })
})

describe('in time', () => {
  test('a mapping is renewed at half, by the same nonce, for what it is', () => {
    bed.ask().receive(pcp()).taken()
    bed.advance(3_600_000)
    const [{ at, bytes } = { at: 0, bytes: new Uint8Array() }] = bed.sent
    expect(at).toBe(3_600_000)
    expect([...bytes.subarray(24, 36)]).toEqual(new Array(12).fill(7))
    expect([...bytes.subarray(42, 60)]).toEqual([...u16(6000), ...mapped(OUTSIDE)])
  })

  test('one that is not renewed is asked for at half of what is left, and is gone when it ends', () => {
    bed
      .ask()
      .receive(pcp({ lifetime: 480 }))
      .taken()
    bed.advance(480_000)
    const times = bed.taken().map(([at]) => at)
    // After 240 s of 480; what is left after each silence of 7 s: 233 s, then 109.5 s.
    expect(times).toEqual([240_000, 243_000, 363_500, 366_500])
    expect(bed.why).toBe('the router renews the mapping no more')
    expect(bed.now).toBe(480_000)
  })

  test('a router that refuses to renew has ended the mapping', () => {
    bed
      .ask()
      .receive(pcp())
      .advance(3_600_000)
      .receive(pcp({ code: 2 }))
    expect(bed.why).toContain('not authorized')
  })
})

describe('the end', () => {
  test('removes the mapping, and waits for the answer', () => {
    bed.ask().receive(pcp()).taken()
    bed.do((machine, now) => machine.release(now))
    expect([...(bed.sent[0]?.bytes.subarray(4, 8) ?? [])]).toEqual([0, 0, 0, 0])
    expect(bed.last).toEqual(mappedBy('PCP'))
    bed.receive(pcp({ lifetime: 0 }))
    expect(bed.last).toEqual({ type: 'released' })
    expect(bed.machine.deadline).toBeUndefined()
  })

  test('does so three times in half a second, and waits no longer', () => {
    bed.ask().receive(OTHER_VERSION).receive(natPmp()).receive(natPmpAddress()).taken()
    bed.do((machine, now) => machine.release(now)).advance(1000)
    expect(bed.taken()).toEqual([0, 100, 250].map((at) => [at, 'NAT-PMP map']))
    expect(bed.last).toEqual({ type: 'released' })
  })

  test('waits for no router that has not answered: one packet', () => {
    bed.ask().taken()
    bed.do((machine, now) => machine.release(now))
    expect(bed.last).toEqual({ type: 'released' })
    expect(bed.taken()).toEqual([[0, 'PCP 60']])
    expect(bed.machine.deadline).toBeUndefined()
  })

  test('asks nothing where nothing is mapped', () => {
    bed.do((machine, now) => machine.release(now))
    expect([bed.last, bed.sent]).toEqual([{ type: 'released' }, []])
    const refused = new Bed().ask().receive(pcp({ code: 2 }))
    refused.taken()
    refused.do((machine, now) => machine.release(now))
    expect([refused.last, refused.sent]).toEqual([{ type: 'released' }, []])
  })

  test('nobody is asked where there is no router any more', () => {
    bed
      .ask()
      .receive(pcp())
      .do((machine) => machine.leave('not asked', 'there is no router'))
    expect(bed.why).toBe('there is no router')
    bed.advance(10_000_000)
    expect(bed.sent).toHaveLength(1)
  })
})
