import fc from 'fast-check'

const fail = () => {
  throw new Error('never asked')
}
/** A proxy of which every question throws. */
const refusing = (target) => new Proxy(target, new Proxy({}, { get: () => fail }))
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

export const unreadable = (object, name) => Object.defineProperty(object, name, { get: fail, enumerable: true })

const HOSTILE = [
  { toString: [] },
  { toString: fail, valueOf: fail, toJSON: fail },
  { [Symbol.toPrimitive]: fail },
  { [Symbol.toPrimitive]: 5 },
  Object.create(null),
  unreadable({}, 'message'),
  Object.defineProperties(new Uint8Array(2), { length: { get: fail }, toString: { value: fail } }),
  refusing({}),
  refusing(() => 1),
  refusing([]),
  refusing(new Uint8Array(4)),
  revoked(),
  Symbol('s'),
  Symbol(),
  10n ** 400n,
  -(2n ** 64n),
  -0,
  Number.NaN,
  'x'.repeat(1_000_000),
  '\u001b[2J\u0007\u009b1A\r\n\u2028\u202e\u200b\ufeff\ud800',
]

// fast-check asks each value for some of its own methods: what it sees are functions that give the value
const given = (value) => () => value

export const foreign = fc.oneof(
  fc.constantFrom(...HOSTILE.map(given)),
  fc
    .anything({
      ...{ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true },
      ...{ withNullPrototype: true, withObjectString: true, withSparseArray: true, withBoxedValues: true },
    })
    .map(given),
  fc.string({ unit: 'binary', maxLength: 200 }).map(given),
)

export const withHostile = { examples: HOSTILE.map((value) => [given(value)]) }
