/** A fleet as its operator runs it: three relays and a NATS server, as processes. */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { connect } from 'node:net'
import { nkeys } from '@nats-io/transport-node'
import { parseTicket } from '@showchain/wire'
import { needsTool } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { connected, fleetLab, fromPort } from './fleet-lab.ts'
import { freePort, NATS } from './nats.ts'
import { accountToken, credsFile, tokenOf, userToken } from './nats-creds.ts'
import { said } from './relay-lab.ts'

const PASSWORD = 'p w'
/** What a NATS server takes that has one user with a password. */
const BY_PASSWORD: readonly string[] = ['--user', 'relays', '--pass', PASSWORD]

const { folder, ends, startNats, secretFile, startRelay, peerAt } = fleetLab()

/** Somebody on NATS without the secret says something to all. */
function sayToAll(port: number, fleet: string, text: string): void {
  const user = JSON.stringify({ verbose: false, user: 'relays', pass: PASSWORD })
  const socket = connect(port, '127.0.0.1')
  socket.write(`CONNECT ${user}\r\nPUB showchain.${fleet}.all ${text.length}\r\n${text}\r\n`)
  ends.push(() => socket.destroy())
}

async function nodesOf(relay: Program): Promise<number[]> {
  const { nodes } = (await (await fromPort(relay, 'status.json')).json()) as {
    readonly nodes: { readonly node: number }[]
  }
  return nodes.map(({ node }) => node).sort()
}

describe('a fleet', () => {
  test('introduces peers of different nodes, goes on without NATS, and finds it again', {
    tags: ['long'],
    ...needsTool(NATS, NATS),
  }, async () => {
    const port = await freePort()
    const nats = await startNats(port, BY_PASSWORD)
    const shared = ['--fleet', `nats://relays:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`]
    shared.push('--fleet-secret', secretFile())
    const first = startRelay([...shared, '--node', '1'])
    // It makes the identity that all have.
    await first.stdout.line(/./)
    const second = startRelay([...shared, '--node', '2'])
    const third = startRelay([...shared, '--node', '3'])
    await Promise.all([second, third].map((each) => first.stderr.line(new RegExp(`"node":${each === second ? 2 : 3}`))))
    await second.stderr.line(/"node":3/)
    expect(await nodesOf(first)).toEqual([2, 3])

    sayToAll(port, parseTicket(await first.stdout.line(/./)).id.slice(0, 8), 'garbage')
    await expect
      .poll(async () => (await fromPort(second, 'metrics')).text())
      .toContain('showchain_relay_fleet_refused_total 1\n')
    const a = await peerAt(first)
    const b = await peerAt(second)
    const c = await peerAt(third)
    const direct = await connected(a, b)
    expect(await said(...direct, 'from 1 to 2')).toBe('from 1 to 2')
    const relayed = await connected(b, c, 'relay-only')
    expect(await said(...relayed, 'by two nodes')).toBe('by two nodes')

    nats.kill('SIGKILL')
    await Promise.all([first, second, third].map((each) => each.stderr.line(/NATS is not there/)))
    expect(await said(...direct, 'without NATS')).toBe('without NATS')

    const again = [first, second, third].map((each) => each.stderr.line(/NATS is there again/))
    await startNats(port, BY_PASSWORD)
    await Promise.all(again)
    expect(await said(...(await connected(c, a)), 'from 3 to 1')).toBe('from 3 to 1')
    expect(await said(...relayed, 'still the same')).toBe('still the same')
  })

  test('is joined with an nkey, and not without', { tags: ['long'], ...needsTool(NATS, NATS) }, async () => {
    const user = nkeys.createUser()
    const users = folder.write('nats.conf', `authorization { users = [ { nkey: ${user.getPublicKey()} } ] }`)
    const port = await freePort()
    await startNats(port, ['-c', users])
    const credentials = folder.write('relay.nk', `${new TextDecoder().decode(user.getSeed())}\n`)
    chmodSync(credentials, 0o600)
    const shared = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secretFile(), '--node', '1']
    const stranger = startRelay(shared)
    await stranger.stderr.line(/NATS is not there.*Authorization Violation/)
    const relay = startRelay([...shared, '--fleet-credentials', credentials])
    expect(await relay.stderr.line(/the fleet is connected by NATS/)).toContain(`127.0.0.1:${port}`)
    expect(stranger.stderr.all.join()).not.toContain('the fleet is connected')
  })

  test('is joined with a creds file, whose user an account signed that an operator signed', {
    tags: ['long'],
    ...needsTool(NATS, NATS),
  }, async () => {
    const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
    const token = userToken(user, account)
    const trusted = [
      `operator: ${tokenOf('operator', operator, operator)}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountToken(account, operator)} }`,
    ]
    const port = await freePort()
    await startNats(port, ['-c', folder.write('operator.conf', trusted.join('\n'))])
    const shared = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secretFile()]
    const credentialsOf = (name: string, text: string): string[] => {
      const path = folder.write(name, text)
      chmodSync(path, 0o600)
      return ['--fleet-credentials', path]
    }
    // A token that its account did not sign.
    const forged = userToken(user, nkeys.createAccount())
    const stranger = startRelay([...shared, '--node', '1', ...credentialsOf('forged.creds', credsFile(forged, user))])
    await stranger.stderr.line(/NATS is not there.*Authorization Violation/)
    const credentials = credentialsOf('relay.creds', credsFile(token, user))
    const first = startRelay([...shared, '--node', '2', ...credentials])
    await first.stderr.line(/the fleet is connected by NATS/)
    const second = startRelay([...shared, '--node', '3', ...credentials])
    await second.stderr.line(/the fleet is connected by NATS/)
    await first.stderr.line(/"node":3,"msg":"a node of the fleet is there"/)
    expect(stranger.stderr.all.join()).not.toContain('the fleet is connected')
  })

  test('says that a number is taken, and has workers as nodes', {
    tags: ['long'],
    ...needsTool(NATS, NATS),
  }, async () => {
    const port = await freePort()
    await startNats(port, BY_PASSWORD)
    const shared = ['--fleet', `nats://relays:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`]
    shared.push('--fleet-secret', secretFile())
    const first = startRelay([...shared, '--node', '7'])
    await first.stdout.line(/./)
    const several = startRelay([...shared, '--node', '8', '--workers', '2'])
    await first.stderr.line(/"node":8,"msg":"a node of the fleet is there"/)
    await first.stderr.line(/"node":9,"msg":"a node of the fleet is there"/)
    await several.stderr.line(/"worker":1,"node":7,"msg":"a node of the fleet is there"/)
    expect(await nodesOf(several)).toEqual([7])
    const [a, b] = [await peerAt(first), await peerAt(several)]
    const relayed = await connected(a, b, 'relay-only')
    expect(await said(...relayed, 'to a worker')).toBe('to a worker')

    const twin = startRelay([...shared, '--node', '7'])
    await Promise.all([first, twin].map((each) => each.stderr.line(/another relay has the number of this one/)))
  })

  test('trusts NATS by TLS only with a certificate that it knows', {
    tags: ['long'],
    ...needsTool(NATS, NATS),
  }, async () => {
    const [certificate, key] = [folder.file('nats.crt'), folder.file('nats.key')]
    const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const names = ['-subj', '/CN=nats', '-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', [...what, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
    const port = await freePort()
    await startNats(port, ['--tls', '--tlscert', certificate, '--tlskey', key])
    const shared = ['--fleet', `tls://localhost:${port}`, '--fleet-secret', secretFile(), '--node', '1']
    const stranger = startRelay(shared)
    await stranger.stderr.line(/NATS is not there.*certificate/)
    const relay = startRelay(shared, { NODE_EXTRA_CA_CERTS: certificate })
    await relay.stderr.line(/the fleet is connected by NATS/)
    expect(stranger.stderr.all.join()).not.toContain('the fleet is connected')
  })

  test('is no condition: a relay serves, and ends, where no NATS is', { tags: ['long'] }, async () => {
    const relay = startRelay([
      ...['--fleet', `nats://127.0.0.1:${await freePort()}`],
      ...['--node', '1', '--fleet-secret', secretFile()],
    ])
    await peerAt(relay)
    await relay.stderr.line(/NATS is not there/)
    relay.child.kill('SIGTERM')
    const { code, stderr } = await relay.ended()
    expect(code).toBe(0)
    expect(stderr.match(/NATS is not there/g)).toHaveLength(1)
  })

  test.each([
    ['others may read', 0o644, 'a'.repeat(64), /fleetSecret: .* has mode 644: others may read it/],
    ['is too short', 0o600, 'a'.repeat(62), /fleetSecret: the file has not 32 bytes/],
  ])('is not joined with a secret that %s', async (_what, mode, text, complaint) => {
    const path = folder.write('wrong.secret', text)
    chmodSync(path, mode)
    const relay = startRelay(['--fleet', 'nats://127.0.0.1:1', '--node', '1', '--fleet-secret', path])
    expect(await relay.ended()).toMatchObject({ code: 2, stderr: expect.stringMatching(complaint) })
  })
})
