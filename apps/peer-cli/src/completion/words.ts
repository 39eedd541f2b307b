/** `showchain complete`, which the completion scripts run: names of contacts, and the words of codes. */
import { completeCode } from '@showchain/mailbox'
import { Contacts } from '../contacts.ts'
import { print } from '../stdio.ts'

/** One a line; nothing where there is nothing to offer. */
export async function complete(kind: string, word: string): Promise<void> {
  const offered = [...names(word), ...(kind === 'code' ? completeCode(word) : [])]
  if (offered.length > 0) await print(`${offered.join('\n')}\n`)
}

/** What is wrong with the contacts is for the command to say. */
function names(begun: string): readonly string[] {
  try {
    return new Contacts().all.map(([name]) => name).filter((name) => name.startsWith(begun))
  } catch {
    return []
  }
}
