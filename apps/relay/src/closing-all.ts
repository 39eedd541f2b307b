/** What is opened one after the other is closed the other way round, whatever fails. */

/** @param close is called when `run` has ended, the last one first */
export type Defer = (close: () => unknown) => void

export async function closingAll(run: (defer: Defer) => Promise<void>): Promise<void> {
  const closes: (() => unknown)[] = []
  try {
    await run((close) => closes.push(close))
  } finally {
    for (const close of closes.reverse()) await close()
  }
}
