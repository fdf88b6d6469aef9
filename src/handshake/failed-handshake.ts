/** The record of a handshake that failed: what its sockets and the error tell of it. */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  explainEnd,
  explainFault,
  explainTimeout,
  failure,
  type HandshakeFailure,
  hasSentCertificate,
  type TlsFault,
} from './failure-classifier.ts';
import { type HandshakeResult, type Inbound, unjudged } from './inbound.ts';
import { type Negotiated, readFailed } from './tls-parameters.ts';

/** Octets of a leaf that is described: reading a long one takes time that a stranger must not have for nothing. */
const MAX_LEAF = 8192;

/** Fails after TLS has begun; `describeLeaf` gives the leaf's part of the record, null where it cannot be read. */
export function failedByFault(
  fault: TlsFault,
  socket: TLSSocket,
  { inbound, describeLeaf }: { inbound: Inbound; describeLeaf: (leaf: X509Certificate) => string | null },
): HandshakeResult {
  const leaf = socket.getPeerX509Certificate();
  const bytes = bytesOf(inbound);
  const progress = {
    ...bytes,
    leafSeen: leaf !== undefined,
    leafKeyType: leaf === undefined ? null : keyTypeOf(leaf),
    tlsVersion: socket.getProtocol(),
  };
  const found = explainFault(fault, progress);
  // A mismatch is found once the version is agreed on, and before anything but an alert is sent.
  const agreed = hasSentCertificate(bytes) || found.reason.startsWith('no_shared_');
  return {
    ...failed(found, { code: fault.code ?? null }),
    peer: readFailed(socket, { agreed, offered: found.reason === 'protocol_version' }),
    // The client did not prove to be its owner: the record tells whose certificate was used.
    leaf: leaf === undefined || leaf.raw.length > MAX_LEAF ? null : describeLeaf(leaf),
  };
}

/** null: OpenSSL cannot make a key of it. */
function keyTypeOf(leaf: X509Certificate): string | null {
  try {
    return leaf.publicKey.asymmetricKeyType ?? null;
  } catch {
    return null;
  }
}

/** Of a connection that closed in its handshake, where the TLS socket says nothing of it. */
export function ended(inbound: Inbound): HandshakeResult {
  // Its address was still being judged: TLS had not begun.
  if (!inbound.admitted) return failed(failure('reset'));
  return failed(explainEnd({ ...bytesOf(inbound), leafSeen: false, tlsVersion: null }));
}

/** Of a handshake that took too long. */
export function timedOut(inbound: Inbound): HandshakeResult {
  return failed(explainTimeout({ ...bytesOf(inbound), leafSeen: false, tlsVersion: null }));
}

export function failed(
  { reason, detail }: HandshakeFailure | { readonly reason: 'shutdown'; readonly detail: string },
  { code = null, peer = null }: { readonly code?: string | null; readonly peer?: Negotiated | null } = {},
): HandshakeResult {
  return { ...unjudged, verdict: 'failed', reason, detail, opensslCode: code, peer };
}

/** Of TLS: a PROXY header counts for nothing. */
function bytesOf({ transport, headerBytes }: Inbound): { bytesRead: number; bytesWritten: number } {
  const { bytesRead, bytesWritten }: Socket = transport;
  return { bytesRead: bytesRead - headerBytes, bytesWritten };
}
