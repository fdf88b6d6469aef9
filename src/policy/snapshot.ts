/** The policy snapshot: everything by which a relay thread decides, as plain data that can cross a thread boundary. */

import type { PublicJwk } from '../jose/public-key.ts';
import type { RevocationMaterial } from '../revocation/state.ts';

export type { PublicJwk };

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

/** The shadow policy, evaluated but not enforced. An absent field is as in the enforced policy. */
export interface ShadowPolicy {
  /** Used instead of `anchors`. */
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

/** How an endpoint is verified, and how the gateway authenticates to it. */
export interface UpstreamTls {
  /** PEM; null: the operating system's CAs. */
  readonly ca: readonly string[] | null;
  /** The client certificate, sent if the endpoint requests one. */
  readonly certificate: ServerCertificate | null;
  /** The name sent as SNI and required in the certificate; null: no SNI, and the certificate must contain the address. */
  readonly serverName: string | null;
  /** SPKI pins, one of which the endpoint's leaf or a CA on its path must have; null: no pins. */
  readonly pins: readonly string[] | null;
}

/** The active health check of an endpoint; times in milliseconds. */
export interface HealthPolicy {
  readonly kind: 'tcp' | 'tls' | 'http';
  /** The target of a GET, for `http`. */
  readonly path: string;
  readonly interval: number;
  readonly timeout: number;
}

/** Idle connections to an endpoint, kept for reuse. */
export interface PoolPolicy {
  /** Maximum number of idle connections; 0: connections are not reused. */
  readonly idle: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
}

export interface EndpointPolicy {
  /** As in the configuration; identifies the endpoint in records, metrics and the log. */
  readonly url: string;
  /** `host` is a name or an address; `path` a Unix socket. */
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** The Host field for an HTTP/1.0 request without one. */
  readonly authority: string;
  readonly tls: UpstreamTls | null;
  /** If set, each connection starts with a PROXY header and so serves one client only. */
  readonly proxyProtocol: 'v2' | null;
  readonly pool: PoolPolicy;
  readonly health: HealthPolicy | null;
}

export interface RoutePolicy {
  readonly path: string;
  /** In the order in which they are tried. Never empty. */
  readonly endpoints: readonly EndpointPolicy[];
  /** Milliseconds from the complete request head to the last byte of the response. */
  readonly deadline: number;
  /** Timeouts for the first byte of the response, and between two reads of it, ms; null: only the deadline applies. */
  readonly firstByte: number | null;
  readonly idle: number | null;
  /** Milliseconds after which a response counts as late. */
  readonly budget: number;
  /** `ensure`: a short response without Content-Length gets one. */
  readonly contentLength: 'ensure' | 'asis';
  /** Limit of messages in flight per relay thread. */
  readonly inFlight: number;
  /** null: no token is demanded. */
  readonly bearer: BearerPolicy | null;
  /** null: no signature is demanded. */
  readonly signature: SignaturePolicy | null;
}

/** `shadow`: evaluated and recorded, never enforced. */
export type PolicyMode = 'enforce' | 'shadow';

/**
 * Shared by all threads (signature/replay-memory.ts), by the mode of the routes that refuse replays; null: there is none. What
 * a route on trial remembers takes no place of an enforced one, and refuses nothing there.
 */
export type ReplayMemories = Readonly<Record<PolicyMode, SharedArrayBuffer | null>>;

export interface KeySetMaterial {
  /** The URI, or the absolute path of the file: identifies the set in records, metrics and the log. */
  readonly source: string;
  /** null: it could not be read yet. */
  readonly keys: readonly PublicJwk[] | null;
}

/** `clients.registered`: the leaf must be registered, or its key. */
export interface RegisteredPolicy {
  /** Source of the key set. */
  readonly keys: string;
  /** Source of the set of keys that are no longer registered; null: none. */
  readonly inactive: string | null;
  readonly compare: 'certificate' | 'key';
  readonly mode: PolicyMode;
  /** `trust.mode: registered`: takes the place of the path to an anchor. Then there are no anchors, and `mode` is `enforce`. */
  readonly alone: boolean;
}

/** `routes[].bearer`: certificate-bound access tokens (RFC 8705 §3). Times in milliseconds. */
export interface BearerPolicy {
  readonly mode: PolicyMode;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly algorithms: readonly string[];
  readonly types: readonly string[];
  readonly clockSkew: number;
  readonly requireBinding: boolean;
  /** `strip`: the host does not get the Authorization field. */
  readonly pass: 'forward' | 'strip';
  /** Source of the key set; null: no JWT is accepted. */
  readonly keys: string | null;
  /**
   * `id`: names the endpoint in questions to the control thread, which has its credentials. `endpoint`: its URL: what another
   * one said of a token counts no more. null: no introspection.
   */
  readonly introspection: {
    readonly id: string;
    readonly endpoint: string;
    readonly cache: number;
    readonly timeout: number;
  } | null;
}

/** `routes[].signature`: signed bodies. Times in milliseconds; names of fields in lower case. */
export interface SignaturePolicy {
  readonly mode: PolicyMode;
  readonly header: string;
  readonly scheme: 'jws-detached' | 'raw';
  readonly encoding: 'base64url' | 'base64' | 'hex';
  readonly algorithms: readonly string[];
  /** The field with the key id; null: the signature itself names the key, or none does. */
  readonly kidHeader: string | null;
  /** Source of the key set; null: `hmac`. */
  readonly keys: string | null;
  /** `signed`: what is signed, with `{timestamp}` and `{body}`. */
  readonly timestamp: {
    readonly header: string;
    readonly tolerance: number;
    readonly signed: string;
  } | null;
  readonly hmac: { readonly secret: Uint8Array } | null;
  readonly replay: 'allow' | 'refuse';
}

/** A family of header fields that identify the client, named after the proxy that sets them. */
export type HeaderSet = 'rfc9440' | 'nginx' | 'ingress-nginx' | 'aws' | 'envoy' | 'forwarded';

/** The header fields with the client's identity that the gateway adds to requests, and further ones that it removes. */
export interface IdentityHeaders {
  /** In the order in which they are sent. */
  readonly sets: readonly HeaderSet[];
  /** Whether `rfc9440` includes the CAs between the leaf and the root (Client-Cert-Chain). */
  readonly chain: boolean;
  /** Names of further fields that are removed from requests; a `*` at the end matches any rest of the name. */
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
  /** The client's bytes of a handshake. */
  readonly handshakeBytes: number;
  /** Of a client certificate, DER. */
  readonly certificateBytes: number;
  /** Per address and second. */
  readonly handshakeRate: number;
  readonly delay: number;
  /** TLS records with little or no data, per connection and second. */
  readonly smallRecords: number;
  /** Messages in flight of one client, over all of its connections. */
  readonly inFlightPerClient: number;
  /** Bodies that wait for the check of their signature, together, per relay thread. */
  readonly heldBodies: number;
}

/** Milliseconds. */
export interface Timeouts {
  readonly handshake: number;
  readonly head: number;
  readonly bodyIdle: number;
  readonly keepAlive: number;
  /** Connect timeout of an endpoint that is followed by another one. */
  readonly connectFirst: number;
  readonly connect: number;
  readonly drainDelay: number;
  readonly drain: number;
}

/** For which messages the gateway creates spans. */
export interface TracingPolicy {
  /** Share of the traces that start here, from 0 to 1; for others the client's decision applies. */
  readonly sampleRatio: number;
}

export interface PolicySnapshot {
  /** Increases with every snapshot. */
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
  /** null: a client need not be registered. */
  readonly registered: RegisteredPolicy | null;
  /** The key sets that policies name by their source. */
  readonly keySets: readonly KeySetMaterial[];
  readonly replayMemories: ReplayMemories;
  /** `optional`: a client may come without one, since every route demands a signature. */
  readonly clientCertificate: 'required' | 'optional';
  /** 48 bytes, from handshake/resumption.ts; null: sessions are not resumed. */
  readonly ticketKeys: Uint8Array | null;
  /** Evaluated on every handshake, never enforced; null: not configured. */
  readonly shadow: ShadowPolicy | null;
  readonly routes: readonly RoutePolicy[];
  readonly identityHeaders: IdentityHeaders;
  readonly limits: Limits;
  readonly timeouts: Timeouts;
  /** null: no spans are created. */
  readonly tracing: TracingPolicy | null;
}
