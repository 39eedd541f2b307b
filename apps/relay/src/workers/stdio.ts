/** Descriptors that a worker has from its primary, beside those of every program. */

/** Of Node's channel between the two; then that of the bus, and from there on sockets. */
const CHANNEL_DESCRIPTOR = 3
export const BUS_DESCRIPTOR: number = CHANNEL_DESCRIPTOR + 1
const FIRST_SOCKET: number = BUS_DESCRIPTOR + 1

/** It writes logs, on stderr, and nothing else. @param sockets the primary's descriptors */
export const stdioWith = (sockets: readonly number[]): readonly ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[] => [
  ...(['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] as const),
  ...sockets,
]

/** The same sockets by the worker's descriptors. @param places how many are in each place */
export function descriptorsOf(places: readonly number[]): readonly (readonly number[])[] {
  let next = FIRST_SOCKET
  return places.map((count) => Array.from({ length: count }, () => next++))
}
