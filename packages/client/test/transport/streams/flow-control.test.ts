/** RFC 9000 §4.1: the bytes of all streams of a connection, and windows that grow with a fast reader. */
import { runs } from '@showchain-tooling/vitest/random'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instant } from '../../../src/core/index.ts'
import {
  CONNECTION_WINDOW,
  MAX_CONNECTION_WINDOW,
  MAX_OPEN_STREAMS,
  STREAM_WINDOW,
  UNREAD_ALLOWANCE,
} from '../../../src/core/transport/limits.ts'
import { ConnectionFlow, isWindowLimited } from '../../../src/core/transport/streams/flow-control.ts'

test('what is sent uses up the credit, and MAX_DATA only adds to it', () => {
  const flow = new ConnectionFlow()
  flow.onSent(CONNECTION_WINDOW)
  expect(flow.sendCredit).toBe(0)
  expect(flow.onMaxData(CONNECTION_WINDOW + 5)).toBe(true)
  expect(flow.onMaxData(CONNECTION_WINDOW + 3)).toBe(false)
  expect(flow.sendCredit).toBe(5)
})

test('a byte beyond the limit is a violation', () => {
  const flow = new ConnectionFlow()
  expect(flow.onReceived(CONNECTION_WINDOW)).toBe(true)
  expect(flow.onReceived(1)).toBe(false)
})

test('MAX_DATA is due when more than half of the window came, read or not, and restores it', () => {
  const flow = new ConnectionFlow()
  const half = CONNECTION_WINDOW / 2
  flow.onReceived(half)
  expect(flow.limitDue).toBe(false)
  flow.onReceived(1)
  expect(flow.limitDue).toBe(true)
  flow.raiseLimit()
  expect(flow.receiveLimit).toBe(half + 1 + CONNECTION_WINDOW)
})

test('unread bytes take nothing of the window up to the allowance, and all beyond it', () => {
  const flow = new ConnectionFlow()
  /** Fills the window until nothing is due. */
  const fill = (): void => {
    for (;;) {
      flow.onReceived(flow.receiveLimit - received)
      received = flow.receiveLimit
      if (!flow.limitDue) return
      flow.raiseLimit()
    }
  }
  let received = 0
  fill()
  expect(received).toBeGreaterThan(UNREAD_ALLOWANCE + CONNECTION_WINDOW / 2)
  expect(received).toBeLessThanOrEqual(UNREAD_ALLOWANCE + CONNECTION_WINDOW)
  flow.onRead(CONNECTION_WINDOW)
  expect(flow.limitDue).toBe(true)
})

test('a window that limits the sender doubles when half of it was read, up to its maximum', () => {
  const flow = new ConnectionFlow()
  flow.onReceived(CONNECTION_WINDOW)
  expect(flow.tuneDue).toBe(false)
  flow.onRead(CONNECTION_WINDOW / 2)
  expect(flow.tuneDue).toBe(false)
  flow.onRead(CONNECTION_WINDOW / 2)
  expect(flow.tuneDue).toBe(true)
  flow.tune(true)
  expect(flow.tuneDue).toBe(false)
  flow.raiseLimit()
  expect(flow.receiveLimit).toBe(3 * CONNECTION_WINDOW)
  for (let times = 0; times < 20; times++) flow.tune(true)
  flow.raiseLimit()
  expect(flow.receiveLimit).toBe(CONNECTION_WINDOW + MAX_CONNECTION_WINDOW)
})

/**
 * A model: so many streams that nobody reads fill their windows, in pieces of any size and any
 * order, some before and some while another stream that is read carries data.
 */
describe('streams that nobody reads', () => {
  const PIECES = [1_200, STREAM_WINDOW / 3, STREAM_WINDOW]

  test('never stop one that is read, however many they are and whenever their data comes', () => {
    const unread = fc.array(fc.record({ before: fc.boolean(), piece: fc.constantFrom(...PIECES) }), {
      maxLength: MAX_OPEN_STREAMS - 1,
    })
    fc.assert(
      fc.property(unread, fc.constantFrom(...PIECES), (streams, piece) => {
        const flow = new ConnectionFlow()
        /** Sends what the limit allows; MAX_DATA arrives at once. */
        const send = (bytes: number, read: boolean): number => {
          const sent = Math.min(bytes, flow.sendCredit)
          flow.onSent(sent)
          expect(flow.onReceived(sent)).toBe(true)
          if (read) flow.onRead(sent)
          if (flow.limitDue) flow.raiseLimit()
          flow.onMaxData(flow.receiveLimit)
          return sent
        }
        const fill = (before: boolean): void => {
          for (const stream of streams) {
            if (stream.before !== before) continue
            for (let left = STREAM_WINDOW; left > 0; ) {
              const sent = send(Math.min(left, stream.piece), false)
              expect(sent).toBeGreaterThan(0)
              left -= sent
            }
          }
        }
        const carry = (): void => {
          for (let left = 3 * CONNECTION_WINDOW; left > 0; ) {
            const sent = send(Math.min(left, piece), true)
            expect(sent).toBeGreaterThan(0)
            left -= sent
          }
        }
        fill(true)
        carry()
        fill(false)
        carry()
      }),
      { numRuns: runs(10) },
    )
  })
})

test('a window limits the sender when it is raised twice within two round trips', () => {
  const window = { raisedAt: undefined }
  expect(isWindowLimited(window, 50, instant(1000))).toBe(false)
  expect(isWindowLimited(window, 50, instant(1099))).toBe(true)
  expect(isWindowLimited(window, 50, instant(1199))).toBe(false)
})
