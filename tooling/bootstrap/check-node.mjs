// Imported before anything else: one clear line when this Node is too old. Kept in the plainest JavaScript, so
// that an old Node can still read it.
const NEEDED = [20, 19] // as package.json's `engines`

const found = process.versions.node.split('.').map(Number)
if (found[0] < NEEDED[0] || (found[0] === NEEDED[0] && found[1] < NEEDED[1])) {
  console.error(`Show Chain needs Node ${NEEDED.join('.')} or newer; this is Node ${process.versions.node}.`)
  process.exit(1)
}
