/** Builds the result of a failed handshake for its audit record, from its sockets and the error. */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  explainClose,
  explainFault,
  explainTimeout,
  hasSentCertificate,
  type TlsFault,
} from './failure-classifier.ts';
import { type Failure, failure } from './failure-reasons.ts';
import { type HandshakeResult, type Inbound, unjudged } from './inbound.ts';
import { readFailedParameters, type TlsParameters } from './tls-parameters.ts';

/** Octets. A longer leaf is not described: an unauthenticated client must not cause the cost of parsing it. */
const MAX_LEAF = 8192;

/** After TLS has begun. `describeLeaf` returns the leaf's part of the record, null where it cannot be read. */
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
  // A mismatch is found after the version is agreed on and before anything but an alert is sent.
  const agreed = hasSentCertificate(bytes) || found.reason.startsWith('no_shared_');
  return {
    ...failed(found, { code: fault.code ?? null }),
    peer: readFailedParameters(socket, { agreed, offered: found.reason === 'protocol_version' }),
    // The client did not prove that it owns this certificate: the record names the certificate that was used.
    leaf: leaf === undefined || leaf.raw.length > MAX_LEAF ? null : describeLeaf(leaf),
  };
}

/** null: OpenSSL cannot load the key. */
function keyTypeOf(leaf: X509Certificate): string | null {
  try {
    return leaf.publicKey.asymmetricKeyType ?? null;
  } catch {
    return null;
  }
}

/** Of a connection that closed during its handshake without an error from its TLS socket. */
export function failedByClose(inbound: Inbound): HandshakeResult {
  // The address was not admitted yet: TLS had not begun.
  if (!inbound.admitted) return failed(failure('reset'));
  return failed(explainClose({ ...bytesOf(inbound), leafSeen: false, tlsVersion: null }));
}

/** Of a handshake that exceeded timeouts.handshake. */
export function failedByTimeout(inbound: Inbound): HandshakeResult {
  return failed(explainTimeout({ ...bytesOf(inbound), leafSeen: false, tlsVersion: null }));
}

export function failed(
  { reason, detail }: Failure,
  { code = null, peer = null }: { readonly code?: string | null; readonly peer?: TlsParameters | null } = {},
): HandshakeResult {
  return { ...unjudged, verdict: 'failed', reason, detail, opensslCode: code, peer };
}

/** Bytes of TLS: those of a PROXY header are subtracted. */
function bytesOf({ transport, headerBytes }: Inbound): { bytesRead: number; bytesWritten: number } {
  const { bytesRead, bytesWritten }: Socket = transport;
  return { bytesRead: bytesRead - headerBytes, bytesWritten };
}
