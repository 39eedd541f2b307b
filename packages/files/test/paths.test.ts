/** What systems do not take. */
import { describe, expect, test } from 'vitest'
import { systemFault } from '../src/node/paths.ts'
import { bytesOf } from './tree.ts'

describe('Windows takes no', () => {
  test.each(['a\\..\\..\\b', 'photos/c:\\x', 'a:stream', 'photos/NUL', 'com1.txt', 'a.', 'a ', 'a?', 'x/aux/y'])(
    '%s',
    (path) => {
      expect(systemFault(bytesOf(path), 'win32')).toBe('Windows does not take such names')
      expect(systemFault(bytesOf(path), 'linux')).toBe(undefined)
    },
  )

  test.each(['photos/a.jpg', 'console', 'com', 'common/nullable.txt'])('but %s', (path) => {
    expect(systemFault(bytesOf(path), 'win32')).toBe(undefined)
  })
})
