/** Why a router maps no port, in words. */
import type { MappingProtocol } from './mapping-messages.ts'

/** Result codes of RFC 6887 §7.4, of RFC 6886 §3.5, and of WANIPConnection:2 §2.5.26. */
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
  UPnP: {
    401: 'unsupported operation',
    402: 'malformed request',
    501: 'action failed',
    606: 'not authorized',
    718: 'the ports are in use',
    724: 'cannot provide the external port',
    725: 'only permanent mappings',
    728: 'no resources',
    729: 'the ports are in use',
  },
}

export const refusalWords = (protocol: MappingProtocol, code: number): string =>
  `the router refuses it by ${protocol}: ${WORDS[protocol][code] ?? `result ${code}`}`
