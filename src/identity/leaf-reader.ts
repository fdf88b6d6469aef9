/** Parses the certificates that clients present: limited in size, each once, and only the parts that the verdict needs. */
import type { X509Certificate } from 'node:crypto';
import { type Certificate, parseHead } from '../pki/certificate.ts';
import { type CertificateSummary, summaryOf } from '../pki/certificate-summary.ts';
import { type Denial, deny } from './verdict.ts';

export type LeafReading =
  | { readonly ok: true; readonly certificate: Certificate }
  /** `outline`: what can be read of it nevertheless, for the record. */
  | { readonly ok: false; readonly denial: Denial; readonly outline: CertificateSummary };

/** Octets. A usual client certificate has one to three thousand. */
const MAX_LEAF_BYTES = 8192;

/** Unauthorized clients can present any number: the last ones are kept, so that each is parsed once for a connection. */
const MAX_READINGS = 256;

export class LeafReader {
  /** Octets, from `limits.certificateBytes`. */
  readonly maxBytes: number;
  /** By SHA-256 of the DER, in the order of first reading. */
  readonly #readings = new Map<string, LeafReading>();

  constructor(maxBytes: number = MAX_LEAF_BYTES) {
    this.maxBytes = maxBytes;
  }

  read(leaf: X509Certificate): LeafReading {
    const key = leaf.fingerprint256;
    const known = this.#readings.get(key);
    if (known !== undefined) return known;
    const reading = this.#read(leaf);
    this.#remember(key, reading);
    return reading;
  }

  /** Remembers and returns the denial for a leaf of which a part that is parsed later cannot be read. */
  refuse(leaf: X509Certificate, cause: unknown): Denial {
    const reading = unreadable(leaf, cause);
    this.#remember(leaf.fingerprint256, reading);
    return reading.denial;
  }

  #read(leaf: X509Certificate): LeafReading {
    const { length } = leaf.raw;
    if (length > this.maxBytes) {
      const detail = `the certificate has ${length} octets, more than limits.certificateBytes (${this.maxBytes})`;
      return { ok: false, denial: deny('certificate_too_large', detail), outline: summaryOf(leaf) };
    }
    try {
      return { ok: true, certificate: parseHead(leaf.raw) };
    } catch (cause) {
      return unreadable(leaf, cause);
    }
  }

  #remember(key: string, reading: LeafReading): void {
    for (const oldest of this.#readings.keys()) {
      if (this.#readings.size < MAX_READINGS) break;
      this.#readings.delete(oldest);
    }
    this.#readings.set(key, reading);
  }
}

/** The messages of pki/ never contain data of the certificate. */
function unreadable(leaf: X509Certificate, cause: unknown): LeafReading & { readonly ok: false } {
  const why = cause instanceof Error ? cause.message : 'unknown';
  const detail = `the certificate of ${leaf.raw.length} octets cannot be read: ${why}`;
  return { ok: false, denial: deny('certificate_unreadable', detail), outline: summaryOf(leaf) };
}
