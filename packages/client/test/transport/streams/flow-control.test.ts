/** RFC 9000 §4.1: the bytes of all streams of a connection, and windows that grow with a fast reader. */
import { expect, test } from 'vitest'
import { instant } from '../../../src/core/index.ts'
import { CONNECTION_WINDOW, MAX_CONNECTION_WINDOW } from '../../../src/core/transport/limits.ts'
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

test('MAX_DATA is due when more than half of the window was read, and restores it', () => {
  const flow = new ConnectionFlow()
  const half = CONNECTION_WINDOW / 2
  expect(flow.onRead(half)).toBe(false)
  expect(flow.onRead(1)).toBe(true)
  flow.raiseLimit(false)
  expect(flow.receiveLimit).toBe(half + 1 + CONNECTION_WINDOW)
})

test('a window that limits the sender doubles, up to its maximum', () => {
  const flow = new ConnectionFlow()
  flow.raiseLimit(true)
  expect(flow.receiveLimit).toBe(2 * CONNECTION_WINDOW)
  for (let times = 0; times < 20; times++) flow.raiseLimit(true)
  expect(flow.receiveLimit).toBe(MAX_CONNECTION_WINDOW)
})

test('a window limits the sender when it is raised twice within two round trips', () => {
  const window = { raisedAt: undefined }
  expect(isWindowLimited(window, 50, instant(1000))).toBe(false)
  expect(isWindowLimited(window, 50, instant(1099))).toBe(true)
  expect(isWindowLimited(window, 50, instant(1199))).toBe(false)
})
