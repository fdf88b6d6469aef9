/** Builds the audit's JSON lines on the hot path: by concatenation, from an allow-list of fields, nothing of a message. */
import { isoTime } from '../telemetry/clock.ts';
import { maskDigits } from '../telemetry/mask.ts';

/** Client-controlled strings end here, in bytes of UTF-8. */
const maxBytes = 512;
const maxKnownPaths = 256;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** What is told of a client's own certificate. */
export interface LeafFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** Milliseconds since the epoch; NaN where the certificate's own text cannot be read. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `sha256/` and base64, or as the gateway spells its pins. */
  readonly spkiPin: string;
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

/** The word on a connection that was let in before, and may no longer stay. */
export interface LiveFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly connId: string;
  readonly sourceAddress: string;
  /** From `leafJson`. */
  readonly leaf: string;
  /** Under which it was let in. */
  readonly anchor: string;
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
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly upstreamMs: number;
  readonly totalMs: number;
  /** A closed word of the gateway's own. */
  readonly outcome: string;
  /** A closed code of the gateway's own, as `header_field_name`. */
  readonly reason: string | null;
}

/** An event of the trust store, told by the control thread. */
export interface TrustFacts {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** A closed word of the gateway's own, as `trust_on_first_use`. */
  readonly event: string;
  /** null: several at once. */
  readonly anchor: string | null;
  /** Hex SHA-256 of the root's DER. */
  readonly rootSha256: string | null;
  /** From the configuration. */
  readonly url: string | null;
  readonly detail: string | null;
  /** What came into use and what went out of it; null: the event is no change. */
  readonly added: readonly AnchoredFacts[] | null;
  readonly removed: readonly AnchoredFacts[] | null;
}

/** One certificate of a trust anchor. */
export interface AnchoredFacts {
  readonly anchor: string;
  readonly subject: string;
  readonly serial: string;
  /** Hex SHA-256 of the DER. */
  readonly sha256: string;
  /** The URL or the file that it came from. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
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
    `,"status":${facts.status},"endpoint":${knownText(facts.endpoint)},"request_bytes":${count(facts.requestBytes)}` +
    `,"response_bytes":${count(facts.responseBytes)},"upstream_ms":${milliseconds(facts.upstreamMs)}` +
    `,"total_ms":${milliseconds(facts.totalMs)},"outcome":"${facts.outcome}"` +
    `,"reason":${facts.reason === null ? 'null' : `"${facts.reason}"`}}\n`
  );
}

/** One line, with its newline. */
export function trustLine(facts: TrustFacts): string {
  return (
    `{"type":"trust","time":"${isoTime(facts.time)}","event":${quote(facts.event)}` +
    `,"anchor":${quote(facts.anchor)},"root_sha256":${quote(facts.rootSha256)},"url":${quote(facts.url)}` +
    `,"detail":${clientText(facts.detail)}` +
    `,"added":${anchored(facts.added)},"removed":${anchored(facts.removed)}}\n`
  );
}

/** Exempt from masking, like a leaf's own fields. */
function anchored(certificates: readonly AnchoredFacts[] | null): string {
  if (certificates === null) return 'null';
  return JSON.stringify(
    certificates.map((each) => ({
      anchor: each.anchor,
      subject: cut(each.subject),
      serial: cut(each.serial),
      sha256: each.sha256,
      source: each.source,
      not_before: date(each.notBefore),
      not_after: date(each.notAfter),
    })),
  );
}

const known = new Map<string, string>();

/** A target's path, ready for the line. Hosts are asked for few paths many times, so these are kept. */
function knownText(target: string | null): string {
  if (target === null) return 'null';
  const query = target.indexOf('?');
  // Not kept: the slice holds the whole target in memory, and with it the query. Nor are long paths.
  if (query >= 0) return clientText(target.slice(0, query));
  if (target.length > maxBytes) return clientText(target);
  let text = known.get(target);
  if (text === undefined) {
    text = clientText(target);
    if (known.size >= maxKnownPaths) known.clear();
    known.set(target, text);
  }
  return text;
}

/** Hex needs no quoting, but a client could choose digits that are a card number. */
function traceText(id: string | null): string {
  return id === null ? 'null' : `"${maskDigits(id)}"`;
}

/** Masks before it cuts: a cut must not shorten a card number to a run that passes. */
export function clientText(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(cut(maskDigits(text)));
}

export function quote(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text);
}

const encoder = new TextEncoder();
const cutBuffer = new Uint8Array(maxBytes);

/** At most 512 bytes of UTF-8, and never half a character: `encodeInto` stops before one that does not fit. */
function cut(text: string): string {
  // One UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, cutBuffer).read);
}

function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${Math.round(value * 1000) / 1000}` : 'null';
}

function count(value: number): string {
  return Number.isFinite(value) ? `${value}` : 'null';
}

/** ISO 8601, or null where a certificate's date is beyond what a Date can hold. */
function date(milliseconds: number): string | null {
  const value = new Date(milliseconds);
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}
