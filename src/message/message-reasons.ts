/** All reasons why a message is refused or fails, with status and description. docs/message-reasons.md is generated from it. */

interface MessageRefusal {
  readonly status: number;
  readonly says: string;
}

/** Refusals of `routes[].bearer`: 401 and 403 carry WWW-Authenticate as RFC 6750 §3.1 says. */
export const bearerRefusals = {
  token_missing: { status: 401, says: 'the request has no Authorization field with a Bearer token' },
  token_repeated: { status: 400, says: 'the request has more than one Authorization field' },
  token_in_query: {
    status: 400,
    says: 'the request carries `access_token` in its query, where it would be logged (RFC 6750 §5.3)',
  },
  token_syntax: { status: 400, says: 'what follows `Bearer` is not a token of RFC 6750 §2.1' },
  token_too_large: { status: 400, says: 'the token is longer than 8 KiB' },
  token_malformed: {
    status: 401,
    says: 'the token is not a signed JWT (three parts in Base64url), and the route has no `bearer.introspection` for other tokens',
  },
  token_header: {
    status: 401,
    says: 'the header of the token is not a JSON object with each member once, or has a member that is not accepted, such as `crit`, `jwk`, `jku`, `x5c`, `x5u` or `b64`',
  },
  token_type: { status: 401, says: 'the `typ` of the token is not one of the route’s `bearer.types`' },
  token_algorithm: {
    status: 401,
    says: 'the token is signed with an algorithm that is not one of the route’s `bearer.algorithms`',
  },
  token_key_unknown: {
    status: 401,
    says: 'the key set of the route has no key with the `kid` of the token for its algorithm; it was fetched again, but not more often than once in 30 s',
  },
  token_signature: { status: 401, says: 'the signature of the token is not valid under its key' },
  token_claims: {
    status: 401,
    says: 'the claims of the token are not a JSON object with each member once, or a claim is missing or has the wrong type',
  },
  token_issuer: { status: 401, says: 'the `iss` of the token is not the route’s `bearer.issuer`' },
  token_audience: { status: 401, says: 'the `aud` of the token has none of the route’s `bearer.audience`' },
  token_expired: { status: 401, says: 'the token has expired (`exp`, with `bearer.clockSkew`)' },
  token_not_yet_valid: {
    status: 401,
    says: 'the token is not valid yet (`nbf` or `iat`, with `bearer.clockSkew`)',
  },
  token_unbound: {
    status: 401,
    says: 'the token is not bound to a certificate: it has no `cnf` with `x5t#S256`, and `bearer.requireBinding` is true or `cnf` has something else',
  },
  token_binding: {
    status: 401,
    says: 'the token is bound to another certificate: its `x5t#S256` is not that of the client’s certificate (RFC 8705 §3), or the client has none',
  },
  token_inactive: {
    status: 401,
    says: 'the authorization server says that the token is not active (RFC 7662)',
  },
  token_scope: { status: 403, says: 'the token lacks a scope of the route’s `bearer.scopes`' },
  token_undecided: {
    status: 503,
    says: 'the token could not be judged: no key set was read yet, or the introspection endpoint did not answer in time or as RFC 7662 demands',
  },
} as const satisfies Record<string, MessageRefusal>;

export type BearerRefusal = keyof typeof bearerRefusals;

/** Refusals of `routes[].signature`. 403 and not 401: no authentication scheme is registered for a challenge. */
export const signatureRefusals = {
  signature_missing: { status: 403, says: 'the request has no field with the signature of its body' },
  signature_repeated: {
    status: 400,
    says: 'the field with the signature, the key id or the timestamp is repeated',
  },
  signature_syntax: {
    status: 400,
    says: 'the signature is not written as `signature.scheme` and `encoding` say',
  },
  signature_header: {
    status: 403,
    says: 'the header of the signature is not a JSON object with each member once, or has a member that is not accepted, such as `jwk`, `jku`, `x5c`, `x5u` or a `crit` that demands more than `b64`',
  },
  signature_algorithm: {
    status: 403,
    says: 'the body is signed with an algorithm that is not one of the route’s `signature.algorithm`',
  },
  signature_key_missing: {
    status: 403,
    says: 'the request has no field with the key id (`signature.kid.header`)',
  },
  signature_key_unknown: {
    status: 403,
    says: 'the key set of the route has no key with this key id for the algorithm; it was fetched again, but not more often than once in 30 s',
  },
  signature_timestamp_missing: {
    status: 403,
    says: 'the request has no field with the timestamp of the signature',
  },
  signature_timestamp: {
    status: 403,
    says: 'the timestamp of the signature is neither Unix time in seconds or milliseconds nor a date in UTC (RFC 3339), or it differs from the gateway’s time by more than `signature.timestamp.tolerance`',
  },
  signature_invalid: {
    status: 403,
    says: 'the signature is not that of the received body, or was made with another key',
  },
  signature_replayed: {
    status: 403,
    says: 'a message with the same signed content was accepted before, within `signature.timestamp.tolerance`',
  },
  signature_undecided: {
    status: 503,
    says: 'the signature could not be judged: no key set was read yet, or the memory for `signature.replay` is full',
  },
} as const satisfies Record<string, MessageRefusal>;

export type SignatureRefusal = keyof typeof signatureRefusals;

export const messageRefusals = {
  request_line: { status: 400, says: 'the request line is not `METHOD SP target SP HTTP/1.x CRLF`' },
  line_end: { status: 400, says: 'a line does not end in CRLF: a bare CR, bare LF or NUL in the head' },
  method: { status: 501, says: 'the method is not GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS' },
  version: { status: 505, says: 'the version is not HTTP/1.0 or HTTP/1.1' },
  options_asterisk: {
    status: 501,
    says: 'OPTIONS * is not supported: it concerns the whole server, and the gateway serves only its routes',
  },
  target: {
    status: 400,
    says: 'the target is neither a path nor an https URI, or has a character that RFC 3986 does not allow',
  },
  target_ambiguous: {
    status: 400,
    says: 'hosts may resolve the path differently: it has a dot segment, an empty segment, or a dot, slash, backslash or control character (NUL, CR, LF) that is percent-encoded once or more',
  },
  target_length: { status: 414, says: 'the request line is longer than limits.head' },
  head_length: { status: 431, says: 'the head is longer than limits.head' },
  field_count: { status: 431, says: 'the head has more fields than limits.fields' },
  field_name: { status: 400, says: 'a field line has no colon, no name, or a name that is not a token' },
  field_value: { status: 400, says: 'a field value has a control character' },
  line_folding: { status: 400, says: 'a field line starts with white space (obs-fold)' },
  host: {
    status: 400,
    says: 'Host is missing, repeated, not a host name with an optional port, or differs from the host in the target',
  },
  connection_names: {
    status: 400,
    says: 'Connection names a field that must reach the host, or has an option that is not a token',
  },
  content_length: { status: 400, says: 'Content-Length is repeated or not a number' },
  transfer_encoding: {
    status: 400,
    says: 'Transfer-Encoding does not end in `chunked`, names it twice, has white space after the coding, or is used with Content-Length or on HTTP/1.0',
  },
  transfer_coding: { status: 501, says: 'Transfer-Encoding has another coding before `chunked`' },
  length_required: {
    status: 411,
    says: 'POST, PUT or PATCH with neither Content-Length nor Transfer-Encoding',
  },
  body_length: { status: 413, says: 'the body is longer than limits.body' },
  expectation: { status: 417, says: 'Expect has a value other than 100-continue' },
  chunk: {
    status: 400,
    says: 'the size line or the end of a chunk is malformed (RFC 9112 §7.1), or the chunk extensions of the body are longer than limits.head',
  },
  trailer: {
    status: 400,
    says: 'a trailer field is malformed or not allowed (Content-Length, Transfer-Encoding, Connection, Host), or the trailers exceed limits.head or limits.fields',
  },
  head_timeout: { status: 408, says: 'the head did not arrive within timeouts.head' },
  body_timeout: {
    status: 408,
    says: 'the client did not send the whole body: it sent nothing for timeouts.bodyIdle, or the body was not complete by the route’s deadline',
  },
  answer_unread: {
    status: 408,
    says: 'the host responded, and the client did not read the whole response by the route’s deadline',
  },
  permit_withdrawn: {
    status: 403,
    says: 'the client is no longer authorized; the audit record of the same connection with stage live states the reason',
  },
  no_route: { status: 404, says: 'no route matches the path' },
  ...bearerRefusals,
  ...signatureRefusals,
  judgement_timeout: {
    status: 503,
    says: 'the token or the signature was not judged by the route’s deadline, or before the gateway stopped',
  },
  held_bodies: {
    status: 503,
    says: 'the bodies that wait for the check of their signature take limits.heldBodies together',
  },
  audit_unavailable: {
    status: 503,
    says: 'audit records cannot be written, and audit.onFailure is refuse; the log states the cause',
  },
  overloaded: {
    status: 503,
    says: 'the relay thread is overloaded: every message waits longer than limits.delay',
  },
  client_in_flight: {
    status: 503,
    says: 'the client has limits.inFlightPerClient messages in flight on all its connections together',
  },
  route_in_flight: { status: 503, says: 'the route has as many messages in flight as its inFlight allows' },
} as const satisfies Record<string, MessageRefusal>;

export type RefusalName = keyof typeof messageRefusals;

/** Why an exchange ended without the host's complete response. All are failures of the host, except `shutdown`. */
export const upstreamFailures = {
  connect_failed: {
    status: 502,
    says: 'no endpoint of the route accepted a connection, or its name could not be resolved; no part of the request was sent. The reason is that of the last endpoint tried; the log states endpoint and cause',
  },
  connect_timeout: {
    status: 504,
    says: 'no connection to the host was opened in time (timeouts.connect, connectFirst); nothing was sent',
  },
  upstream_tls: {
    status: 502,
    says: 'the TLS handshake with the host failed, or the host rejected the gateway with an alert after it: the log states the cause; the request is not sent again',
  },
  closed_early: {
    status: 502,
    says: 'the host closed the connection before it responded; the request is not sent again. If upstream_reused is true, the host may have closed an idle connection at its keep-alive limit',
  },
  unproven_end: {
    status: 502,
    says: 'the host’s response over TLS has neither Content-Length nor chunks: its end cannot be distinguished from a truncation (RFC 9112 §9.8)',
  },
  bad_answer: { status: 502, says: 'the host’s response is not valid HTTP/1.1: the log states the cause' },
  host_head_too_large: {
    status: 502,
    says: 'the head of the host’s response is longer than limits.head, or has more fields than limits.fields',
  },
  host_framing: {
    status: 502,
    says: 'the end of the host’s response is not defined: Content-Length, Transfer-Encoding, chunks or trailers are invalid; the log states which',
  },
  deadline: { status: 504, says: 'the host’s response was not complete by the route’s deadline' },
  first_byte_timeout: {
    status: 504,
    says: 'the host sent no byte of its response within the route’s firstByte',
  },
  idle_timeout: {
    status: 504,
    says: 'the host sent nothing for the route’s idle after its response had begun. If a part of the response was sent to the client, there is no 504: the connection is reset',
  },
  shutdown: {
    status: 503,
    says: 'the gateway stopped, after timeouts.drain, before the host’s response was complete',
  },
  answer_cut: { status: 502, says: 'the connection to the host ended before its response was complete' },
} as const satisfies Record<string, MessageRefusal>;

export type UpstreamFailureName = keyof typeof upstreamFailures;
