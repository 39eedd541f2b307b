/** `showchain serve`, `forward` and `stdio`: real programs between local ones. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'
import { failure, readAll, TunnelsBed } from './tunnels-bed.ts'

const bed = new EndingsBed()
const tunnels = new TunnelsBed(bed)

const echo = (socket: Socket): void => void socket.pipe(socket)
/** A program that answers when its input has ended. */
const answering = (socket: Socket): void => {
  readAll(socket).then(
    (said) => socket.end(`you said ${said}`, 'latin1'),
    () => {},
  )
}
const said = async (socket: Socket, text: string): Promise<string> => {
  socket.end(text, 'latin1')
  return await readAll(socket)
}
const stdio = (ticket: string, line: string): Program => bed.shell(`${line} | $S stdio $L '${ticket}'`)

describe('a tunnel', () => {
  test('carries http, 100 connections at once', async () => {
    const body = randomBytes(50_000).toString('hex')
    const web = createWebServer((request, response) => response.end(`${request.url} ${body}`))
    const { local } = await tunnels.tunnel(await tunnels.program(() => {}, web))
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, number) =>
        said(await tunnels.connect(local), `GET /${number} HTTP/1.0\r\n\r\n`),
      ),
    )
    for (const [number, answer] of answers.entries()) expect(answer.endsWith(`\r\n\r\n/${number} ${body}`)).toBe(true)
  })

  test('carries 100 connections that are all open, and the end of a direction (FIN) and a reset (RST) both ways', async () => {
    const targets: Socket[] = []
    let named = 0
    let there = (): void => {}
    const target = await tunnels.program((socket) => {
      // Connected in any order: each says which one it is.
      socket.once('data', (name) => {
        targets[Number(name)] = socket
        if (++named === 100) there()
      })
    })
    const { local, forwarder } = await tunnels.tunnel(target)
    const all = new Promise<void>((resolve) => {
      there = resolve
    })
    const sockets = await Promise.all(Array.from({ length: 100 }, () => tunnels.connect(local)))
    for (const [number, socket] of sockets.entries()) socket.write(`${number}`)
    await all
    const ends = (number: number): readonly [Socket, Socket] => [sockets[number] as Socket, targets[number] as Socket]
    const [here, resetThere] = ends(98)
    const seenThere = failure(resetThere)
    here.resetAndDestroy()
    expect(await seenThere).toBe('ECONNRESET')
    const [resetHere, target99] = ends(99)
    const seenHere = failure(resetHere)
    target99.resetAndDestroy()
    expect(await seenHere).toBe('ECONNRESET')
    // Programs do that all the time.
    expect(forwarder.stderr.all.join('\n')).not.toContain('not carried')
    const answers = sockets.slice(0, 98).map(async (socket, number) => {
      answering(targets[number] as Socket)
      return await said(socket, `I am ${number}`)
    })
    expect(await Promise.all(answers)).toEqual(answers.map((_, number) => `you said I am ${number}`))
  })

  test('leads from a Unix socket to a Unix socket', { tags: ['long'] }, async () => {
    const path = bed.folder.file('target')
    const web = createWebServer((_request, response) => response.end('by Unix sockets'))
    web.listen(path)
    const { local, forwarder } = await tunnels.tunnel(`unix:${path}`, 'unix:$D/local')
    expect(local).toBe(`unix:${bed.folder.file('local')}`)
    expect(await said(await tunnels.connect(local), 'GET / HTTP/1.0\r\n\r\n')).toMatch(/by Unix sockets$/)
    web.close()
    // What a killed one leaves is no obstacle.
    forwarder.kill()
    await forwarder.ended()
    const again = await tunnels.forward((await tunnels.serve(await tunnels.program(echo))).ticket, 'unix:$D/local')
    expect(await said(await tunnels.connect(again.local), 'again')).toBe('again')
  })

  test('carries UDP, each local socket as a flow of its own, and says once what is too large', async () => {
    const target = await tunnels.datagrams((payload, answer) => answer(`echo ${payload}`))
    const { local, forwarder } = await tunnels.tunnel(target, 'udp://127.0.0.1:0')
    const port = Number(new URL(local).port)
    const programs = ['a', 'b', 'c'].map((name) => ({ name, socket: tunnels.udp() }))
    const answers = programs.map(async ({ name, socket }) => {
      socket.send(Buffer.alloc(60_000), port, '127.0.0.1')
      socket.send(name, port, '127.0.0.1')
      const [answer] = await once(socket, 'message')
      return String(answer)
    })
    expect(await Promise.all(answers)).toEqual(['echo a', 'echo b', 'echo c'])
    forwarder.child.kill('SIGINT')
    const { code, stderr } = await forwarder.ended()
    expect(stderr.match(/dropped a datagram of 60000 bytes: the path takes \d+/g)).toHaveLength(1)
    expect(code).toBe(0)
  })
})

describe('a target that refuses', () => {
  test('resets the local connection, and both ends say why, once', async () => {
    const { server, local, forwarder, ticket } = await tunnels.tunnel('tcp://127.0.0.1:1')
    for (let count = 0; count < 3; count++) {
      expect(await failure(await tunnels.connect(local))).toBe('ECONNRESET')
    }
    const { code, stdout, stderr } = await stdio(ticket, 'echo hello').ended()
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/showchain: The tunnel did not carry the connection\. The target refused the connection\.$/)
    for (const each of [forwarder, server]) each.child.kill('SIGTERM')
    expect((await forwarder.ended()).stderr.match(/not carried: .*The target refused the connection/g)).toHaveLength(1)
    expect((await server.ended()).stderr.match(/not carried: .*\(connect ECONNREFUSED 127\.0\.0\.1:1\)/g)).toHaveLength(
      1,
    )
  })
})

test('a server that is ended while it carries something: the other end says so in words', async () => {
  const { server, local, forwarder } = await tunnels.tunnel(await tunnels.program(echo))
  const socket = await tunnels.connect(local)
  const broken = failure(socket)
  const answered = once(socket, 'data')
  socket.write('hello')
  await answered
  server.child.kill('SIGINT')
  expect(await broken).toBe('ECONNRESET')
  await forwarder.stderr.line(/ ended: the program at the other end stopped: interrupted by SIGINT$/)
  // Its stream or its connection ends first.
  await forwarder.stderr.line(
    /^not carried: .*(The remote peer serves no more\.|the connection with the remote peer ended)$/,
  )
})

describe('stdio', () => {
  test('carries every byte, ends each way for itself, and prints nothing else on stdout', async () => {
    writeFileSync(bed.folder.file('bytes'), randomBytes(3_000_000))
    const { ticket } = await tunnels.serve(await tunnels.program(echo))
    const program = stdio(ticket, 'cat $D/bytes')
    const copied = bed.shell(`$S stdio $L '${ticket}' <$D/bytes >$D/copy`)
    expect(await copied.ended()).toMatchObject({ code: 0, stdout: '' })
    expect(bed.sha256('copy')).toBe(bed.sha256('bytes'))
    const { code, stderr } = await program.ended()
    expect(code).toBe(0)
    for (const line of stderr.split('\n')) expect(line).toMatch(/^(connected with|now |connection with)/)
  })

  test('hears a target that speaks first, and ends with 1 when it is reset', { tags: ['long'] }, async () => {
    const { ticket } = await tunnels.serve(
      await tunnels.program((socket) => {
        socket.write('220 ready\r\n')
        socket.once('data', () => socket.resetAndDestroy())
      }),
    )
    const program = bed.shell(`exec $S stdio $L '${ticket}'`)
    await program.stdout.line(/^220 ready/)
    program.type('QUIT')
    expect(await program.ended()).toMatchObject({ code: 1, stderr: expect.stringMatching(/the connection was reset$/) })
  })

  test('ends with --json by an event on stderr, and with 130 by Ctrl-C', { tags: ['long'] }, async () => {
    const { ticket } = await tunnels.serve(await tunnels.program(answering))
    const whole = await bed.shell(`echo hello | $S stdio $L --json '${ticket}'`).ended()
    expect(whole).toMatchObject({ code: 0, stdout: 'you said hello' })
    expect(JSON.parse(whole.stderr.split('\n').at(-1) ?? '')).toMatchObject({
      event: 'end',
      bytes: { sent: 6, received: 15 },
    })
    const interrupted = bed.shell(`exec $S stdio $L '${ticket}'`)
    await interrupted.stderr.line(/connected with/)
    interrupted.child.kill('SIGINT')
    expect((await interrupted.ended()).code).toBe(130)
  })

  test('ends with 3 when nobody is there', { tags: ['long'] }, async () => {
    const ticket = `showchain:${'A'.repeat(43)}?addr=127.0.0.1:9`
    expect(await bed.shell(`exec $S stdio $L --timeout 1 '${ticket}' </dev/null`).ended()).toMatchObject({
      code: 3,
      stdout: '',
    })
  })
})

describe('who is let in', () => {
  test('is only who --allow names; the target of others is not touched', async () => {
    let connections = 0
    const target = await tunnels.program((socket) => {
      connections++
      echo(socket)
    })
    const id = await bed.shell('$S keygen --out $D/friend.pem >/dev/null && $S id --identity $D/friend.pem').ended()
    const { ticket } = await tunnels.serve(target, `--ephemeral --allow ${id.stdout}`)
    const stranger = await bed.shell(`echo hello | $S stdio $L --timeout 2 '${ticket}'`).ended()
    expect([stranger.code, stranger.stdout, connections]).toEqual([3, '', 0])
    const friend = await bed.shell(`echo hello | $S stdio $L --identity $D/friend.pem '${ticket}'`).ended()
    expect([friend.code, friend.stdout, connections]).toEqual([0, 'hello', 1])
  })
})

describe('an end that is killed', () => {
  test('and starts again serves the next connections of the other one', { tags: ['long'] }, async () => {
    const target = await tunnels.program(echo)
    await bed.shell('$S keygen --out $D/server.pem').ended()
    const port = 20_000 + (process.pid % 20_000)
    const options = `--identity $D/server.pem --port ${port}`
    const server = await tunnels.serve(target, options)
    const { local, program } = await tunnels.forward(server.ticket, '0', '--dead-after 3')
    const open = await tunnels.connect(local)
    open.write('hello')
    expect(String((await once(open, 'data'))[0])).toBe('hello')
    server.program.kill()
    open.write('are you there?')
    expect(await failure(open)).toBe('ECONNRESET')
    await tunnels.serve(target, options)
    expect(await said(await tunnels.connect(local), 'again')).toBe('again')
    expect(program.stderr.all.filter((line) => line.startsWith('connected with'))).toHaveLength(2)
  })

  test('resets what it carried at the other end', { tags: ['long'] }, async () => {
    const targets: Socket[] = []
    const target = await tunnels.program((socket) => {
      targets.push(socket)
      echo(socket)
    })
    const server = await tunnels.serve(target, '--ephemeral --dead-after 3')
    const { local, program } = await tunnels.forward(server.ticket)
    const open = await tunnels.connect(local)
    open.write('hello')
    await once(open, 'data')
    program.kill()
    expect(await failure(targets[0] as Socket)).toBe('ECONNRESET')
    server.program.child.kill('SIGINT')
    expect((await server.program.ended()).code).toBe(0)
  })
})

test('a forwarder that is interrupted while it carries something ends with 130, and its last event says so', {
  tags: 'long',
}, async () => {
  const { ticket } = await tunnels.serve(await tunnels.program(echo))
  const program = bed.shell(`exec $S forward $L --json 0 '${ticket}'`)
  const { local } = JSON.parse(await program.stdout.line(/"forwarding"/)) as { readonly local: string }
  const open = await tunnels.connect(local)
  open.write('hello')
  await once(open, 'data')
  program.child.kill('SIGINT')
  const { code, stdout } = await program.ended()
  expect(code).toBe(130)
  expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toMatchObject({ event: 'error', code: 'SIGINT' })
})
