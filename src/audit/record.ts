/** Builds the audit's JSON lines on the hot path: by concatenation, from an allow-list of fields, nothing of a message. */
import { isoTime } from '../telemetry/clock.ts';
import { clientText, count, cut, date, knownText, milliseconds, quote, traceText } from './text.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** What is told of a client's own certificate. */
export interface LeafFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** Milliseconds since the epoch; NaN where the certificate's own text cannot be read. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Base64 of the SHA-256 of the SubjectPublicKeyInfo; null: the certificate cannot be read so far. */
  readonly spkiPin: string | null;
  /** `x5t#S256`. */
  readonly thumbprint: string;
}

/** One connection's end of judgement; null is what is not known. */
export interface HandshakeFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Made by the gateway, of characters that JSON need not escape. */
  readonly connId: string;
  readonly sourceAddress: string | null;
  readonly sourcePort: number | null;
  /** The load balancer's address, where the source address comes from a PROXY header. */
  readonly proxyAddress: string | null;
  readonly listener: string;
  readonly tlsVersion: string | null;
  readonly cipher: string | null;
  readonly resumed: boolean | null;
  readonly sni: string | null;
  readonly alpn: string | null;
  readonly durationMs: number;
  /** From `leafJson`, kept with the leaf. */
  readonly leaf: string | null;
  readonly anchor: string | null;
  readonly verdict: 'allow' | 'deny' | 'failed';
  /** Null for `allow`. */
  readonly reason: string | null;
  readonly opensslCode: string | null;
  /** The operator's sentence. */
  readonly detail: string | null;
  /** Of the policy that judged. */
  readonly generation: number | null;
  /** A closed word of the gateway's own. */
  readonly revocation: string | null;
  /** What the policy that is only rehearsed would have said; null: there is none. */
  readonly shadow: ShadowFacts | null;
}

export interface ShadowFacts {
  readonly verdict: 'allow' | 'deny';
  /** Closed words of the gateway's own, every one that spoke against the client. */
  readonly reasons: readonly string[];
  readonly anchor: string | null;
}

/** Why an open connection may no longer stay. */
export interface LiveFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly connId: string;
  readonly sourceAddress: string;
  /** From `leafJson`; null: no client was let in on it. */
  readonly leaf: string | null;
  /** Under which it was let in; null likewise. */
  readonly anchor: string | null;
  readonly generation: number;
  readonly reason: string;
  readonly detail: string;
}

/** One message's end; null, or NaN for a number, is what is not known. */
export interface MessageFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Ids are made by the gateway, of characters that JSON need not escape. */
  readonly connId: string;
  readonly requestId: string;
  /** 32 hex digits, perhaps the client's own (W3C Trace Context). */
  readonly traceId: string | null;
  /** The route's path in the configuration. */
  readonly route: string | null;
  readonly method: Method | null;
  /** The request target, or its path: what follows `?` is never written. */
  readonly path: string | null;
  readonly status: number | null;
  /** The upstream endpoint's URL in the configuration. */
  readonly endpoint: string | null;
  /** The connection to it had waited for this message. */
  readonly upstreamReused: boolean | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly upstreamMs: number;
  readonly totalMs: number;
  /** A closed word of the gateway's own. */
  readonly outcome: string;
  /** A closed code of the gateway's own, as `header_field_name`. */
  readonly reason: string | null;
}

/** The leaf's fragment of a handshake record; made once per leaf. Its fields are exempt from masking. */
export function leafJson(leaf: LeafFacts): string {
  return JSON.stringify({
    subject: cut(leaf.subject),
    issuer: cut(leaf.issuer),
    serial: cut(leaf.serial),
    not_before: date(leaf.notBefore),
    not_after: date(leaf.notAfter),
    spki_pin: leaf.spkiPin,
    // The same as `clients.pins` takes it, to be copied from here.
    pin: leaf.spkiPin === null ? null : `sha256/${leaf.spkiPin}`,
    thumbprint: leaf.thumbprint,
  });
}

/** One line, with its newline. */
export function handshakeLine(facts: HandshakeFacts): string {
  return (
    `{"type":"handshake","time":"${isoTime(facts.time)}","conn_id":"${facts.connId}"` +
    `,"source_address":${quote(facts.sourceAddress)},"source_port":${facts.sourcePort}` +
    `,"proxy_address":${quote(facts.proxyAddress)},"listener":${quote(facts.listener)}` +
    `,"tls_version":${quote(facts.tlsVersion)},"cipher":${quote(facts.cipher)},"resumed":${facts.resumed}` +
    `,"sni":${clientText(facts.sni)},"alpn":${clientText(facts.alpn)}` +
    `,"duration_ms":${milliseconds(facts.durationMs)},"leaf":${facts.leaf},"anchor":${quote(facts.anchor)}` +
    `,"verdict":"${facts.verdict}","reason":${quote(facts.reason)}` +
    `,"openssl_code":${quote(facts.opensslCode)},"detail":${clientText(facts.detail)}` +
    `,"generation":${facts.generation},"revocation":${quote(facts.revocation)}` +
    `,"shadow":${facts.shadow === null ? 'null' : JSON.stringify(facts.shadow)}}\n`
  );
}

/** One line, with its newline: the verdict on an open connection, beside that of its handshake. */
export function liveLine(facts: LiveFacts): string {
  return (
    `{"type":"verdict","stage":"live","time":"${isoTime(facts.time)}","conn_id":"${facts.connId}"` +
    `,"source_address":${quote(facts.sourceAddress)},"leaf":${facts.leaf},"anchor":${quote(facts.anchor)}` +
    `,"verdict":"deny","reason":${quote(facts.reason)},"detail":${clientText(facts.detail)}` +
    `,"generation":${facts.generation}}\n`
  );
}

/** One line, with its newline. */
export function messageLine(facts: MessageFacts): string {
  return (
    `{"type":"message","time":"${isoTime(facts.time)}","conn_id":"${facts.connId}"` +
    `,"request_id":"${facts.requestId}","trace_id":${traceText(facts.traceId)},"route":${knownText(facts.route)}` +
    `,"method":${facts.method === null ? 'null' : `"${facts.method}"`},"path":${knownText(facts.path)}` +
    `,"status":${facts.status},"endpoint":${knownText(facts.endpoint)},"upstream_reused":${facts.upstreamReused}` +
    `,"request_bytes":${count(facts.requestBytes)}` +
    `,"response_bytes":${count(facts.responseBytes)},"upstream_ms":${milliseconds(facts.upstreamMs)}` +
    `,"total_ms":${milliseconds(facts.totalMs)},"outcome":"${facts.outcome}"` +
    `,"reason":${facts.reason === null ? 'null' : `"${facts.reason}"`}}\n`
  );
}
