/** The status page of a relay: asks it for its state every few seconds, and shows it. */
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Status } from '../../src/status-shape.ts'
import { Overview } from './overview.tsx'
import { PairQuestion } from './pair-question.tsx'
import './style.css'
import { Tables } from './tables.tsx'
import { TrafficChart } from './traffic-chart.tsx'

/** Milliseconds between two questions, while the page is seen. */
const REFRESH = 5000

function App() {
  const [status, setStatus] = useState<Status>()
  const [problem, setProblem] = useState<string>()
  const [pair, setPair] = useState<readonly [string, string]>(['', ''])
  useEffect(() => {
    const ask = async (): Promise<void> => {
      if (document.hidden) return
      try {
        const answer = await fetch('status.json', { cache: 'no-store' })
        if (!answer.ok) throw new Error(`it answers ${answer.status}`)
        setStatus((await answer.json()) as Status)
        setProblem(undefined)
      } catch (error) {
        setProblem(`The relay does not answer (${(error as Error).message}). What is below is old.`)
      }
    }
    void ask()
    const timer = setInterval(() => void ask(), REFRESH)
    document.addEventListener('visibilitychange', ask)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', ask)
    }
  }, [])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the figures
      </a>
      <div role="alert">{problem !== undefined && <p class="problem">{problem}</p>}</div>
      {status === undefined ? (
        <p class="waiting">Asking the relay…</p>
      ) : (
        <>
          <Overview status={status} />
          <main id="main">
            <TrafficChart history={status.history} />
            <PairQuestion pair={pair} onPair={setPair} />
            <Tables status={status} onAsk={setPair} />
          </main>
          <footer>
            <p>
              This page changes nothing. It is read again every {REFRESH / 1000} s; tables are samples.{' '}
              <a href="metrics">Metrics for Prometheus</a>
            </p>
          </footer>
        </>
      )}
    </>
  )
}

render(<App />, document.getElementById('app') as HTMLElement)
