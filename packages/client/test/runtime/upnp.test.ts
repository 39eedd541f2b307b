/** UPnP IGD by real sockets on loopback: what is asked, and all that a router or a stranger may answer. */
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { MappingRequest, UpnpAnswer } from '../../src/core/index.ts'
import { Igd, type IgdOptions } from '../../src/runtime/upnp/igd.ts'
import { MAX_ROUTER_ANSWER } from '../../src/runtime/upnp/router-http.ts'
import { UnusableRouter } from '../../src/runtime/upnp/router-url.ts'
import { checkXml, contentsOf, textOf } from '../../src/runtime/upnp/router-xml.ts'
import { described, FakeIgd, type FakeIgdOptions, LOOPBACK, outside } from './fake-igd.ts'

const REQUEST: MappingRequest = {
  ...{ local: LOOPBACK, nonce: new Uint8Array(12), internalPort: 4500, lifetime: 7200 },
  suggested: { ip: undefined, port: 4500 },
}
/** Of what is not waited for to the end. */
const SHORT = 200
const NEVER = new AbortController().signal

const routers: FakeIgd[] = []
afterEach(() => Promise.all(routers.splice(0).map((router) => router.close())))

async function open(options: FakeIgdOptions = {}, how: IgdOptions = {}): Promise<{ router: FakeIgd; igd: Igd }> {
  const router = await FakeIgd.open(options)
  routers.push(router)
  return { router, igd: new Igd({ port: router.port, ...how }) }
}

/** Why what a router says is not used. */
async function whyOf(options: FakeIgdOptions, how: IgdOptions = {}): Promise<{ why: string; router: FakeIgd }> {
  const { router, igd } = await open(options, how)
  const answer = await igd.map(LOOPBACK, REQUEST, NEVER)
  return { router, why: answer.type === 'unusable' ? answer.why : answer.type }
}
const granted = (port: number): UpnpAnswer => ({
  ...{ type: 'granted', external: { ip: '81.2.0.7', port }, lifetime: 7200 },
})

describe('a router', () => {
  test('is asked for the port of this host, for two hours, and to end that', async () => {
    const { router, igd } = await open()
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual(granted(4500))
    expect(router.asked).toEqual(['GET /root.xml', 'POST /control', 'POST /control'])
    const which = { NewRemoteHost: '', NewExternalPort: '4500', NewProtocol: 'UDP' }
    const to = { NewInternalPort: '4500', NewInternalClient: LOOPBACK, NewEnabled: '1', NewLeaseDuration: '7200' }
    const name = { NewPortMappingDescription: 'Show Chain' }
    expect(router.calls).toEqual([{ action: 'AddPortMapping', ...which, ...to, ...name }])
    await igd.remove(NEVER)
    expect(router.calls.slice(1)).toEqual([{ action: 'DeletePortMapping', ...which }])
    await igd.remove(NEVER)
    expect(router.calls).toHaveLength(2)
  })

  test('that was found is not looked for again', async () => {
    const { router, igd } = await open()
    await igd.map(LOOPBACK, REQUEST, NEVER)
    const { searches } = router
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual(granted(4500))
    expect([searches > 0, router.searches - searches, router.asked.length]).toEqual([true, 0, 5])
  })

  test('that maps for good only does so, until it is told to end it', async () => {
    const { router, igd } = await open({ codes: [725] })
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual(granted(4500))
    expect(router.calls.map(({ NewLeaseDuration }) => NewLeaseDuration)).toEqual(['7200', '0'])
    await igd.remove(NEVER)
    expect(router.calls.at(-1)).toMatchObject({ action: 'DeletePortMapping', NewExternalPort: '4500' })
  })

  test('whose port is in use is asked for another one, three times at most', async () => {
    const { router, igd } = await open({ codes: [718, 718] })
    const answer = await igd.map(LOOPBACK, REQUEST, NEVER)
    const ports = router.calls.map(({ NewExternalPort }) => Number(NewExternalPort))
    expect([ports.length, ports[0], new Set(ports).size]).toEqual([3, 4500, 3])
    expect(answer).toEqual(granted(ports[2] ?? 0))
    await igd.remove(NEVER)
    expect(router.calls.at(-1)).toMatchObject({ action: 'DeletePortMapping', NewExternalPort: String(ports[2]) })
    const full = await open({ codes: [718, 718, 718, 718] })
    expect(await full.igd.map(LOOPBACK, REQUEST, NEVER)).toEqual({ type: 'refused', code: 718 })
    await full.igd.remove(NEVER)
    expect(full.router.calls).toHaveLength(3)
  })

  test('that refuses says why by a number', async () => {
    const { igd } = await open({ codes: [606] })
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual({ type: 'refused', code: 606 })
  })

  test('that is left before it has answered is told to end what it may have mapped', async () => {
    const { router, igd } = await open({ hangs: true })
    const leave = new AbortController()
    const answer = igd.map(LOOPBACK, REQUEST, leave.signal)
    await router.called()
    leave.abort()
    expect((await answer).type).toBe('unusable')
    await igd.remove(NEVER)
    expect(router.calls.map(({ action }) => action)).toEqual(['AddPortMapping', 'DeletePortMapping'])
  })

  test('may have a base of its own, attributes and escaped ampersands', async () => {
    const { router, igd } = await open({
      description: (request, response) => {
        const base = `<URLBase>http://${request.headers.host}/igd/</URLBase>`
        response.end(described('control?a=1&amp;b=2', { base }).replaceAll('<controlURL>', '<controlURL >'))
      },
      address: outside('81.2.0.7').replace('<NewExternalIPAddress>', '<NewExternalIPAddress dt="string">'),
    })
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual(granted(4500))
    expect(router.asked[1]).toBe('POST /igd/control?a=1&b=2')
  })

  test('that answers each of its questions in time has a time for all of them', async () => {
    // The description, the outside address and the mapping take it longer, together.
    const mapTime = 3 * SHORT - 1
    const { igd, router } = await open({ slow: SHORT }, { mapTime })
    const why = `all of it takes longer than ${mapTime / 1000} s`
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual({ type: 'unusable', why })
    expect(router.asked.length).toBeLessThanOrEqual(3)
  })

  test('that is silent is silent', async () => {
    const { router } = await open()
    await router.close()
    routers.pop()
    const igd = new Igd({ port: router.port, searchTime: SHORT })
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual({ type: 'silent' })
    await igd.remove(NEVER)
  })
})

describe('who leads elsewhere', () => {
  test.runIf(process.platform === 'linux')('another host of the network is not heard', async () => {
    const { router, igd } = await open({ source: '127.0.0.2' }, { searchTime: 3 * SHORT })
    expect(await igd.map(LOOPBACK, REQUEST, NEVER)).toEqual({ type: 'silent' })
    expect([router.searches > 0, router.asked]).toEqual([true, []])
  })

  test('a description elsewhere is not fetched, of whatever kind it is', async () => {
    const locations: readonly ((port: number) => string)[] = [
      (port) => `http://localhost:${port}/root.xml`,
      (port) => `http://127.0.0.2:${port}/root.xml`,
      (port) => `https://${LOOPBACK}:${port}/root.xml`,
      (port) => `http://${LOOPBACK}@localhost:${port}/root.xml`,
      (port) => `http://admin:admin@${LOOPBACK}:${port}/root.xml`,
      (port) => `http://${LOOPBACK}:${port}/${'x'.repeat(600)}`,
      () => 'root.xml',
    ]
    // Each search lasts as long as it does in earnest, so that a busy machine changes nothing.
    const seen = await Promise.all(locations.map((location) => whyOf({ location })))
    for (const { why, router } of seen) {
      expect(why).toBe('what the router says by UPnP is not used: its description is elsewhere')
      expect(router.asked).toEqual([])
    }
  })

  test.each([
    ['by a name', 'http://localhost:8080/control', ''],
    ['at another address', 'http://127.0.0.2/control', ''],
    ['at the address of the same protocol', '//127.0.0.2/control', ''],
    ['by a base', '/control', '<URLBase>http://127.0.0.2/</URLBase>'],
    ['in a file', 'file:///etc/passwd', ''],
  ])('a control %s is not asked', async (_, control, base) => {
    const { why, router } = await whyOf({ description: described(control, { base }) })
    expect(why).toBe('what the router says by UPnP is not used: its control is elsewhere')
    expect(router.asked).toEqual(['GET /root.xml'])
  })

  test('a redirect is not followed', async () => {
    const { why, router } = await whyOf({
      description: (_, response) => response.writeHead(302, { Location: '/elsewhere.xml' }).end(),
    })
    expect(why).toContain('HTTP answers 302')
    expect(router.asked).toEqual(['GET /root.xml'])
  })
})

const laughs = (): string => {
  const entities = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`)
  return `<?xml version="1.0"?><!DOCTYPE root [<!ENTITY l0 "ha">${entities.join('')}]>${described('&l9;')}`
}

describe('a description', () => {
  test.each([
    ['with entities of entities', laughs(), 'declares a document type'],
    ['with CDATA', described('<![CDATA[/control]]>'), 'declares a document type'],
    ['of nothing', '', 'no service that maps ports'],
    ['of noise', '\u0000\u001b[2J<<<>>>'.repeat(500), 'no service that maps ports'],
    ['of depth', '<service><device>'.repeat(3800), 'no service that maps ports'],
    ['of tags without an end', '<service'.repeat(8000), 'no service that maps ports'],
    [
      'of another service',
      described('/control', { service: 'urn:x:service:WANIPConnection:1' }),
      'no service that maps',
    ],
  ])('%s is of no use', async (_, description, why) => {
    expect((await whyOf({ description })).why).toContain(why)
  })

  test('without end is read for 64 KiB', async () => {
    let sent = 0
    const { why } = await whyOf({
      description: (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write('x'.repeat(8192))) sent += 8192
        }
        response.on('drain', more)
        more()
      },
    })
    expect(why).toContain('it is longer than 64 KiB')
    // What the kernel's buffers take is sent as well.
    expect(sent).toBeGreaterThan(MAX_ROUTER_ANSWER / 2)
  })

  test('that does not come, or comes by the byte, has its time', async () => {
    const timers: NodeJS.Timeout[] = []
    const drip: FakeIgdOptions['description'] = (_, response) => {
      timers.push(setInterval(() => response.write('x'), SHORT / 20))
    }
    for (const description of [drip, (): void => {}])
      expect((await whyOf({ description }, { time: SHORT })).why).toContain('it takes longer than 0.2 s')
    for (const timer of timers) clearInterval(timer)
  })

  test.each([
    ['is not HTTP', 'SSH-2.0-router\r\n\r\n', /HTTP fails \(HPE_\w+\)/],
    ['has a header without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`, /HTTP fails \(HPE_HEADER_OVERFLOW\)/],
    ['is nothing', '', /HTTP fails \(ECONNRESET\)/],
    ['is cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<root>', /HTTP (fails|ends)/],
    ['is another protocol', 'HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /HTTP (fails|ends)/],
  ])('that %s is of no use', async (_, bytes, why) => {
    expect((await whyOf({ raw: (socket) => void socket.once('data', () => socket.end(bytes)) })).why).toMatch(why)
  })

  test('at a port where nothing listens is of no use', async () => {
    const { why } = await whyOf({ location: () => `http://${LOOPBACK}:1/root.xml` })
    expect(why).toContain('HTTP fails (ECONNREFUSED)')
  })
})

describe('an outside address', () => {
  test.each([
    ['of IPv6', outside('2a01:4f8::1')],
    ['that is a name', outside('router.example')],
    ['that is none', outside('')],
    ['with markup', outside('<b>81.2.0.7</b>')],
    ['in noise', 'x'],
  ])('%s is of no use, and nothing is mapped', async (_, address) => {
    const { why, router } = await whyOf({ address })
    expect(why).toContain('it names no outside address')
    expect(router.calls).toEqual([])
  })
})

test('any text at all is read in its length, and what comes of it is plain', () => {
  const part = fc.oneof(fc.string(), fc.constantFrom('<a>', '</a>', '<a ', '<ab>', '&amp;', '&lt;', '<!--', '<!x'))
  void fc.assert(
    fc.property(fc.array(part), (parts) => {
      const xml = parts.join('')
      for (const content of contentsOf(xml, 'a')) expect(xml).toContain(content)
      expect(textOf(xml, 'a') ?? '').toMatch(/^[!-;=?-~]*$/)
      try {
        expect(checkXml(xml)).not.toContain('<!x')
      } catch (error) {
        expect(error).toBeInstanceOf(UnusableRouter)
      }
    }),
  )
})
