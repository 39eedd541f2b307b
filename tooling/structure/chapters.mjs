// The order of chapters, lowest first. A file imports its own chapter and lower ones; chapters on one line do not
// import each other. '.' stands for the files that lie in the folder itself. docs/architecture.md says why.
export const CHAPTERS = {
  'packages/client/src/core/transport': [['congestion'], ['recovery'], ['streams']],
  'packages/client/src/core': [
    ['endpoint'],
    ['transport'],
    ['secure'],
    ['context'],
    ['requests', 'messages', 'nat', 'lan'],
    ['relays'],
    ['paths'],
    ['connections'],
    ['punch'],
    ['peer'],
    ['.'],
  ],
  'packages/client/src': [['core'], ['runtime'], ['async'], ['.'], ['browser']],
  'packages/crypto/src': [['core'], ['portable'], ['openssl'], ['.']],
  'packages/files/src': [['core'], ['transfer'], ['node'], ['.']],
  'packages/mailbox/src': [['core'], ['client', 'server'], ['.']],
  'packages/server/src': [['core'], ['runtime'], ['.']],
  'packages/tunnel/src': [['core'], ['tunnel'], ['node'], ['.']],
  'packages/testkit/src': [['sim'], ['internet']],
}

/** Which entry points of another package a folder may import; nothing else of that package. */
export const ENTRIES = {
  // The machines know no connection.
  'packages/files/src/core': { '@showchain/client': [] },
  // The machine of a mailbox shares rates and timers with relays; the ends need neither.
  'packages/mailbox/src/core': { '@showchain/client': ['@showchain/client/endpoint'] },
  'packages/tunnel/src/core': { '@showchain/client': ['@showchain/client/endpoint'] },
  // Pure code must not load Node's sockets, so the relay's core and its runtime import different entries.
  'packages/server/src/core': { '@showchain/client': ['@showchain/client/endpoint'] },
  'packages/server/src/runtime': { '@showchain/client': ['@showchain/client/endpoint', '@showchain/client/runtime'] },
}
