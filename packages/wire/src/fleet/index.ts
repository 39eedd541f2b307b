/**
 * What the relays of a fleet say to each other. Exported as a sub-path: only a relay loads it.
 */
export { FLEET_BAN_OF, FLEET_BANS_DIGEST_BYTES, type FleetBan, type FleetBans } from './bans.ts'
export * from './items.ts'
export * from './message.ts'
export * from './session-node.ts'
