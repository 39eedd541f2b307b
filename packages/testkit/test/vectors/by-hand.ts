/**
 * A second, tiny implementation of the binary form and of preimages, for tests only: it shares no
 * code and no table with @showchain/wire. The lists below are copied by hand from the seed and from
 * docs/protocol.md.
 */
import { createHash } from 'node:crypto'

export type Members = Readonly<Record<string, string | number>>

/** Fields in order, per op code. */
const FIELDS: Readonly<Record<number, string>> = {
  256: 'id seq ts',
  257: 'id target seq ts sign',
  258: 'id seq ts sign',
  273: 'target id seq ts sign',
  274: 'target id seq ts ip port session sign',
  275: 'target id seq ts sign',
  276: 'id seq ts session sign',
  277: 'id seq ts ip port session sign',
  289: 'target id seq ts sign',
  290: 'session target seq ts sign',
  291: 'target id data session seq ts sign',
  292: 'target id data session seq ts',
  293: 'session seq ts',
  496: 'code ref_op seq ts',
  497: 'cookie ref_op seq ts',
}

/** The op code in the preimage and the signature list. */
const SIGNED: Readonly<Record<number, readonly [op: number, list: string]>> = {
  257: [0x101, 'target seq ts'],
  258: [0x102, 'id seq ts'],
  273: [0x111, 'target seq ts'],
  274: [0x111, 'target seq ts'],
  275: [0x113, 'target id seq ts'],
  276: [0x114, 'session seq ts'],
  277: [0x114, 'session seq ts'],
  289: [0x121, 'target seq ts'],
  290: [0x122, 'target session seq ts'],
  291: [0x123, 'target session seq ts'],
}

/** Type number, and the messages that know it under its name. */
const EXTENSIONS: Readonly<Record<string, readonly [type: number, ops: string]>> = {
  key: [1, '101 102 111 112 113 114 115 121 122'],
  cookie: [2, '101 111 112 121'],
  caps: [3, '101 102 111 112 114 115 121 122'],
  nat: [4, '101 111 112 114 115'],
  local: [5, '101 111 112 113 114 115'],
  kx: [6, '101 102 111 112 114 115 121 122'],
  observed: [7, '102'],
  hello: [8, '101 102 111 112 114 115'],
  token: [9, '101 102'],
  also: [10, '111 112 114 115'],
  pad: [11, '101'],
  permit: [12, '101'],
  modulus: [13, '101'],
}
const UNSIGNED_EXTENSIONS = ['key', 'local', 'modulus']

const u = (value: number | bigint, bytes: number): string =>
  BigInt(value)
    .toString(16)
    .padStart(2 * bytes, '0')
const bytesOf = (text: string | number | undefined): Buffer => Buffer.from(String(text), 'base64url')
const withLength = (bytes: Buffer): string => u(bytes.length, 2) + bytes.toString('hex')

function ipHex(text: string): string {
  if (!text.includes(':'))
    return `04${text
      .split('.')
      .map((part) => u(Number(part), 1))
      .join('')}`
  const [head = '', tail = ''] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const missing = 8 - groups(head).length - groups(tail).length
  const all = text.includes('::')
    ? [...groups(head), ...new Array<string>(missing).fill('0'), ...groups(tail)]
    : groups(text)
  return `06${all.map((group) => group.padStart(4, '0')).join('')}`
}

function field(name: string, value: string | number | undefined): string {
  if (name === 'id' || name === 'target' || name === 'session') return bytesOf(value).toString('hex')
  if (name === 'seq' || name === 'ts') return u(Number(value), 8)
  if (name === 'port' || name === 'code' || name === 'ref_op') return u(Number(value), 2)
  if (name === 'ip') return ipHex(String(value))
  return withLength(bytesOf(value))
}

function extensionFields(message: Members, wanted: (name: string) => boolean): string {
  const op = Number(message.op_code)
  const own = new Set(['op_code', ...(FIELDS[op] as string).split(' ')])
  const found = Object.keys(message).filter((name) => !own.has(name) && wanted(name))
  return found
    .map((name) => {
      const [type, ops] = EXTENSIONS[name] ?? [Number(/^ext(\d+)$/.exec(name)?.[1]), op.toString(16)]
      if (!ops.split(' ').includes(op.toString(16))) throw new Error(`${name} does not stand in ${op}`)
      return [type, u(type, 1) + withLength(bytesOf(message[name]))] as const
    })
    .sort(([a], [b]) => a - b)
    .map(([, hex]) => hex)
    .join('')
}

/** The binary datagram in hex. */
export function binaryByHand(message: Members): string {
  const op = Number(message.op_code)
  const fields = (FIELDS[op] as string).split(' ').map((name) => field(name, message[name]))
  return `b1${u(op, 2)}${fields.join('')}${extensionFields(message, () => true)}`
}

/** The preimage in hex, or undefined for a message that is not signed. */
export function preimageByHand(message: Members): string | undefined {
  const signed = SIGNED[Number(message.op_code)]
  if (signed === undefined) return undefined
  const [op, list] = signed
  const context = Buffer.from('SHOWCHAIN-P2P-v1\0', 'ascii').toString('hex')
  const fields = list.split(' ').map((name) => field(name, message[name]))
  const covered = extensionFields(message, (name) => !UNSIGNED_EXTENSIONS.includes(name))
  const hash = covered === '' ? '' : createHash('sha256').update(Buffer.from(covered, 'hex')).digest('hex')
  return `${context}${u(op, 2)}${fields.join('')}${hash}`
}
