/** Preloaded into the relay's process: ends the relay when the demo has gone without ending it. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Ctrl-C reaches the whole process group; the demo ends the relay.
process.on('SIGINT', () => {})
