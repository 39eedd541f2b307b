/**
 * The maximum of samples over the last rounds: a windowed max filter (draft-ietf-ccwg-bbr §5.5).
 */
export class WindowedMax {
  readonly #rounds: number
  /** Descending in value, ascending in round; at most one for each round. */
  readonly #samples: { readonly round: number; readonly value: number }[] = []

  /** @param rounds length of the window */
  constructor(rounds: number) {
    this.#rounds = rounds
  }

  /** 0 before the first sample. */
  get max(): number {
    return this.#samples[0]?.value ?? 0
  }

  update(round: number, value: number): void {
    const samples = this.#samples
    while (samples.length > 0 && (samples.at(-1) as { value: number }).value <= value) samples.pop()
    if (samples.at(-1)?.round !== round || samples.length === 0) samples.push({ round, value })
    while ((samples[0] as { round: number }).round <= round - this.#rounds) samples.shift()
  }
}
