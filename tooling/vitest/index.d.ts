import type { ViteUserConfig } from 'vitest/config'

/** The vitest configuration of every package; `test` overrides single settings. */
export declare function preset(test?: ViteUserConfig['test']): ViteUserConfig
