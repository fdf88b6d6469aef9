/** The policy snapshot: everything a relay thread needs, as plain data that crosses a thread boundary whole. */

import type { RevocationMaterial } from '../revocation/state.ts';

/** One server certificate: leaf first, then intermediates; both PEM. */
export interface ServerCertificate {
  readonly chain: string;
  readonly key: string;
  readonly passphrase?: string;
}

/** The certificates of one trust anchor, DER; the root is self-signed and signed every chain below it. */
export interface AnchorMaterial {
  readonly name: string;
  readonly root: Uint8Array;
  readonly issuing: readonly Uint8Array[];
  readonly revocation: RevocationMaterial;
}

/** What would be judged by if it were enforced: what is absent is as it is enforced. */
export interface ShadowPolicy {
  /** In the place of `anchors`. */
  readonly anchors?: readonly AnchorMaterial[];
  readonly allowlist?: readonly string[];
  readonly pins?: readonly string[];
  readonly match?: readonly MatchRule[];
}

/** One `clients.match` object: all of its fields must match, exactly and case-sensitively. */
export interface MatchRule {
  /** Any value of the subject's OU. */
  readonly organizationalUnit?: string;
  /** Any value of the subject's CN. */
  readonly commonName?: string;
  /** RFC 4514 string of the issuer's name. */
  readonly issuer?: string;
  /** `DNS:…`, `URI:…`, `email:…` or `IP:…`. */
  readonly san?: string;
  /** SHA-256 of the leaf's DER: base64url (`x5t#S256`, RFC 8705 §3.1) or hex. */
  readonly thumbprint?: string;
}

export interface RoutePolicy {
  readonly path: string;
  /** Where messages go; `authority` is what an HTTP/1.0 request without Host gets as Host. */
  readonly upstream: { readonly host: string; readonly port: number; readonly authority: string };
  /** Milliseconds from the complete request head to the last byte of the answer. */
  readonly deadline: number;
}

/** Sizes in bytes, the rest are counts. */
export interface Limits {
  readonly head: number;
  readonly fields: number;
  readonly body: number;
  readonly connections: number;
  readonly unfinishedHandshakes: number;
}

/** Milliseconds. */
export interface Timeouts {
  readonly handshake: number;
  readonly head: number;
  readonly bodyIdle: number;
  readonly keepAlive: number;
  readonly connect: number;
  readonly drainDelay: number;
  readonly drain: number;
}

export interface PolicySnapshot {
  /** Grows by one with every published snapshot. */
  readonly generation: number;
  readonly certificates: readonly ServerCertificate[];
  readonly anchors: readonly AnchorMaterial[];
  readonly advertiseCaNames: boolean;
  readonly rejectWith: 'http' | 'close';
  /** Networks whose connections must start with a PROXY header. */
  readonly proxyTrusted: readonly string[];
  /** CIDR ranges; null: any address. */
  readonly allowlist: readonly string[] | null;
  readonly refuseAt: 'accept' | 'http';
  /** Base64 SHA-256 of the SPKI, without `sha256/`; null: no pins. */
  readonly pins: readonly string[] | null;
  readonly match: readonly MatchRule[] | null;
  /** 48 bytes, from handshake/resumption.ts; null: nobody resumes a session. */
  readonly ticketKeys: Uint8Array | null;
  /** Rehearsed on every handshake, never enforced; null: nothing is. */
  readonly shadow: ShadowPolicy | null;
  readonly routes: readonly RoutePolicy[];
  readonly limits: Limits;
  readonly timeouts: Timeouts;
}
