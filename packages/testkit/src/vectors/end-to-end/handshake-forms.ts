/** Payloads and single parts, accepted and refused; written by hand, without our encoders. */
import type { HandshakeFile, HandshakeVector, PartVector, PayloadVector } from './forms.ts'

const RESERVED = '00'.repeat(4)
const NO_CURRENT = '00'.repeat(16)

export function payloadForms({
  responder: { connectionId, certificate },
}: HandshakeVector): Pick<HandshakeFile, 'payloads' | 'refusedPayloads'> {
  const current = 'e0e1e2e3e4e5e6e7e8e9eaebecedeeef'
  const front = `01${RESERVED}${connectionId}`
  const payload = (
    name: string,
    bytes: string,
    fields: Partial<PayloadVector['fields']>,
    canonical = true,
  ): PayloadVector => ({
    ...{ name, payload: bytes },
    fields: { dialled: false, namedStreams: false, connectionId, current: null, certificate, ...fields },
    canonical,
  })
  return {
    payloads: [
      payload('no connection at hand', `${front}${NO_CURRENT}${certificate}`, {}),
      payload('a connection at hand', `${front}${current}${certificate}`, { current }),
      payload('a name that begins with zeros', `${front}${'00'.repeat(15)}01${certificate}`, {
        current: `${'00'.repeat(15)}01`,
      }),
      payload('no certificate', `${front}${NO_CURRENT}`, { certificate: '' }),
      ...(['dialled', 'namedStreams'] as const).map((flag, index) =>
        payload(`flag: ${flag}`, `010${index + 1}000000${connectionId}${NO_CURRENT}${certificate}`, { [flag]: true }),
      ),
      payload(
        'bytes in place of the zeros, and flags that nobody knows',
        `01ffffffff${connectionId}${NO_CURRENT}${certificate}`,
        { dialled: true, namedStreams: true },
        false,
      ),
    ],
    refusedPayloads: [
      { name: 'no bytes', bytes: '' },
      { name: 'version 0', bytes: `00${RESERVED}${connectionId}${NO_CURRENT}${certificate}` },
      { name: 'version 2', bytes: `02${RESERVED}${connectionId}${NO_CURRENT}${certificate}` },
      { name: 'a connection id of zeros', bytes: `01${RESERVED}${'00'.repeat(8)}${NO_CURRENT}${certificate}` },
      { name: 'one byte short of a certificate', bytes: `${front}${NO_CURRENT.slice(2)}` },
    ],
  }
}

export function partForms(session: string): Pick<HandshakeFile, 'parts' | 'refusedParts'> {
  const front = `b2${'00'.repeat(8)}${session}`
  const part = (
    name: string,
    datagram: string,
    [kind, index, count, group, bytes]: readonly [number, number, number, number, string],
  ): PartVector => ({ name, datagram, part: { session, kind, index, count, group, bytes } })
  return {
    parts: [
      part('a whole message', `${front}010101020304aabb`, [1, 0, 1, 0x0102_0304, 'aabb']),
      part('the first of two', `${front}0202fffffffecc`, [2, 0, 2, 0xffff_fffe, 'cc']),
      part('the second of two', `${front}0212fffffffedd`, [2, 1, 2, 0xffff_fffe, 'dd']),
      part('the third of three', `${front}032300000000ee`, [3, 2, 3, 0, 'ee']),
      part('no bytes', `${front}000100000000`, [0, 0, 1, 0, '']),
    ],
    refusedParts: [
      { name: 'no bytes', bytes: '' },
      { name: 'a header one byte short', bytes: `${front}0101010203` },
      { name: 'an index of the count', bytes: `${front}022200000000aa` },
      { name: 'an index behind the count', bytes: `${front}023200000000aa` },
      { name: 'a count of zero', bytes: `${front}020000000000aa` },
      { name: 'a connection id that is not zero: a record', bytes: `b2${'00'.repeat(7)}01${session}010101020304aabb` },
      { name: 'another first byte', bytes: `b3${'00'.repeat(8)}${session}010101020304aabb` },
    ],
  }
}
