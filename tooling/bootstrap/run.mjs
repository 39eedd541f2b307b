// Runs one command and ends with it. Each command leads a process group of its own, so that Ctrl-C (or a TERM to
// us) reaches it and everything it started exactly once, and nothing is left behind.
import { spawn } from 'node:child_process'

const GROUPS = process.platform !== 'win32'
// after the first signal: how long the group may take to end before it is asked again, then made to
const PATIENCE = [
  ['SIGTERM', 4000],
  ['SIGKILL', 4000],
]
const ORPHAN_CHECK = 300 // ms
const EXIT_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

let running
let stopping

function signalAll(signal) {
  try {
    if (GROUPS) process.kill(-running.pid, signal)
    else running.kill(signal)
  } catch {
    // it has ended already
  }
}

function stop(signal) {
  if (running === undefined) process.exit(EXIT_OF[signal])
  if (stopping !== undefined) return
  stopping = signal
  signalAll(signal)
  let wait = 0
  for (const [harder, after] of PATIENCE) {
    wait += after
    setTimeout(() => signalAll(harder), wait).unref()
  }
}

for (const signal of Object.keys(EXIT_OF)) process.on(signal, () => stop(signal))

// npm passes a signal to the shell between us and it, not to us: when that shell is gone, so are we
const parent = process.ppid
setInterval(() => process.ppid !== parent && stop('SIGTERM'), ORPHAN_CHECK).unref()

/** Runs a command from the repository root; resolves with its exit code. `stdout`: a stream number or 'inherit'. */
export function run(command, args, { cwd, env, stdout = 'inherit' }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', stdout, 'inherit'],
      detached: GROUPS,
      shell: !GROUPS,
    })
    running = child
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (stopping !== undefined) {
        signalAll('SIGKILL') // what outlived its leader
        process.exit(EXIT_OF[stopping])
      }
      running = undefined
      resolve(code === null ? (EXIT_OF[signal] ?? 1) : code)
    })
  })
}
