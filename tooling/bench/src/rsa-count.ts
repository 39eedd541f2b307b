/** Node's runtime with each RSA operation of this process counted, wherever it is done. */
import { CryptoWorker, nodeRuntime, type Runtime } from '@showchain/client/runtime'
import { type CryptoProvider, type Identity, openssl } from '@showchain/crypto'

export interface RsaOperations {
  readonly signed: number
  readonly verified: number
}

let signed = 0
let verified = 0

/** Since the process started. */
export const rsaOperations = (): RsaOperations => ({ signed, verified })

export const countingProvider: CryptoProvider = {
  ...openssl,
  verify: (key, message, signature) => {
    verified++
    return openssl.verify(key, message, signature)
  },
  verifyAsync: (key, message, signature) => {
    verified++
    return openssl.verifyAsync(key, message, signature)
  },
  verifyPss: (key, message, signature) => {
    verified++
    return openssl.verifyPss(key, message, signature)
  },
}

export const countingIdentity = ({ signNow, ...identity }: Identity): Identity => ({
  ...identity,
  ...(signNow && {
    signNow: (message) => {
      signed++
      return signNow(message)
    },
  }),
  sign: (message) => {
    signed++
    return identity.sign(message)
  },
  certify: (message) => {
    signed++
    return identity.certify(message)
  },
})

export const countingRuntime: Runtime = {
  ...nodeRuntime,
  provider: countingProvider,
  worker: (identity, limits) =>
    new CryptoWorker({ provider: countingProvider, identity: countingIdentity(identity), limits }),
}
