/// <reference lib="dom" />
/** The status page, as a browser shows it: headless Chromium against a relay that runs. */
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Peer } from '@showchain/client'
import { needs } from '@showchain-tooling/vitest/needs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PairAnswer, Status } from '../src/status-shape.ts'
import { OperatedRelay, sendRelayed } from './operator.ts'

/** Where Debian's package has it. */
const CHROMIUM = '/usr/bin/chromium'
const BYTES = 200_000
/** Screenshots for people; the folder is not in the repository. */
const PICTURES = fileURLToPath(new URL('../.cache/status-page/', import.meta.url))

let relay: OperatedRelay
let alice: Peer
let bob: Peer
beforeAll(async () => {
  relay = await OperatedRelay.start()
  ;[alice, bob] = await Promise.all([relay.peer(), relay.peer()])
  await sendRelayed(alice, bob, BYTES)
})
afterAll(async () => {
  await Promise.all([alice.close(), bob.close()])
  await relay[Symbol.asyncDispose]()
})

const url = (path = ''): string => `http://${relay.at}/${path}`
const ask = async <Answer>(path: string): Promise<Answer> => (await fetch(url(path))).json() as Promise<Answer>
const pair = (one: string, other: string): Promise<PairAnswer> =>
  ask(`pair.json?${new URLSearchParams({ one, other })}`)

describe('what it is told', () => {
  test('has peers, sessions and what was forwarded', async () => {
    const { relay: self, peers, sessions, nodes } = await ask<Status>('status.json')
    expect(self).toMatchObject({ draining: false, version: expect.stringMatching(/^\d/) })
    expect(peers.count).toBe(2)
    expect(peers.shown.map(({ id }) => id).sort()).toEqual([alice.id, bob.id].map((id) => id.slice(0, 8)).sort())
    expect(sessions.busiest[0]).toMatchObject({ requester: alice.id.slice(0, 8), target: bob.id.slice(0, 8) })
    expect(sessions.busiest[0]?.bytes).toBeGreaterThan(BYTES)
    expect(nodes).toEqual([])
  })

  test('says why two peers are relayed, by how their ids begin', async () => {
    const { sentences } = await pair(alice.id.slice(0, 8), bob.id)
    expect(sentences.join(' ')).toMatch(/They are (not )?relayed/)
  })

  test.each([
    ['abc', 'defg', /4 of its characters/],
    ['a<b>c', 'defg', /letters, digits/],
    ['a'.repeat(44), 'defg', /43 at most/],
    ['________', '--------', /No registered peer has an id that begins with ________.*with --------/],
  ])('says what is wrong with %j and %j', async (one, other, expected) => {
    expect((await pair(one, other)).sentences.join(' ')).toMatch(expected)
  })

  test('says when both are one peer', async () => {
    expect((await pair(alice.id, alice.id.slice(0, 10))).sentences).toEqual(['Both are the same peer.'])
  })
})

describe('the page', () => {
  test('may load nothing from elsewhere, and has nothing inline', async () => {
    const answer = await fetch(url())
    expect(answer.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    )
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    const html = await answer.text()
    expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc="\.\/)/)
  })
})

describe('in Chromium', needs(existsSync(CHROMIUM), 'no chromium (apt-get install chromium)'), () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    mkdirSync(PICTURES, { recursive: true })
  })
  afterAll(() => browser.close())

  /** A page that is up, and what it complained of. */
  async function opened(colorScheme: 'light' | 'dark', width = 1100): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } })
    const complaints: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
    page.on('pageerror', (error) => void complaints.push(error.message))
    page.on(
      'request',
      (asked) => void (asked.url().startsWith(url()) || asked.url() === 'data:,' || complaints.push(asked.url())),
    )
    await page.goto(url())
    await page.getByRole('heading', { level: 1 }).waitFor()
    return { page, complaints }
  }

  test.each(['light', 'dark'] as const)(
    'it shows the relay, %s, and asks nobody else',
    { tags: ['long'] },
    async (scheme) => {
      const { page, complaints } = await opened(scheme)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('running')
      const headings = await page.getByRole('heading', { level: 2 }).allTextContents()
      expect(headings).toEqual([
        'Forwarded in the last hour',
        'Why is this pair relayed?',
        'Busiest sessions',
        'Peers: 2 of 2',
        expect.stringContaining('Refusals'),
        'Fleet',
      ])
      expect(await page.locator('.chart canvas').count()).toBe(1)
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      expect(back).toBe(scheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(18, 22, 28)')
      await page.screenshot({ path: `${PICTURES}${scheme}.png`, fullPage: true })
      expect(complaints).toEqual([])
      await page.close()
    },
  )

  test('it is used by the keyboard alone, and says its answers', { tags: ['long'] }, async () => {
    const { page, complaints } = await opened('light')
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to the figures')
    const one = page.getByLabel('One id, or how it begins')
    for (let presses = 0; presses < 10 && !(await one.evaluate((input) => input === document.activeElement)); presses++)
      await page.keyboard.press('Tab')
    await page.keyboard.type(alice.id.slice(0, 8))
    await page.keyboard.press('Tab')
    await page.keyboard.type(bob.id.slice(0, 8))
    await page.keyboard.press('Enter')
    const answer = page.locator('[aria-live=polite] p').first()
    await answer.waitFor()
    expect(await answer.textContent()).toMatch(/They are (not )?relayed/)
    await page
      .getByRole('button', { name: /^Ask why/ })
      .first()
      .press('Enter')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Ask')
    expect(complaints).toEqual([])
    await page.close()
  })

  test('it fits a telephone: nothing but tables is wider', { tags: ['long'] }, async () => {
    const { page } = await opened('dark', 375)
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375)
    await page.screenshot({ path: `${PICTURES}narrow.png`, fullPage: true })
    await page.close()
  })

  test('text stands out from what is behind it (WCAG AA)', { tags: ['long'] }, async () => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page } = await opened(scheme)
      const ratios = await page.evaluate(() => {
        const luminance = (colour: string): number => {
          const parts = (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => Number(part) / 255)
          const [r = 0, g = 0, b = 0] = parts.map((part) =>
            part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
          )
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        const behind = (element: Element | null): string => {
          const colour = element === null ? 'rgb(255, 255, 255)' : getComputedStyle(element).backgroundColor
          return element !== null && /, 0\)$/.test(colour) ? behind(element.parentElement) : colour
        }
        return [...document.querySelectorAll('h1, h2, p, dt, dd, th, td, code, a, button, label, .state, summary')].map(
          (element) => {
            const [one, other] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
            return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
          },
        )
      })
      expect(Math.min(...ratios), scheme).toBeGreaterThanOrEqual(4.5)
      await page.close()
    }
  })
})
