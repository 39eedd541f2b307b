/** Self-signed certificates for tests: `first` is that of first.test, `second` that of second.test. */
export type CertificateName = 'first' | 'second'

/** Paths of a certificate and its key, PEM. */
export declare function certificateFiles(name: CertificateName): { readonly cert: string; readonly key: string }

/** A certificate and its key, PEM. */
export declare function certificate(name: CertificateName): { readonly cert: string; readonly key: string }

/** The name in the certificate that a server of this host shows. */
export declare function nameShownAt(port: number): Promise<unknown>
