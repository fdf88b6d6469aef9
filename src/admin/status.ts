/** The document of `GET /api/status`, version 1. Times are ISO 8601 in UTC; a value that is not known is null. */

export interface Status {
  readonly version: 1;
  /** When the document was made. */
  readonly time: string;
  readonly gateway: GatewayStatus;
  readonly now: TrafficStatus;
  readonly history: History;
  /** Handshakes of the last hour by verdict and reason, the most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** The last refused and failed handshakes, the newest first, at most 50. */
  readonly refused: readonly RefusedHandshake[];
  /** Client certificates that were authorized, those that expire first, at most 100. */
  readonly clients: readonly ClientStatus[];
  /** The server's chains and the CAs of the trust anchors. */
  readonly certificates: readonly CertificateStatus[];
  readonly anchors: readonly AnchorStatus[];
  readonly revocation: readonly RevocationStatus[];
  readonly upstreams: readonly UpstreamStatus[];
  /** Changes of configuration, trust, revocation and relay threads, the newest first, at most 50. */
  readonly changes: readonly Change[];
  readonly threads: readonly ThreadStatus[];
  readonly audit: AuditStatus;
}

export interface GatewayStatus {
  readonly version: string;
  /** The version of Node. */
  readonly node: string;
  readonly startedAt: string;
  readonly state: 'starting' | 'serving' | 'draining';
  /** As `/readyz`. */
  readonly ready: boolean;
  /** Why it is not ready; empty if it is. */
  readonly reasons: readonly string[];
  /** Where clients connect; null: the port is not open yet. */
  readonly listen: { readonly address: string; readonly port: number } | null;
  /** Of the policy in use; null: none yet. */
  readonly generation: number | null;
}

/** Rates and percentiles of the last minute. */
export interface TrafficStatus {
  readonly messagesPerSecond: number;
  /** Messages of the last minute without a complete response within the budget of their route. */
  readonly late: number;
  /** Messages of the last minute that were refused to shed load. */
  readonly shed: number;
  /** Total time of a message, milliseconds; null: no messages. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** The smallest budget of a route, milliseconds. */
  readonly budgetMs: number;
  readonly inFlight: number;
  readonly connections: number;
  readonly unfinishedHandshakes: number;
}

/** The last hour in steps. All arrays have the same length, the oldest step first; a step without data has null percentiles. */
export interface History {
  /** Seconds of one step. */
  readonly stepSeconds: number;
  /** The end of each step, seconds since the epoch. */
  readonly ends: readonly number[];
  /** Handshakes in the step by verdict. */
  readonly allowed: readonly number[];
  readonly denied: readonly number[];
  readonly failed: readonly number[];
  /** Messages in the step. */
  readonly messages: readonly number[];
  readonly late: readonly number[];
  /** Total time of the messages in the step, milliseconds. */
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
}

export interface ReasonCount {
  readonly verdict: 'allow' | 'deny' | 'failed';
  /** null for `allow`. */
  readonly reason: string | null;
  readonly count: number;
  /** What happened and what to do, as in docs/deny-reasons.md; null for `allow`. */
  readonly advice: string | null;
}

export interface RefusedHandshake {
  readonly time: string;
  readonly connId: string;
  readonly sourceAddress: string | null;
  readonly verdict: 'deny' | 'failed';
  readonly reason: string;
  /** As in the audit record, masked. */
  readonly detail: string | null;
  /** What happened and what to do, as in docs/deny-reasons.md. */
  readonly advice: string;
  /** Of the client's certificate; null: none was read. */
  readonly subject: string | null;
  readonly issuer: string | null;
}

export interface ClientStatus {
  readonly subject: string;
  readonly issuer: string | null;
  readonly serial: string;
  readonly lastSeen: string;
  readonly notAfter: string;
}

export interface CertificateStatus {
  readonly role: 'server' | 'anchor' | 'client';
  readonly name: string;
  readonly serial: string;
  readonly notAfter: string;
}

export interface AnchorStatus {
  readonly name: string;
  /** When it was last fetched, confirmed or read. */
  readonly refreshedAt: string;
  readonly certificates: number;
  /** Certificates that are not used while others are. */
  readonly passedOver: number;
  readonly rootPinned: boolean;
  /** Whether a new root waits for approval. */
  readonly pendingRoot: boolean;
  /** Of the last attempt to fetch it; null: it succeeded. */
  readonly lastError: string | null;
}

export interface RevocationStatus {
  readonly anchor: string;
  readonly kind: 'crl' | 'ocsp';
  /** URL or path. */
  readonly address: string;
  /** Of a CRL its issuer, of OCSP the checked certificate. */
  readonly subject: string | null;
  /** null: never. */
  readonly refreshedAt: string | null;
  /** When the CRL or answer in use ends. */
  readonly nextUpdate: string | null;
  /** Consecutive attempts without a usable answer. */
  readonly failures: number;
  readonly lastError: string | null;
  /** Of a CRL. */
  readonly entries: number | null;
}

export interface UpstreamStatus {
  readonly url: string;
  /** `up`: used by all relay threads; `partly`: passed over by some; `down`: passed over by all. */
  readonly state: 'up' | 'partly' | 'down';
  readonly idleConnections: number;
  readonly busyConnections: number;
  /** Failed messages of the last hour. */
  readonly failures: number;
}

export interface Change {
  readonly time: string;
  readonly kind: 'config' | 'trust' | 'revocation' | 'thread' | 'audit';
  /** As in the audit record, such as `reloaded`. */
  readonly event: string;
  /** The anchor, or another name of what changed; null: the event concerns none. */
  readonly subject: string | null;
  readonly detail: string | null;
}

export interface ThreadStatus {
  readonly thread: number;
  readonly connections: number;
  readonly inFlight: number;
  /** Minimum time that every message waited for the event loop during the last half second, milliseconds. */
  readonly loopDelayMs: number;
}

export interface AuditStatus {
  readonly destination: string;
  /** null: records are written. */
  readonly failingSince: string | null;
  /** Since the start. */
  readonly lost: number;
  readonly queuedBytes: number;
  /** null: seals are not configured, or none was written yet. */
  readonly seal: { readonly seq: number; readonly time: string } | null;
}
