/** "Why is this pair relayed?": two ids, or how they begin, and what the relay knows of them. */
import { useState } from 'preact/hooks'
import type { PairAnswer } from '../../src/status-shape.ts'

interface Props {
  readonly pair: readonly [string, string]
  readonly onPair: (pair: readonly [string, string]) => void
}

export function PairQuestion({ pair: [one, other], onPair }: Props) {
  const [sentences, setSentences] = useState<readonly string[]>([])
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault()
    try {
      const answer = await fetch(`pair.json?${new URLSearchParams({ one: one.trim(), other: other.trim() })}`)
      setSentences(((await answer.json()) as PairAnswer).sentences)
    } catch {
      setSentences(['The relay does not answer.'])
    }
  }
  return (
    <section aria-labelledby="pair">
      <h2 id="pair">Why is this pair relayed?</h2>
      <form onSubmit={(event) => void ask(event)}>
        <label>
          One id, or how it begins
          <input
            name="one"
            value={one}
            required
            minLength={4}
            maxLength={43}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => onPair([event.currentTarget.value, other])}
          />
        </label>
        <label>
          The other
          <input
            name="other"
            value={other}
            required
            minLength={4}
            maxLength={43}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => onPair([one, event.currentTarget.value])}
          />
        </label>
        <button type="submit">Ask</button>
      </form>
      <div class="answer" aria-live="polite">
        {sentences.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
    </section>
  )
}
