/** What is shipped for Prometheus and Grafana, against what a relay really says. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { OperatedRelay } from './operator.ts'

/** Of Debian's package prometheus. */
const [PROMTOOL, PROMETHEUS] = ['promtool', 'prometheus']
/** What ends the names of a histogram's samples. */
const SUFFIX = /_(bucket|sum|count)$/

const shipped = (name: string): string => fileURLToPath(new URL(`../ops/${name}`, import.meta.url))
const textOf = (name: string): string => readFileSync(shipped(name), 'utf8')

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

const rules = (parse(textOf('alerts.yaml')) as Rules).groups.flatMap((group) => group.rules)
const panels = (JSON.parse(textOf('dashboard.json')) as Dashboard).panels
/** Names of metrics in an expression; what is quoted is a value. */
const metricsIn = (expression: string): readonly string[] =>
  expression.replace(/"[^"]*"/g, '""').match(/\b(showchain|process|nodejs)_\w+/g) ?? []

describe('each metric that is asked for is there', () => {
  let names: ReadonlySet<string>
  /** Values of labels, as `name="value"`. */
  let labels: ReadonlySet<string>
  beforeAll(async () => {
    await using relay = await OperatedRelay.start()
    const text = await relay.metrics()
    const samples = text.split('\n').filter((line) => /^[a-z]/.test(line))
    names = new Set(samples.map((line) => /^\w+/.exec(line)?.[0] ?? ''))
    labels = new Set(samples.flatMap((line) => line.match(/\w+="\w+"/g) ?? []))
  })

  const expressions = [
    ...rules.map(({ alert, expr }) => [alert, [expr]] as const),
    ...panels.map(({ title, targets }) => [title, targets.map(({ expr }) => expr)] as const),
  ]
  test.each(expressions)('by %s', (_, asked) => {
    for (const expression of asked) {
      const wanted = metricsIn(expression)
      // `up` is Prometheus' own.
      if (!expression.startsWith('up{')) expect(wanted.length, expression).toBeGreaterThan(0)
      for (const name of wanted) expect(names, expression).toContain(name)
      for (const [, label, values] of expression.matchAll(/\b(kind|direction|reason|path)=~?"([\w|]+)"/g))
        for (const value of (values ?? '').split('|')) expect(labels, expression).toContain(`${label}="${value}"`)
    }
  })

  test('with the suffixes that histograms have', () => {
    expect([...names].filter((name) => SUFFIX.test(name))).toContain('showchain_relay_verify_duration_seconds_bucket')
  })
})

describe('the alerts', () => {
  const run = (...args: readonly string[]): unknown => {
    const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { encoding: 'utf8' })
    return status === 0 ? 'passed' : `${stdout}${stderr}`
  }

  test('are rules, of which promtool finds each well-formed', needsTool(PROMTOOL, PROMETHEUS), () => {
    expect(run('check', 'rules', shipped('alerts.yaml'))).toBe('passed')
  })

  test('fire when they should, and only then', needsTool(PROMTOOL, PROMETHEUS), () => {
    expect(run('test', 'rules', fileURLToPath(new URL('alerts.test.yaml', import.meta.url)))).toBe('passed')
  })

  test('have a test each', () => {
    const tests = readFileSync(new URL('alerts.test.yaml', import.meta.url), 'utf8')
    for (const { alert } of rules) expect(tests, alert).toContain(`alertname: ${alert}\n`)
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a Prometheus with the configuration that is shipped scrapes a relay', {
  ...needsTool(PROMETHEUS),
  timeout: 60_000,
}, async () => {
  await using relay = await OperatedRelay.start()
  const folder = new Folder()
  folder.write('alerts.yaml', textOf('alerts.yaml'))
  const configuration = textOf('prometheus.yaml').replace('127.0.0.1:9464', relay.at).replaceAll('15s', '1s')
  expect(configuration).toContain(relay.at)
  const port = await freePort()
  const prometheus = spawn(
    PROMETHEUS,
    [
      `--config.file=${folder.write('prometheus.yaml', configuration)}`,
      `--storage.tsdb.path=${folder.file('data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => prometheus.once('exit', resolve))
  try {
    const ask = async (path: string): Promise<{ readonly data: unknown } | undefined> =>
      fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
        .then((answer) => answer.json() as Promise<{ readonly data: unknown }>)
        .catch(() => undefined)
    const value = async (query: string): Promise<unknown> => {
      const { data } = (await ask(`query?query=${encodeURIComponent(query)}`)) ?? {}
      const { result } = (data ?? {}) as { readonly result?: readonly { readonly value: readonly [number, string] }[] }
      return result?.[0]?.value[1]
    }
    await vi.waitFor(async () => expect(await value('up{job="showchain-relay"}')).toBe('1'), { timeout: 50_000 })
    expect(await value('count(showchain_relay_build_info)')).toBe('1')
    expect(await value('sum(showchain_relay_bytes_total)')).toBe('0')
    const { data } = (await ask('rules')) as { readonly data: Rules }
    expect(data.groups.flatMap((group) => group.rules)).toHaveLength(rules.length)
  } finally {
    prometheus.kill()
    await ended
    folder.remove()
  }
})
