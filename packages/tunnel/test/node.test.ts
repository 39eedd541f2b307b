/** The sockets of Node.js that a tunnel ends at: addresses, FIN, RST, and what was left behind. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type LocalSocket, listenAt, type Source, type Target, targetAt } from '../src/index.ts'
import { parseLocal, parseTarget } from '../src/node/addresses.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunnel-'))
afterAll(() => rmSync(folder, { recursive: true }))

const anySignal = new AbortController().signal
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    ({ code }) => code,
  )

type OfKind<Of extends Source | Target, Kind> = Extract<Of, { kind: Kind }>
function ofKind<Of extends Source | Target, Kind extends Of['kind']>(of: Of, kind: Kind): OfKind<Of, Kind> {
  if (of.kind !== kind) throw new Error(`It is of ${of.kind}.`)
  return of as OfKind<Of, Kind>
}

describe('addresses', () => {
  test.each([
    ['tcp://127.0.0.1:80', { scheme: 'tcp', address: { host: '127.0.0.1', port: 80 } }],
    ['tcp://[::1]:80', { scheme: 'tcp', address: { host: '::1', port: 80 } }],
    ['udp://Example.org:53', { scheme: 'udp', address: { host: 'example.org', port: 53 } }],
    ['unix:/run/x:1', { scheme: 'unix', path: '/run/x:1' }],
    ['unix:relative', { scheme: 'unix', path: 'relative' }],
  ])('%s is a target', (text, parsed) => expect(parseTarget(text)).toEqual(parsed))

  test.each([
    ['8080', { scheme: 'tcp', address: { host: '127.0.0.1', port: 8080 } }],
    ['0', { scheme: 'tcp', address: { host: '127.0.0.1', port: 0 } }],
    ['udp://[::1]:0', { scheme: 'udp', address: { host: '::1', port: 0 } }],
    ['tcp://0.0.0.0:10', { scheme: 'tcp', address: { host: '0.0.0.0', port: 10 } }],
  ])('%s is a place to listen at', (text, parsed) => expect(parseLocal(text)).toEqual(parsed))

  test.each([
    '',
    '80',
    'tcp://:80',
    'tcp://host',
    'tcp://host:0',
    'tcp://host:99999',
    'tcp://user@host:80',
    'tcp://host:80/path',
    'tcp:host:80',
    'http://host:80',
    'unix:',
    `unix:${'x'.repeat(108)}`,
    'unix:a\0b',
  ])('%j is no target', (text) =>
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' })),
  )

  test.each(['65536', '-1', 'tcp://:80', 'host:80'])('%j is no place to listen at', (text) =>
    expect(() => parseLocal(text)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' })),
  )
})

/** A program that listens, and the next connection that it takes. */
class Program {
  readonly server: Server = createServer({ allowHalfOpen: true })

  async listen(path?: string): Promise<string> {
    this.server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path })
    await once(this.server, 'listening')
    return path === undefined ? `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}` : `unix:${path}`
  }

  async next(): Promise<Socket> {
    const [socket] = await once(this.server, 'connection')
    return socket
  }
}

/** The tunnel's end of a connection with a program, and the program's. */
async function connected(path?: string): Promise<{ ours: LocalSocket; theirs: Socket; program: Program }> {
  const program = new Program()
  const target = ofKind(targetAt(await program.listen(path)), 'bytes')
  const next = program.next()
  return { ours: await target.connect(anySignal), theirs: await next, program }
}

const end = ({ ours, theirs, program }: Awaited<ReturnType<typeof connected>>): void => {
  ours.reset()
  theirs.destroy()
  program.server.close()
}

describe.each([
  ['TCP', undefined],
  ['a Unix socket', join(folder, 'target')],
])('a connection by %s', (_name, path) => {
  test('ends each way for itself', async () => {
    const all = await connected(path)
    const { ours, theirs } = all
    theirs.end('hello')
    expect(Buffer.from((await ours.read()) ?? []).toString()).toBe('hello')
    expect(await ours.read()).toBeUndefined()
    await ours.write(Buffer.from('later'))
    expect(String((await once(theirs, 'data'))[0])).toBe('later')
    await ours.end()
    theirs.resume()
    await once(theirs, 'close')
    end(all)
  })

  test('reads no more than its reader takes', async () => {
    const all = await connected(path)
    const { ours, theirs } = all
    let written = 0
    const flood = (): void => {
      for (let room = true; room && written < 1e9; written += 65_536) room = theirs.write(new Uint8Array(65_536))
    }
    theirs.on('drain', flood)
    flood()
    let read = 0
    for (let count = 0; count < 10; count++) read += (await ours.read())?.length ?? 0
    // What the kernel holds of both ends is far less than 100 MB.
    expect(written - read).toBeLessThan(100e6)
    end(all)
  })
})

test('a reset of a TCP connection is one at the other end', async () => {
  const all = await connected()
  all.ours.reset()
  const [error] = await once(all.theirs, 'error')
  expect(error.code).toBe('ECONNRESET')
  end(all)
})

test('a TCP connection that is reset fails what reads it, and what writes', async () => {
  const all = await connected()
  const reading = codeOf(all.ours.read())
  all.theirs.resetAndDestroy()
  expect(await reading).toBe('ECONNRESET')
  expect(await codeOf(all.ours.write(Buffer.from('x')))).toBe('ECONNRESET')
  end(all)
})

test('a target that is not there says so, one that does not answer is given up', async () => {
  const program = new Program()
  const text = await program.listen()
  program.server.close()
  await once(program.server, 'close')
  expect(await codeOf(ofKind(targetAt(text), 'bytes').connect(anySignal))).toBe('ECONNREFUSED')
  expect(await codeOf(ofKind(targetAt(`unix:${join(folder, 'none')}`), 'bytes').connect(anySignal))).toBe('ENOENT')
  await expect(ofKind(targetAt(text), 'bytes').connect(AbortSignal.abort())).rejects.toMatchObject({
    name: 'AbortError',
  })
})

describe('listening', () => {
  test('takes connections at TCP and at Unix sockets', async () => {
    for (const text of ['0', `unix:${join(folder, 'local')}`]) {
      const source = ofKind(await listenAt(text), 'bytes')
      const taken = new Promise<LocalSocket>((resolve) => source.start(resolve))
      const { scheme, ...where } = parseTarget(source.local)
      const socket = connect('address' in where ? where.address : where)
      socket.end(`by ${scheme}`)
      const local = await taken
      expect(Buffer.from((await local.read()) ?? []).toString()).toBe(`by ${scheme}`)
      await local.end()
      socket.resume()
      await once(socket, 'close')
      await source.close()
    }
  })

  test('is at 127.0.0.1 unless told otherwise', async () => {
    const source = await listenAt('0')
    expect(source.local).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    await source.close()
  })

  test('replaces a Unix socket that a killed program left, and no other one', async () => {
    const path = join(folder, 'stale')
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('there'))`
    const child = spawn(process.execPath, ['-e', script])
    await once(child.stdout, 'data')
    expect(await codeOf(listenAt(`unix:${path}`))).toBe('ERR_ADDRESS_IN_USE')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(statSync(path).isSocket()).toBe(true)
    const source = await listenAt(`unix:${path}`)
    expect(await codeOf(listenAt(`unix:${path}`))).toBe('ERR_ADDRESS_IN_USE')
    await source.close()
    const file = join(folder, 'file')
    writeFileSync(file, 'content')
    for (const taken of [folder, file]) expect(await codeOf(listenAt(`unix:${taken}`))).toBe('ERR_ADDRESS_IN_USE')
    expect(readFileSync(file, 'utf8')).toBe('content')
    expect(await codeOf(listenAt(`unix:${join(folder, 'none', 'x')}`))).toBe('ERR_CANNOT_LISTEN')
  })

  test('at a port that is taken says so', async () => {
    const source = await listenAt('0')
    expect(await codeOf(listenAt(source.local))).toBe('ERR_ADDRESS_IN_USE')
    await source.close()
  })
})

test('UDP goes from a local socket to a target and back', async () => {
  const target = createSocket('udp4').bind(0, '127.0.0.1')
  await once(target, 'listening')
  target.on('message', (payload, { port, address }) => target.send(`echo ${payload}`, port, address))
  const source = ofKind(await listenAt('udp://127.0.0.1:0'), 'datagrams')
  const served = ofKind(targetAt(`udp://127.0.0.1:${target.address().port}`), 'datagrams')
  source.start((payload, from) => {
    const flow = served.open((answer) => {
      source.send(answer, from)
      flow.close()
      flow.close()
    })
    flow.send(payload)
  })
  const program = createSocket('udp4')
  const { address } = parseTarget(source.local) as { address: { host: string; port: number } }
  program.send('hello', address.port, address.host)
  const [answer] = await once(program, 'message')
  expect(String(answer)).toBe('echo hello')
  program.close()
  target.close()
  await source.close()
})

test('a flow hears its target, and nobody else', async () => {
  const [target, other] = [createSocket('udp4').bind(0, '127.0.0.1'), createSocket('udp4').bind(0, '127.0.0.1')]
  await Promise.all([once(target, 'listening'), once(other, 'listening')])
  const heard: string[] = []
  let answered = (): void => {}
  const answer = new Promise<void>((resolve) => {
    answered = resolve
  })
  const flow = ofKind(targetAt(`udp://127.0.0.1:${target.address().port}`), 'datagrams').open((payload) => {
    heard.push(String(payload))
    answered()
  })
  flow.send(Buffer.from('hello'))
  const [, { port, address }] = await once(target, 'message')
  await new Promise((resolve) => other.send('not the target', port, address, resolve))
  target.send('the target', port, address)
  await answer
  expect(heard).toEqual(['the target'])
  flow.close()
  target.close()
  other.close()
})
