/** What the checks need of a README: its code blocks, links and headings. */

/** Code blocks of a language, without their fences. */
export function codeBlocks(markdown: string, language: string): readonly string[] {
  const fenced = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')
  return [...markdown.matchAll(fenced)].map((match) => match[1] as string)
}

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')

/** Targets of the inline links and images of a text, in order. */
export function linksOf(markdown: string): readonly string[] {
  // the text of a link may be code, which is taken out
  return [...withoutCode(markdown).matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] as string)
}

/** The anchors of a text's headings, by GitHub's rule. */
export function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} +(.*)$/gm)
  return [...headings].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
}
