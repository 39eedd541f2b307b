/**
 * JSON datagrams that every decoder refuses, and others that it accepts although this project would
 * encode them differently. All are the text of one valid 0x101 with a part rewritten.
 */
import type { AcceptedVector, RefusedVector } from './files.ts'
import { toHex } from './hex.ts'
import type { PlainMessage } from './plain.ts'

const hex = (text: string): string => toHex(Buffer.from(text, 'utf8'))

/** The JSON of a message, with the member `name` replaced by `text`. */
function rewrite(message: PlainMessage, name: string, text: string): string {
  const members = Object.entries(message).map(([member, value]) =>
    member === name ? text : `${JSON.stringify(member)}:${JSON.stringify(value)}`,
  )
  return `{${members.join(',')}}`
}

type Case = readonly [name: string, text: string]

export function refusedJson(request: PlainMessage, passed: PlainMessage): readonly RefusedVector[] {
  const text = JSON.stringify(request)
  const id = String(request.id)
  const sign = String(request.sign)
  const seq = (as: string): string => rewrite(request, 'seq', as)
  const behind = (members: string): string => `${text.slice(0, -1)},${members}}`
  const field = (name: string, value: unknown): string => rewrite(request, name, `"${name}":${JSON.stringify(value)}`)
  const inPassed = (name: string, value: unknown): string => rewrite(passed, name, `"${name}":${JSON.stringify(value)}`)

  const cases: Readonly<Record<string, readonly Case[]>> = {
    class: [
      ['a byte order mark', `\ufeff${text}`],
      ['a space in front', ` ${text}`],
      ['an array around the message', `[${text}]`],
      ['a text', JSON.stringify(text)],
    ],
    size: [['1201 bytes', text.padEnd(1201)]],
    syntax: [
      ['the closing brace missing', text.slice(0, -1)],
      ['a second object', `${text}{}`],
      ['a letter behind the message', `${text}x`],
      ['a NUL behind the message', `${text}\0`],
      ['a comma behind the last member', `${text.slice(0, -1)},}`],
      ['a comment', text.replace(',', ',/* */')],
      ['single quotes', text.replaceAll('"', "'")],
      ['names without quotes', text.replace('"seq"', 'seq')],
      ['a hexadecimal op code', rewrite(request, 'op_code', '"op_code":0x101')],
      ['a number with a leading zero', seq('"seq":01')],
      ['a number with a plus sign', seq('"seq":+1')],
      ['a number without digits behind the point', seq('"seq":1.')],
      ['NaN', seq('"seq":NaN')],
      ['a line end inside a string', text.replace(id, `${id.slice(0, 20)}\n${id.slice(20)}`)],
      ['an escape that does not exist', text.replace(id, `\\x41${id.slice(1)}`)],
      ['a name twice, equal values', seq('"seq":1,"seq":1')],
      ['a name twice, different values', seq('"seq":1,"seq":2')],
      ['a name twice, once escaped', seq('"seq":1,"s\\u0065q":1')],
      ['a name twice, escaped in different ways', seq('"\\u0073eq":1,"se\\u0071":1')],
      ['the op code twice', rewrite(request, 'op_code', '"op_code":257,"op_code":257')],
      ['an unknown name twice', behind('"x":1,"x":1')],
      ['an unknown name twice, with a slash escaped', behind('"a/b":1,"a\\/b":1')],
      ['the name __proto__ twice', behind('"__proto__":1,"__proto__":2')],
      ['an extension twice', behind('"caps":"AAAAAQ","caps":"AAAAAQ"')],
    ],
    op: [
      ['no members', '{}'],
      ['no op code', rewrite(request, 'op_code', '"x":1')],
      ['an op code that is not in the table', field('op_code', 0x103)],
      ['an op code in a string', field('op_code', '257')],
      ['an op code with a fraction of zero', rewrite(request, 'op_code', '"op_code":257.0')],
      ['an op code with an exponent', rewrite(request, 'op_code', '"op_code":257e0')],
      ['an op code that is 257 modulo 2^16', field('op_code', 65793)],
    ],
    field: [
      ['a field missing', rewrite(request, 'target', '"x":1')],
      ['a field that is null', field('target', null)],
      ['a number in a string', field('seq', '1')],
      ['a negative number', field('seq', -1)],
      ['minus zero', seq('"seq":-0')],
      ['a number written 1.0', seq('"seq":1.0')],
      ['a number written 1e3', seq('"seq":1e3')],
      ['a number written 1E0', seq('"seq":1E0')],
      ['a fraction', seq('"seq":1.5')],
      ['2^53', seq('"seq":9007199254740992')],
      ['2^53+1, which a double cannot hold', seq('"seq":9007199254740993')],
      ['ts of 2^64', rewrite(request, 'ts', '"ts":18446744073709551616')],
      ['true for a number', field('seq', true)],
      ['a list for a number', field('seq', [1])],
      ['an id with padding', field('id', `${id}=`)],
      ['an id whose last character has unused bits', field('id', `${id.slice(0, -1)}${nextCharacter(id)}`)],
      ['an id one character short', field('id', id.slice(0, -1))],
      ['an id one character long', field('id', `${id}A`)],
      ['an id in the alphabet of plain base64', field('id', `+/${id.slice(2)}`)],
      ['an id in hex', field('id', Buffer.from(id, 'base64url').toString('hex'))],
      ['an id with a space inside', field('id', `${id.slice(0, 20)} ${id.slice(20)}`)],
      ['an empty signature', field('sign', '')],
      ['a signature of 255 bytes', field('sign', sign.slice(0, 340))],
      ['a signature with padding', field('sign', `${sign}==`)],
      ['a signature as a list of numbers', field('sign', [1, 2, 3])],
      ['an IPv4-mapped address', inPassed('ip', '::ffff:203.0.113.7')],
      ['an address in upper case', inPassed('ip', '2001:DB8::1')],
      ['an address that is not shortened', inPassed('ip', '2001:db8:0:0:0:0:0:1')],
      ['an address with a single group shortened', inPassed('ip', '2001:db8::1:1:1:1:1')],
      ['an address with a zone', inPassed('ip', 'fe80::1%eth0')],
      ['an address in brackets', inPassed('ip', '[2001:db8::1]')],
      ['an address with a leading zero', inPassed('ip', '203.0.113.07')],
      ['a host name', inPassed('ip', 'localhost')],
      ['port 0', inPassed('port', 0)],
      ['port 65536', inPassed('port', 65536)],
    ],
    rule: [
      ['a request to its own id', field('target', id)],
      ['a keep-alive with a seq', JSON.stringify({ op_code: 256, id, seq: 1, ts: 0 })],
      ['a keep-alive with a ts', JSON.stringify({ op_code: 256, id, seq: 0, ts: 1 })],
    ],
    extension: [
      ['an extension as a number', behind('"caps":1')],
      ['an extension that is null', behind('"caps":null')],
      ['an extension as an object', behind('"nat":{"mapping":1,"filtering":1}')],
      ['an extension with padding', behind('"caps":"AAAAAQ=="')],
      ['an extension that is not canonical', behind('"cookie":"Zh"')],
      ['caps of 3 bytes', behind('"caps":"AAAA"')],
      ['an empty cookie', behind('"cookie":""')],
      ['a nat behaviour of 4', behind('"nat":"BAA"')],
      ['a local candidate with port 0', behind('"local":"BMsAcQcAAA"')],
      ['a known type under its number', behind('"ext3":"AAAAAQ"')],
      ['a known type under its name and its number', behind('"caps":"AAAAAQ","ext3":"AAAAAQ"')],
      ['an unknown type that is no string', behind('"ext200":7')],
      ['an unknown type that is not canonical', behind('"ext200":"Zh"')],
    ],
  }
  const always = Object.entries(cases).flatMap(([reason, list]) =>
    list.map(([name, datagram]) => ({ name: `JSON: ${name}`, reason, datagram: hex(datagram) })),
  )
  const invalidUtf8 = toHex(
    Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"'), Buffer.of(0xff), Buffer.from('":1}')]),
  )
  const overlong = toHex(
    Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from(',"'), Buffer.of(0xc1, 0xb8), Buffer.from('":1}')]),
  )
  return [
    ...always,
    { name: 'JSON: a byte that is not UTF-8', reason: 'syntax', datagram: invalidUtf8 },
    { name: 'JSON: an overlong form of UTF-8', reason: 'syntax', datagram: overlong },
    ...unknownNames(text).map(([name, datagram]) => ({
      name: `JSON: ${name}`,
      reason: 'unknownName',
      datagram: hex(datagram),
      strictOnly: true as const,
    })),
  ]
}

/**
 * The character after the last one of a text in the alphabet: other unused bits, the same bytes.
 */
function nextCharacter(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(text.at(-1) as string) + 1] as string
}

/** Ignored by default, refused in strict mode. */
function unknownNames(text: string): readonly Case[] {
  const behind = (members: string): string => `${text.slice(0, -1)},${members}}`
  return [
    ['an unknown name', behind('"x":"y"')],
    ['an unknown name with a number that no field could have', behind('"x":-1.5e3')],
    ['an unknown name with a literal', behind('"x":null')],
    ['an unknown name with nested values that repeat names', behind('"x":{"a":[1,{"seq":2,"seq":3}],"a":"}"}')],
    ['an unknown name with escaped quotes in its value', behind('"x":"\\"\\\\"')],
    ['the name __proto__', behind('"__proto__":{"seq":2}')],
    ['the empty name', behind('"":0')],
    ['a field of another message', behind('"session":"x"')],
    ['an extension of another message', behind('"observed":"BMsAcQecQA"')],
    ['a name in other letter case', behind('"SEQ":2')],
    ['ext256', behind('"ext256":"AA"')],
    ['ext with a leading zero', behind('"ext03":"AAAAAQ"')],
  ]
}

export function acceptedJson(request: PlainMessage): readonly AcceptedVector[] {
  const text = JSON.stringify(request)
  const reversed = JSON.stringify(Object.fromEntries(Object.entries(request).reverse()))
  const id = String(request.id)
  const always: readonly Case[] = [
    ['white space of every sort', `${JSON.stringify(request, undefined, '\t').replaceAll('\n', '\r\n ')} \n`],
    ['members in reverse order', reversed],
    ['a name with an escape', rewrite(request, 'seq', `"s\\u0065q":${request.seq}`)],
    ['a value with an escape', text.replace(id, `\\u00${(id.codePointAt(0) as number).toString(16)}${id.slice(1)}`)],
    ['1200 bytes with white space at the end', text.padEnd(1200)],
  ]
  return [
    ...always.map(([name, datagram]) => ({ name: `JSON: ${name}`, datagram: hex(datagram), message: request })),
    ...unknownNames(text).map(([name, datagram]) => ({
      name: `JSON: ${name}`,
      datagram: hex(datagram),
      message: request,
      strictOnlyRefused: true as const,
    })),
  ]
}
