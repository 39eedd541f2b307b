/** All mutants: the rules that docs/security.md and docs/protocol.md promise, package by package. */
import type { Mutant } from '../mutant.ts'
import { CLIENT_CONNECTIONS } from './client-connections.ts'
import { CLIENT_ENDPOINT } from './client-endpoint.ts'
import { CLIENT_SECURE, CLIENT_TRANSPORT } from './client-secure.ts'
import { CRYPTO } from './crypto.ts'
import { SERVER } from './server.ts'
import { WIRE, WIRE_END_TO_END } from './wire.ts'

export const MUTANTS: readonly Mutant[] = [
  ...WIRE,
  ...WIRE_END_TO_END,
  ...CRYPTO,
  ...SERVER,
  ...CLIENT_ENDPOINT,
  ...CLIENT_CONNECTIONS,
  ...CLIENT_SECURE,
  ...CLIENT_TRANSPORT,
]
