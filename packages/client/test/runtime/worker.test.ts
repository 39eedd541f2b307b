import { describe, expect, test } from 'vitest'
import { type Instant, instant, type Work } from '../../src/core/endpoint/machine.ts'
import { CryptoWorker, PEER_WORKER_LIMITS, type WorkerLimits } from '../../src/runtime/index.ts'
import { HandCrypto, key } from './fakes.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function working(limits: Partial<WorkerLimits>, quick = false) {
  const crypto = new HandCrypto(quick)
  const worker = new CryptoWorker({ provider: crypto.provider, identity: crypto.identity, limits })
  const results: (string | boolean | number | undefined)[] = []
  const enter = (resume: (now: Instant) => void): void => resume(instant(0))
  const verify = (first = 1): void => {
    const signature = Uint8Array.of(first)
    const work: Work = {
      type: 'work',
      kind: 'verify',
      key,
      preimage: signature,
      signature,
      resume: (valid) => results.push(valid),
    }
    worker.run(work, enter)
  }
  const sign = (first = 1): void =>
    worker.run(
      { type: 'work', kind: 'sign', preimage: Uint8Array.of(first), resume: (bytes) => results.push(bytes?.[0]) },
      enter,
    )
  return { crypto, worker, results, verify, sign }
}

describe('the crypto worker', () => {
  test('checks a few signatures on the loop, then hands them to threads until the loop has turned', async () => {
    const { crypto, worker, results, verify } = working({ verifyPerTick: 2 })
    verify(1)
    verify(0)
    verify(1)
    expect(results).toEqual([true, false])
    expect(crypto.verifying).toHaveLength(1)
    await nextTurn()
    verify(1)
    expect(results).toEqual([true, false, true])
    expect(worker.counters).toMatchObject({ verifiedOnLoop: 3, verifiedOnThreads: 1 })
  })

  test('keeps a number of checks in flight, a number waiting in order, and sheds the rest', async () => {
    const { crypto, worker, results, verify } = working({ verifyPerTick: 0, verifyInFlight: 2, verifyQueue: 2 })
    for (let i = 0; i < 5; i++) verify()
    expect(crypto.verifying).toHaveLength(2)
    expect(worker.waiting).toBe(2)
    expect(results).toEqual([undefined])
    expect(worker.counters.verifyShed).toBe(1)
    crypto.verifying[0]?.resolve(true)
    await nextTurn()
    expect(results).toEqual([undefined, true])
    expect(crypto.verifying).toHaveLength(3)
    for (const job of crypto.verifying) job.resolve(false)
    await nextTurn()
    for (const job of crypto.verifying) job.resolve(false)
    await nextTurn()
    expect(results).toEqual([undefined, true, false, false, false])
    expect(worker.waiting).toBe(0)
  })

  test('signs on the loop where it may and the identity is quick, so often in one turn', async () => {
    const { crypto, worker, results, sign } = working(PEER_WORKER_LIMITS, true)
    sign(1)
    sign(2)
    expect(results).toEqual([2])
    expect(crypto.signing).toHaveLength(1)
    await nextTurn()
    sign(3)
    sign(0xff)
    await nextTurn()
    sign(0xff)
    expect(results).toEqual([2, 4, undefined, undefined])
    expect(worker.counters).toMatchObject({ signedOnLoop: 3, signed: 2, failed: 2 })
  })

  test('never signs on the loop of a relay, nor with a key that takes long', () => {
    const relay = working({}, true)
    const slow = working(PEER_WORKER_LIMITS, false)
    for (const { sign, crypto, results } of [relay, slow]) {
      sign()
      expect(crypto.signing).toHaveLength(1)
      expect(results).toEqual([])
    }
  })

  test('signs off the loop, so many at a time, and sheds when the queue is full', async () => {
    const { crypto, worker, results, sign } = working({ signInFlight: 1, signQueue: 1 })
    sign()
    sign()
    sign()
    expect(crypto.signing).toHaveLength(1)
    expect(results).toEqual([undefined])
    expect(worker.counters.signShed).toBe(1)
    crypto.signing[0]?.resolve(Uint8Array.of(5))
    await nextTurn()
    crypto.signing[1]?.resolve(Uint8Array.of(6))
    await nextTurn()
    expect(results).toEqual([undefined, 5, 6])
  })

  test('a job that fails, in whatever way, has no result and makes room for the next', async () => {
    const { crypto, worker, results, sign, verify } = working({ signInFlight: 1, verifyPerTick: 1 })
    sign(0xff)
    sign()
    await nextTurn()
    crypto.signing[0]?.reject(new Error('no'))
    verify(0xff)
    verify()
    crypto.verifying[0]?.reject(new Error('no'))
    await nextTurn()
    expect(results).toEqual([undefined, undefined, undefined, undefined])
    expect(worker.counters.failed).toBe(4)
    sign()
    expect(crypto.signing).toHaveLength(2)
  })

  test('checks in flight never wait for signatures, nor signatures for checks', () => {
    const { crypto, verify, sign } = working({ verifyPerTick: 0, verifyInFlight: 1, signInFlight: 1 })
    for (let i = 0; i < 3; i++) verify()
    sign()
    expect([crypto.verifying.length, crypto.signing.length]).toEqual([1, 1])
  })

  test('after the close nothing starts and no result comes back', async () => {
    const { crypto, worker, results, sign, verify } = working({ signInFlight: 1, verifyPerTick: 0 })
    sign()
    sign()
    verify()
    worker.close()
    sign()
    crypto.signing[0]?.resolve(Uint8Array.of(1))
    crypto.verifying[0]?.resolve(true)
    await nextTurn()
    expect(results).toEqual([])
    expect(crypto.signing).toHaveLength(1)
    expect(worker.waiting).toBe(0)
  })
})
