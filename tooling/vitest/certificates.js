import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'

const file = (name) => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url))

export const certificateFiles = (name) => ({ cert: file(name), key: file(`${name}.key`) })

export function certificate(name) {
  const { cert, key } = certificateFiles(name)
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

export function nameShownAt(port) {
  // Whom it shows is asked, and not whether that is so.
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().subject.CN)
      socket.destroy()
    })
  })
}
