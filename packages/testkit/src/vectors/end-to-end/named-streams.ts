/**
 * Ids of streams, and how the data of named ones begins (docs/protocol.md, Named streams): written by
 * hand, without our encoders.
 */
import { toHex } from '../hex.ts'
import type { RefusedBytes, Side } from './forms.ts'

export interface NamedStreamFile {
  readonly about: string
  /** Whose stream it is in a connection whose ends both know named streams, and which: 0 the first. */
  readonly ids: readonly {
    readonly id: number
    readonly opener: Side
    readonly named: boolean
    readonly index: number
  }[]
  /** What the opener of a named stream sends, and what it says. `data` is what follows the name. */
  readonly beginnings: readonly {
    readonly name: string
    readonly bytes: string
    readonly protocol: string
    readonly data: string
  }[]
  /** Whole data of streams that is refused. */
  readonly refused: readonly RefusedBytes[]
}

const hexOf = (text: string): string => toHex(new TextEncoder().encode(text))
const LONGEST = 'x'.repeat(255)

const beginning = (
  name: string,
  length: string,
  protocol: string,
  data = '',
): NamedStreamFile['beginnings'][number] => ({ name, bytes: length + hexOf(protocol) + data, protocol, data })

const refused = (name: string, bytes: string): NamedStreamFile['refused'][number] => ({ name, bytes })

export function namedStreamFile(): NamedStreamFile {
  return {
    about: 'Ids of streams where both ends know named streams, and how the data of a named stream begins.',
    ids: [
      { id: 0, opener: 'initiator', named: false, index: 0 },
      { id: 1, opener: 'responder', named: false, index: 0 },
      { id: 2, opener: 'initiator', named: true, index: 0 },
      { id: 3, opener: 'responder', named: true, index: 0 },
      { id: 4, opener: 'initiator', named: false, index: 1 },
      { id: 7, opener: 'responder', named: true, index: 1 },
      { id: 1022, opener: 'initiator', named: true, index: 255 },
      { id: 2 ** 34 + 1, opener: 'responder', named: false, index: 2 ** 32 },
      { id: 2 ** 53 - 1, opener: 'responder', named: true, index: 2 ** 51 - 1 },
    ],
    beginnings: [
      beginning('a name', '06', 'chat/1'),
      beginning('a name and data', '06', 'chat/1', '00ff68656c6c6f'),
      beginning('one character', '01', '!'),
      beginning('the other end of what is allowed', '02', '~~'),
      beginning('the longest', 'ff', LONGEST, '01'),
    ],
    refused: [
      refused('no bytes', ''),
      refused('a length of zero', '00'),
      refused('a length of zero and data', '00616263'),
      refused('one byte short', `06${hexOf('chat/')}`),
      refused('the longest, one byte short', `ff${hexOf(LONGEST).slice(2)}`),
      refused('a space', `03${hexOf('a b')}`),
      refused('a line feed', `02${hexOf('a\n')}`),
      refused('an escape', `04${hexOf('\u001b[1m')}`),
      refused('a zero', '026100'),
      refused('DEL', '02617f'),
      refused('not ASCII, in UTF-8', `02${hexOf('é')}`),
      refused('not UTF-8', '0261ff'),
    ],
  }
}
