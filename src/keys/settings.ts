/** The sources of key sets, as the configuration names them. */
import type { PublicJwk, SkippedKey } from '../jose/key-set.ts';
import type { KeySetUse } from '../jose/key-set-use.ts';

interface UriKeySource {
  readonly kind: 'uri';
  /** The https:// URL: identifies the set in records, metrics and the log. */
  readonly source: string;
  /** PEM of the CAs that verify the server, instead of Node’s bundled CAs; null: those. */
  readonly ca: string | null;
  /** Milliseconds between two successful fetches. */
  readonly refresh: number;
  /** Each of them needs a key of the set; none for a set of inactive registrations, which may be empty. */
  readonly uses: readonly KeySetUse[];
}

/** A file is read with the configuration, and again when it changes: a file that cannot be used refuses the configuration. */
interface FileKeySource {
  readonly kind: 'file';
  /** The absolute path: identifies the set as the URL does. */
  readonly source: string;
  readonly keys: readonly PublicJwk[];
  readonly skipped: readonly SkippedKey[];
  /** Milliseconds since the epoch: when it was read. */
  readonly readAt: number;
  /** As above. */
  readonly uses: readonly KeySetUse[];
}

/** No two have the same `source`. */
export type KeySource = UriKeySource | FileKeySource;
export type { FileKeySource, UriKeySource };

/** What a reload of the configuration can change. */
export interface KeySetsSettings {
  readonly sources: readonly KeySource[];
  /** `trust.cacheDir`. */
  readonly cacheDir: string;
}
