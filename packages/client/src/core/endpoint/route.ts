/** Routes as values: two are the same when address and socket are. */
import { formatEndpoint, sameEndpoint } from '@showchain/wire'
import type { Route } from './machine.ts'

export const sameRoute = (a: Route, b: Route): boolean => sameEndpoint(a, b) && (a.socket ?? 0) === (b.socket ?? 0)

/** The map key of a route; an endpoint's own text on socket 0. */
export const routeKey = (route: Route): string =>
  route.socket === undefined || route.socket === 0 ? formatEndpoint(route) : `${formatEndpoint(route)}#${route.socket}`
