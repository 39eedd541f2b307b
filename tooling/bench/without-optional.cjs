/**
 * Plays a machine on which our packages do not find their optional ones; HyperDHT finds its own. To be
 * required before anything else: `NODE_OPTIONS=--require=PATH`.
 */
const Module = require('node:module')

const OPTIONAL = new Set(['koffi', 'sodium-native'])
const OURS = /\/packages\/(client|crypto)\/dist\//
const resolve = Module._resolveFilename

Module._resolveFilename = function (request, parent, ...rest) {
  if (OPTIONAL.has(request) && OURS.test(parent?.filename ?? ''))
    throw Object.assign(new Error(`${request} is left out`), { code: 'MODULE_NOT_FOUND' })
  return resolve.call(this, request, parent, ...rest)
}
