// Who imports whom, types included, read from the text of the sources: every `from '…'` and `import('…')`.
import { dirname, join, normalize } from 'node:path'

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^import\s+'([^']+)'/gm

/** @param text of one TypeScript file. @returns what it imports, as written */
export const importsOf = (text) => [...text.matchAll(IMPORT)].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare)

/**
 * @param sources text by path. @param entries path of the source by entry point (`@showchain/wire` → its index.ts)
 * @returns the paths that each path imports, each with the text of the import
 */
export function importGraph(sources, entries) {
  const graph = new Map()
  for (const [path, text] of sources) {
    const targets = importsOf(text).map((specifier) => ({
      specifier,
      target: specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : entries.get(specifier),
    }))
    graph.set(path, targets)
  }
  return graph
}

/** Groups of files that import each other in a circle (Tarjan's strongly connected components of more than one file). */
export function circles(graph) {
  const index = new Map()
  const low = new Map()
  const stack = []
  const found = []
  const visit = (path) => {
    index.set(path, index.size)
    low.set(path, index.get(path))
    stack.push(path)
    for (const { target } of graph.get(path) ?? []) {
      if (target === undefined || !graph.has(target)) continue
      if (!index.has(target)) visit(target)
      if (stack.includes(target)) low.set(path, Math.min(low.get(path), low.get(target)))
    }
    if (low.get(path) !== index.get(path)) return
    const group = stack.splice(stack.indexOf(path))
    if (group.length > 1 || graph.get(path).some(({ target }) => target === path)) found.push(group)
  }
  for (const path of graph.keys()) if (!index.has(path)) visit(path)
  return found
}

/** Imports that go against the order of chapters. */
export function upwardImports(graph, chapters) {
  const found = []
  for (const [folder, order] of Object.entries(chapters)) {
    const rank = new Map(order.flatMap((group, at) => group.map((name) => [name, at])))
    const chapterOf = (path) => {
      if (!path?.startsWith(`${folder}/`)) return undefined
      const rest = path.slice(folder.length + 1)
      return rest.includes('/') ? rest.slice(0, rest.indexOf('/')) : '.'
    }
    for (const [path, imports] of graph) {
      const own = chapterOf(path)
      if (!rank.has(own)) continue
      for (const { target } of imports) {
        const other = chapterOf(target)
        if (other !== own && rank.has(other) && rank.get(other) >= rank.get(own)) found.push(`${path} → ${target}`)
      }
    }
  }
  return found
}

/** Imports of entry points that a folder may not use. */
export function foreignEntries(graph, entries) {
  const found = []
  for (const [folder, allowed] of Object.entries(entries))
    for (const [path, imports] of graph) {
      if (!path.startsWith(`${folder}/`)) continue
      for (const { specifier } of imports)
        for (const [name, list] of Object.entries(allowed))
          if ((specifier === name || specifier.startsWith(`${name}/`)) && !list.includes(specifier))
            found.push(`${path} → ${specifier}`)
    }
  return found
}
