/** Preloaded into the relay's process: the relay ends as on SIGTERM when the demo is gone without a word. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Ctrl-C reaches the whole group: the demo ends its relay.
process.on('SIGINT', () => {})
