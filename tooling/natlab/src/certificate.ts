/** A certificate for a relay of the lab: nobody else has signed it. */
import { run } from './machine.ts'

/** Writes both as PEM, for an IP address. */
export function makeCertificate(ip: string, certificate: string, key: string): void {
  const what = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=relay', '-addext', `subjectAltName=IP:${ip}`]
  run('openssl', [...what, ...names, '-keyout', key, '-out', certificate])
}
