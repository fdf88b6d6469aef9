/** The one table of reasons a message is refused or fails for: status, wording for the log and the docs. */

interface MessageRefusal {
  readonly status: number;
  readonly says: string;
}

export const messageRefusals = {
  request_line: { status: 400, says: 'the request line is not `METHOD SP target SP HTTP/1.x CRLF`' },
  line_end: { status: 400, says: 'a line does not end in CRLF: a bare CR, bare LF or NUL in the head' },
  method: { status: 501, says: 'the method is not GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS' },
  version: { status: 505, says: 'the version is not HTTP/1.0 or HTTP/1.1' },
  options_asterisk: {
    status: 501,
    says: 'OPTIONS * asks about the gateway as a whole, which answers for its routes alone',
  },
  target: {
    status: 400,
    says: 'the target is neither a path nor an https URI of the request’s Host, or has a byte outside RFC 3986',
  },
  target_ambiguous: {
    status: 400,
    says: 'the path has a dot segment, an empty segment, or an encoded dot, slash, backslash or control character (NUL, CR, LF), perhaps encoded twice',
  },
  target_length: { status: 414, says: 'the request line is longer than limits.head' },
  head_length: { status: 431, says: 'the head is longer than limits.head' },
  field_count: { status: 431, says: 'the head has more fields than limits.fields' },
  field_name: { status: 400, says: 'a field line has no colon, no name, or a name that is not a token' },
  field_value: { status: 400, says: 'a field value has a control character' },
  line_folding: { status: 400, says: 'a field line starts with white space (obs-fold)' },
  host: {
    status: 400,
    says: 'Host is missing, repeated, not a host with an optional port, or another than the one in the target',
  },
  connection_names: { status: 400, says: 'Connection names a field that must reach the host' },
  content_length: { status: 400, says: 'Content-Length is repeated or not a number' },
  transfer_encoding: {
    status: 400,
    says: 'Transfer-Encoding does not end in `chunked`, has it twice, comes with Content-Length or on HTTP/1.0',
  },
  transfer_coding: { status: 501, says: 'Transfer-Encoding has another coding before `chunked`' },
  length_required: {
    status: 411,
    says: 'POST, PUT or PATCH with neither Content-Length nor Transfer-Encoding',
  },
  body_length: { status: 413, says: 'the body is longer than limits.body' },
  expectation: { status: 417, says: 'Expect asks for something other than 100-continue' },
  chunk: {
    status: 400,
    says: 'a chunk’s size line or end is not as RFC 9112 §7.1 writes it, or its extensions are longer than limits.head',
  },
  trailer: {
    status: 400,
    says: 'a trailer field is malformed, frames or routes the message, or the trailers exceed the limits',
  },
  head_timeout: { status: 408, says: 'the head did not arrive within timeouts.head' },
  body_timeout: {
    status: 408,
    says: 'the client did not send all of the body: it stood still for timeouts.bodyIdle, or was not complete by the route’s deadline',
  },
  answer_unread: {
    status: 408,
    says: 'the host answered, and the client did not take the answer by the route’s deadline',
  },
  permit_withdrawn: {
    status: 403,
    says: 'the client may no longer call; the verdict with the stage live, of the same connection, says why',
  },
  no_route: { status: 404, says: 'no route fits the path' },
  audit_unavailable: {
    status: 503,
    says: 'audit records cannot be written, and audit.onFailure is refuse; the log says why they cannot',
  },
  overloaded: {
    status: 503,
    says: 'every message of the relay thread waits longer than limits.delay for its turns',
  },
  client_in_flight: {
    status: 503,
    says: 'the client has limits.inFlightPerClient messages under way, over all of its connections',
  },
  route_in_flight: { status: 503, says: 'the route has as many messages under way as its inFlight' },
} as const satisfies Record<string, MessageRefusal>;

export type RefusalName = keyof typeof messageRefusals;

/** Why an exchange that reached for the host ended without the host's whole answer: the host's doing, but for `shutdown`. */
export const upstreamFailures = {
  connect_failed: { status: 502, says: 'no connection to the host; nothing was sent' },
  connect_timeout: {
    status: 504,
    says: 'no connection to the host in time (timeouts.connect, connectFirst); nothing was sent',
  },
  upstream_tls: {
    status: 502,
    says: 'the host or the gateway would not have the other’s TLS: the log says why; not sent again',
  },
  closed_early: {
    status: 502,
    says: 'the host closed the connection before it answered; not sent again. With upstream_reused true perhaps at its keep-alive limit',
  },
  unproven_end: {
    status: 502,
    says: 'over TLS the host’s answer has neither Content-Length nor chunks: its end cannot be told from a cut (RFC 9112 §9.8)',
  },
  bad_answer: { status: 502, says: 'the host’s answer is not valid HTTP/1.1: the log says why' },
  host_head_too_large: {
    status: 502,
    says: 'the head of the host’s answer is longer than limits.head, or has more fields than limits.fields',
  },
  host_framing: {
    status: 502,
    says: 'where the host’s answer ends cannot be told: Content-Length, Transfer-Encoding, chunks or trailers are wrong; the log says which',
  },
  deadline: { status: 504, says: 'the host did not answer within the route’s deadline' },
  first_byte_timeout: { status: 504, says: 'the host said nothing for the route’s firstByte' },
  idle_timeout: { status: 504, says: 'the host’s answer stood still for the route’s idle' },
  shutdown: { status: 503, says: 'the gateway ended, after timeouts.drain, before the host answered' },
  answer_cut: { status: 502, says: 'the host’s answer ended in the middle' },
} as const satisfies Record<string, MessageRefusal>;

export type UpstreamFailureName = keyof typeof upstreamFailures;

/** The client's own doing, or the gateway's refusal: nothing that the host is to blame for. */
export function isRefusal(reason: string): reason is RefusalName {
  return reason in messageRefusals;
}

/** The host failed. Without a connection to it the pool has reported that itself. */
export function isHostFailure(reason: string): reason is Exclude<UpstreamFailureName, 'shutdown'> {
  return reason in upstreamFailures && reason !== 'shutdown';
}
