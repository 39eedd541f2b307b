/** A peer that cannot be opened because of LAN discovery. */
import { generateIdentity } from '@showchain/crypto'
import { expect, test } from 'vitest'
import { Peer } from '../../src/index.ts'
import { type CountedSocket, type LanPort, nodeRuntime, type Runtime } from '../../src/runtime/index.ts'

const host = '127.0.0.1'

/** @param codec what LAN discovery waits for first */
function failing(codec: () => Promise<never>) {
  const sockets: CountedSocket[] = []
  const runtime: Runtime = {
    ...nodeRuntime,
    lan: { ...nodeRuntime.lan, codec } as LanPort,
    openSocket: async (options) => {
      const socket = await nodeRuntime.openSocket(options)
      sockets.push(socket)
      return socket
    },
  }
  const isFree = async (): Promise<boolean> => {
    const port = sockets[0]?.localEndpoints[0]?.port ?? 0
    const again = await nodeRuntime.openSocket({ listen: [{ host, port }] })
    await again.close()
    return port > 0
  }
  return { runtime, isFree }
}

test('closes its sockets when discovery fails', async () => {
  const { runtime, isFree } = failing(() => Promise.reject(new Error('no codec')))
  const opening = Peer.open({ identity: await generateIdentity(), lanDiscovery: true, listen: [{ host }], runtime })
  await expect(opening).rejects.toThrow('no codec')
  expect(await isFree()).toBe(true)
})

test('closes its sockets when it is aborted meanwhile', async () => {
  const stop = new AbortController()
  const { runtime, isFree } = failing(() => {
    stop.abort()
    return new Promise(() => {})
  })
  const options = { identity: await generateIdentity(), lanDiscovery: true, listen: [{ host }], runtime }
  await expect(Peer.open(options, { signal: stop.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  expect(await isFree()).toBe(true)
})
