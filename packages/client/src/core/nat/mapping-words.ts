/** Why a router maps no port, in words. */
import type { MappingProtocol } from './mapping-messages.ts'

/** Result codes of RFC 6887 §7.4, and of RFC 6886 §3.5. */
const WORDS: Readonly<Record<MappingProtocol, Readonly<Record<number, string>>>> = {
  PCP: {
    2: 'not authorized',
    3: 'malformed request',
    4: 'unsupported operation',
    7: 'network failure',
    8: 'no resources',
    9: 'unsupported protocol',
    10: 'quota exceeded',
    11: 'cannot provide the external port',
    12: 'address mismatch',
  },
  'NAT-PMP': { 2: 'not authorized', 3: 'network failure', 4: 'no resources', 5: 'unsupported operation' },
}

export const refusalWords = (protocol: MappingProtocol, code: number): string =>
  `the router refuses it by ${protocol}: ${WORDS[protocol][code] ?? `result ${code}`}`
