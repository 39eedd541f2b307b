/** What `showchain` does with lines: all of them arrive as they are, and none controls a terminal. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
/** Text colour, window title, clipboard (OSC 52), C1 controls, bell, backspace, bidi override. */
const HOSTILE = '\u001b[31mred\u001b]0;title\u0007\u001b]52;c;aGk=\u001b\\\u009b2J\b\u202egpj.exe\u2066\r!'
const SHOWN =
  '\\u{1b}[31mred\\u{1b}]0;title\\u{7}\\u{1b}]52;c;aGk=\\u{1b}\\\\u{9b}2J\\u{8}\\u{202e}gpj.exe\\u{2066}\\u{d}!'

test.each(['', '--plaintext'])(
  'blank lines, and lines that are no UTF-8, arrive as they are: %s',
  async (plaintext) => {
    const bob = bed.shell(`exec $S listen --ephemeral $L ${plaintext} >$D/lines`)
    await bob.stderr.line(/may connect/)
    const ticket = readFileSync(bed.folder.file('lines'), 'utf8').trim()
    const alice = bed.shell(`printf 'a\\n\\n\\xff\\r\\nlast' | $S connect --ephemeral $L ${plaintext} '${ticket}'`)
    expect((await alice.ended()).code).toBe(0)
    bob.child.kill('SIGTERM')
    expect((await bob.ended()).code).toBe(0)
    const [shown, ...lines] = readFileSync(bed.folder.file('lines'), 'latin1').split('\n')
    const sent = ['a', '', '\xff\r', 'last', '']
    expect(shown).toBe(ticket)
    // Without streams each line is a message by itself, and they may overtake each other.
    expect(plaintext === '' ? lines : lines.sort()).toEqual(plaintext === '' ? sent : sent.sort())
  },
)

describe('what a remote peer sends', () => {
  test('controls no terminal: it is shown escaped', async () => {
    writeFileSync(bed.folder.file('hostile'), `tab\there\n${HOSTILE}\n`)
    const bob = bed.terminal('exec $S listen --ephemeral $L')
    const ticket = (await bob.stdout.line(/^showchain:/)).trim()
    const alice = bed.shell(`exec $S connect --ephemeral $L '${ticket}' <$D/hostile`)
    expect((await alice.ended()).code).toBe(0)
    await bob.stdout.line(/closed by the remote peer/)
    const shown = bob.stdout.all.join('\n')
    expect(shown).toContain(SHOWN)
    expect(shown).toContain('tab\there')
    expect(shown.replaceAll(/[\n\r\t]/g, '')).not.toMatch(/[\p{Cc}\u202e\u2066]/u)
  })

  test('controls no terminal that shows JSON, whose value is unchanged', async () => {
    writeFileSync(bed.folder.file('hostile'), `${HOSTILE}\n`)
    const bob = bed.shell('exec $S listen --ephemeral $L --json')
    const { ticket } = JSON.parse(await bob.stdout.line(/"ticket"/)) as { readonly ticket: string }
    const alice = bed.shell(`exec $S connect --ephemeral $L '${ticket}' <$D/hostile`)
    expect((await alice.ended()).code).toBe(0)
    const line = await bob.stdout.line(/"message"/)
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(JSON.parse(line)).toMatchObject({ text: HOSTILE })
  })

  test('without an end of line takes no processor and no memory: 64 MiB of it arrive', async () => {
    const bob = bed.shell('$S listen --ephemeral $L | (read -r ticket; echo $ticket; wc -c)')
    const ticket = await bob.stdout.line(/^showchain:/)
    const alice = bed.shell(`head -c 67108864 /dev/zero | $S connect --ephemeral $L '${ticket}'`)
    expect((await alice.ended()).code).toBe(0)
    await bob.stderr.line(/closed by the remote peer/)
    bed.shell(`pkill -TERM -P ${bob.child.pid} node`)
    expect((await bob.ended()).stdout.split('\n').at(-1)).toBe('67108864')
  })
})
