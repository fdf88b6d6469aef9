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
  target: { status: 400, says: 'the target is not in origin form, or has a byte outside RFC 3986' },
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
  host: { status: 400, says: 'Host is missing, repeated, or not a host with an optional port' },
  connection_names: { status: 400, says: 'Connection names a field that must reach the host' },
  content_length: { status: 400, says: 'Content-Length is repeated or not a number' },
  transfer_encoding: {
    status: 400,
    says: 'Transfer-Encoding is not exactly `chunked`, is repeated, comes with Content-Length or on HTTP/1.0',
  },
  length_required: {
    status: 411,
    says: 'POST, PUT or PATCH with neither Content-Length nor Transfer-Encoding',
  },
  body_length: { status: 413, says: 'the body is longer than limits.body' },
  expectation: { status: 417, says: 'Expect asks for something other than 100-continue' },
  chunk: {
    status: 400,
    says: 'a chunk’s size line or end is not as RFC 9112 §7.1 writes it, or has an extension',
  },
  trailer: {
    status: 400,
    says: 'a trailer field is malformed, frames or routes the message, or the trailers exceed the limits',
  },
  head_timeout: { status: 408, says: 'the head did not arrive within timeouts.head' },
  body_timeout: { status: 408, says: 'the body stood still for timeouts.bodyIdle' },
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

/** Why an exchange that reached for the host ended without the host's whole answer. */
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
  closed_early: { status: 502, says: 'the host closed the connection before it answered; not sent again' },
  unproven_end: {
    status: 502,
    says: 'over TLS the host’s answer has neither Content-Length nor chunks: its end cannot be told from a cut (RFC 9112 §9.8)',
  },
  bad_answer: { status: 502, says: 'the host’s answer is not valid HTTP/1.1' },
  deadline: { status: 504, says: 'the host did not answer within the route’s deadline' },
  first_byte_timeout: { status: 504, says: 'the host said nothing for the route’s firstByte' },
  idle_timeout: { status: 504, says: 'the host’s answer stood still for the route’s idle' },
  shutdown: { status: 503, says: 'the gateway ended, after timeouts.drain, before the host answered' },
  answer_cut: { status: 502, says: 'the host’s answer ended in the middle' },
} as const satisfies Record<string, MessageRefusal>;

export type UpstreamFailureName = keyof typeof upstreamFailures;
