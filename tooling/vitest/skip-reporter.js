// At the end of a run: what the skipped tests are missing, one line each.
import { isLong, showSkipped, skippedFor } from './tests.js'

export class SkipReporter {
  onTestRunEnd(modules) {
    const tests = modules.flatMap(({ children }) => [...children.allTests()])
    const plain = tests.map((test) => ({
      status: test.result().state,
      tags: test.options.tags ?? [],
      meta: test.meta(),
    }))
    // without a reason it is one of those that `-t` leaves out
    for (const entry of skippedFor(plain, isLong)) if (entry[0] !== undefined) console.log(showSkipped(entry))
  }
}
