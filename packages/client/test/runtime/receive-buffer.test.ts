import { describe, expect, test } from 'vitest'
import { checkBuffers, RECEIVE_BUFFER } from '../../src/runtime/receive-buffer.ts'

/** A kernel that grants up to a limit and reports what Linux or another would. */
function kernel(limit: number, reportedPerGranted: number) {
  let granted = 212_992
  return {
    setRecvBufferSize: (bytes: number) => {
      granted = Math.min(bytes, limit)
    },
    setSendBufferSize: () => {
      throw new Error('ENOBUFS')
    },
    getRecvBufferSize: () => granted * reportedPerGranted,
  }
}

function warnings(limit: number, reportedPerGranted: number): string[] {
  const sentences: string[] = []
  checkBuffers(
    kernel(limit, reportedPerGranted),
    RECEIVE_BUFFER,
    (sentence) => sentences.push(sentence),
    reportedPerGranted,
  )
  return sentences
}

describe('the receive buffer', () => {
  test.each([1, 2])('is fine when the kernel grants it and reports %i times as much', (reportedPerGranted) => {
    expect(warnings(RECEIVE_BUFFER, reportedPerGranted)).toEqual([])
  })

  test.each([1, 2])(
    'warns once, with what was granted and what to do, when the kernel reports %i times as much',
    (reported) => {
      const [sentence, ...more] = warnings(212_992, reported)
      expect(more).toEqual([])
      expect(sentence).toContain('208 KiB instead of 4096 KiB')
      expect(sentence).toContain('net.core.rmem_max=4194304')
    },
  )

  test('needs nobody to be warned', () => {
    expect(() => checkBuffers(kernel(1, 1), RECEIVE_BUFFER, undefined)).not.toThrow()
  })
})
