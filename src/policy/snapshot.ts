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

/** How an endpoint is verified, and what is shown to it. */
export interface UpstreamTls {
  /** PEM; null: the operating system's CAs. */
  readonly ca: readonly string[] | null;
  /** Shown where the endpoint asks for one. */
  readonly certificate: ServerCertificate | null;
  /** The name that is sent and must be in the certificate; null: the endpoint's address must, and none is sent. */
  readonly serverName: string | null;
  /** As the snapshot's own pins, for the endpoint's leaf or a CA on its path. */
  readonly pins: readonly string[] | null;
}

/** What is asked of an endpoint beside the messages; times in milliseconds. */
export interface HealthPolicy {
  readonly kind: 'tcp' | 'tls' | 'http';
  /** The target of a GET, for `http`. */
  readonly path: string;
  readonly interval: number;
  readonly timeout: number;
}

/** Warm connections to an endpoint. */
export interface PoolPolicy {
  /** How many may wait; 0: none is used again. */
  readonly idle: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
}

export interface EndpointPolicy {
  /** As the configuration writes it: names the endpoint in records, metrics and the log. */
  readonly url: string;
  /** `host` is a name or an address; `path` a Unix socket. */
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** What an HTTP/1.0 request without Host gets as Host. */
  readonly authority: string;
  readonly tls: UpstreamTls | null;
  /** Begins its connections with a PROXY header, so that each belongs to one caller. */
  readonly proxyProtocol: 'v2' | null;
  readonly pool: PoolPolicy;
  readonly health: HealthPolicy | null;
}

export interface RoutePolicy {
  readonly path: string;
  /** Where messages go: the first that can be connected to. Never empty. */
  readonly endpoints: readonly EndpointPolicy[];
  /** Milliseconds from the complete request head to the last byte of the answer. */
  readonly deadline: number;
  /** Milliseconds of the host's silence before its answer and within it; null: the deadline alone counts. */
  readonly firstByte: number | null;
  readonly idle: number | null;
  /** Milliseconds after which an answer is late. */
  readonly budget: number;
  /** `ensure`: an answer without a length gets one, as far as it is short. */
  readonly contentLength: 'ensure' | 'asis';
  /** Messages under way in one relay thread. */
  readonly inFlight: number;
}

/** A family of fields that name the caller, as another proxy would set them. */
export type HeaderSet = 'rfc9440' | 'nginx' | 'ingress-nginx' | 'aws' | 'envoy' | 'forwarded';

/** What the host is told of the caller, and what clients may not tell it. */
export interface IdentityHeaders {
  /** In the order in which they are sent. */
  readonly sets: readonly HeaderSet[];
  /** Whether `rfc9440` tells of the CAs between the leaf and the root too. */
  readonly chain: boolean;
  /** Names of further fields that are removed from requests; `*` at the end: every name that begins so. */
  readonly remove: readonly string[];
}

/** Sizes in bytes, `delay` in milliseconds, the rest are counts. */
export interface Limits {
  readonly head: number;
  readonly fields: number;
  readonly body: number;
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly unfinishedHandshakes: number;
  readonly unfinishedHandshakesPerAddress: number;
  /** The client's part of a handshake. */
  readonly handshakeBytes: number;
  /** Of a client's certificate, DER. */
  readonly certificateBytes: number;
  /** Per address and second. */
  readonly handshakeRate: number;
  readonly delay: number;
  /** TLS records with little or no data, per connection and second. */
  readonly smallRecords: number;
  /** Messages of one client under way, over all of its connections. */
  readonly inFlightPerClient: number;
}

/** Milliseconds. */
export interface Timeouts {
  readonly handshake: number;
  readonly head: number;
  readonly bodyIdle: number;
  readonly keepAlive: number;
  /** For an endpoint that has another behind it. */
  readonly connectFirst: number;
  readonly connect: number;
  readonly drainDelay: number;
  readonly drain: number;
}

/** Of which messages the gateway makes spans. */
export interface TracingPolicy {
  /** Of the traces that begin here, from 0 to 1; in others the client has decided. */
  readonly sampleRatio: number;
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
  readonly identityHeaders: IdentityHeaders;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** null: of none. */
  readonly tracing: TracingPolicy | null;
}
