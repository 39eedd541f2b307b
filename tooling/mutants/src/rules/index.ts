/**
 * All mutants, package by package: rules of docs/security.md, of docs/protocol.md and of the public
 * API.
 */
import type { Mutant } from '../mutant.ts'
import { CLIENT_API } from './client-api.ts'
import { CLIENT_CALLS } from './client-calls.ts'
import { CLIENT_CONNECTIONS } from './client-connections.ts'
import { CLIENT_EARLY } from './client-early.ts'
import { CLIENT_ENDPOINT } from './client-endpoint.ts'
import { CLIENT_HELLO } from './client-hello.ts'
import { CLIENT_LAN } from './client-lan.ts'
import { CLIENT_MAPPING } from './client-mapping.ts'
import { CLIENT_NAMED_STREAMS } from './client-named-streams.ts'
import { CLIENT_PUNCHING } from './client-punching.ts'
import { CLIENT_SECURE } from './client-secure.ts'
import { CLIENT_SOCKETS } from './client-sockets.ts'
import { CLIENT_STRANGERS } from './client-strangers.ts'
import { CLIENT_TRANSPORT } from './client-transport.ts'
import { CLIENT_WEBSOCKET } from './client-websocket.ts'
import { CONCEALED } from './concealed.ts'
import { CRYPTO_KEYS } from './crypto-keys.ts'
import { CRYPTO_SESSIONS } from './crypto-sessions.ts'
import { FILES } from './files.ts'
import { MAILBOX } from './mailbox.ts'
import { PERMITS } from './permits.ts'
import { PROGRAMS } from './programs.ts'
import { RELAY_PROGRAM, RELAY_USAGE, RELAY_WORKERS } from './relay-program.ts'
import { SERVER_ADDRESSES } from './server-addresses.ts'
import { SERVER_BANS } from './server-bans.ts'
import { SERVER_FLEET } from './server-fleet.ts'
import { SERVER_FLEET_FORMER } from './server-fleet-former.ts'
import { SERVER_FLEET_SILENCE } from './server-fleet-silence.ts'
import { SERVER_FORWARDING } from './server-forwarding.ts'
import { SERVER_QUOTAS } from './server-quotas.ts'
import { SERVER_REGISTRATION } from './server-registration.ts'
import { SERVER_WEBSOCKET } from './server-websocket.ts'
import { TOKENS } from './tokens.ts'
import { TUNNEL } from './tunnel.ts'
import { WIRE } from './wire.ts'
import { WIRE_END_TO_END } from './wire-end-to-end.ts'

export const MUTANTS: readonly Mutant[] = [
  ...WIRE,
  ...WIRE_END_TO_END,
  ...CRYPTO_KEYS,
  ...CRYPTO_SESSIONS,
  ...SERVER_QUOTAS,
  ...SERVER_REGISTRATION,
  ...SERVER_ADDRESSES,
  ...SERVER_FORWARDING,
  ...SERVER_BANS,
  ...SERVER_FLEET,
  ...SERVER_FLEET_FORMER,
  ...SERVER_FLEET_SILENCE,
  ...SERVER_WEBSOCKET,
  ...CLIENT_ENDPOINT,
  ...CLIENT_STRANGERS,
  ...TOKENS,
  ...PERMITS,
  ...CLIENT_API,
  ...CONCEALED,
  ...CLIENT_CALLS,
  ...CLIENT_CONNECTIONS,
  ...CLIENT_HELLO,
  ...CLIENT_EARLY,
  ...CLIENT_PUNCHING,
  ...CLIENT_MAPPING,
  ...CLIENT_SECURE,
  ...CLIENT_TRANSPORT,
  ...CLIENT_LAN,
  ...CLIENT_NAMED_STREAMS,
  ...CLIENT_SOCKETS,
  ...CLIENT_WEBSOCKET,
  ...FILES,
  ...MAILBOX,
  ...TUNNEL,
  ...PROGRAMS,
  ...RELAY_PROGRAM,
  ...RELAY_USAGE,
  ...RELAY_WORKERS,
]
