import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Certificate, certificatePreimage, readCertificate, writeCertificate } from '../../src/end-to-end/index.ts'

const DAYS = { notBefore: 0x0102_0304_0506, notAfter: 0x0111_2233_4455 }
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const joined = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '')

const certificates: fc.Arbitrary<Certificate> = fc.record({
  notBefore: fc.maxSafeNat(),
  notAfter: fc.maxSafeNat(),
  spki: fc.uint8Array({ maxLength: 600 }),
  signature: fc.uint8Array({ maxLength: 512 }),
})

test('a certificate is two times, a length, the key and the signature', () => {
  const bytes = writeCertificate({
    ...DAYS,
    spki: Uint8Array.of(0x30, 0x31),
    signature: Uint8Array.of(0x51, 0x52, 0x53),
  })
  expect(hex(bytes)).toBe(joined('0000 0102 0304 0506', '0000 0111 2233 4455', '0002', '3031', '515253'))
})

test('a preimage is the context, the key and the two times', () => {
  const context = Buffer.from('SHOWCHAIN-P2P-v1 certificate\0', 'ascii').toString('hex')
  expect(hex(certificatePreimage(new Uint8Array(32).fill(0x77), DAYS))).toBe(
    joined(context, '77'.repeat(32), '0000 0102 0304 0506', '0000 0111 2233 4455'),
  )
})

test('a certificate reads as it was written', () => {
  fc.assert(
    fc.property(certificates, (certificate) => {
      expect(readCertificate(writeCertificate(certificate))).toEqual(certificate)
    }),
  )
})

test('bytes that end before the key does are no certificate', () => {
  const bytes = writeCertificate({ ...DAYS, spki: new Uint8Array(5), signature: new Uint8Array(0) })
  for (let length = 0; length < bytes.length; length++)
    expect(readCertificate(bytes.subarray(0, length))).toBeUndefined()
})

test.each([[0], [8]])('a time above 2^53 − 1 at byte %d is refused', (at) => {
  const bytes = writeCertificate({ notBefore: 0, notAfter: 0, spki: new Uint8Array(1), signature: new Uint8Array(1) })
  bytes[at + 1] = 0x1f
  expect(readCertificate(bytes)).toBeDefined()
  bytes[at + 1] = 0x20
  expect(readCertificate(bytes)).toBeUndefined()
})
