/** Routes as values: two are the same when address and socket are. */
import { formatEndpoint, sameEndpoint } from '@showchain/wire'
import type { Route, SocketId } from './machine.ts'

/** Numbers of sockets from here on are connections over TCP, each with one remote end. */
export const FIRST_CONNECTION: SocketId = 2 ** 20

/** Whether it is a connection over TCP: answers go back on it, and nowhere else. */
export const isConnection = ({ socket = 0 }: Route): boolean => socket >= FIRST_CONNECTION

/**
 * The first socket on one interface alone, as IPv6 link-local addresses need it: the number of the
 * interface (the scope id of RFC 4007), negative. Such a route means nothing to another host.
 */
export const socketOnLink = (scope: number): SocketId => -scope

/** The number of the interface on which a route is; 0: it has none. */
export const scopeOf = ({ socket = 0 }: Route): number => Math.max(0, -socket)

export const sameRoute = (a: Route, b: Route): boolean => sameEndpoint(a, b) && (a.socket ?? 0) === (b.socket ?? 0)

/** The map key of a route; an endpoint's own text on socket 0. */
export const routeKey = (route: Route): string =>
  route.socket === undefined || route.socket === 0 ? formatEndpoint(route) : `${formatEndpoint(route)}#${route.socket}`
