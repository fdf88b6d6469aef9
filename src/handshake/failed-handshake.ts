/** Builds the result of a failed handshake for its audit record, from its sockets and the error. */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { explainClose, explainTimeout } from './abandoned-handshakes.ts';
import { readClientHello } from './client-hello.ts';
import { explainFault, isOldVersion, type TlsFault } from './failure-classifier.ts';
import { type Failure, failure } from './failure-reasons.ts';
import { announceFirstBytes, explainFirstBytes } from './first-bytes.ts';
import { hasSentFlight } from './handshake-progress.ts';
import { type HandshakeResult, type Inbound, unjudged } from './inbound.ts';
import type { Offer } from './offer-mismatch.ts';
import { readFailedParameters, type TlsParameters } from './tls-parameters.ts';

/** Octets. A longer leaf is not described: an unauthenticated client must not cause the cost of parsing it. */
const MAX_LEAF = 8192;

interface FaultContext {
  readonly inbound: Inbound;
  readonly describeLeaf: (leaf: X509Certificate) => string | null;
  readonly offer: () => Offer;
}

/** After TLS has begun. `describeLeaf` returns the leaf's part of the record, null where it cannot be read. */
export function failedByFault(
  fault: TlsFault,
  socket: TLSSocket,
  { inbound, describeLeaf, offer }: FaultContext,
): HandshakeResult {
  const leaf = socket.getPeerX509Certificate();
  // null where TLS has closed before the error.
  const resumed = socket.isSessionReused() ?? inbound.resumed;
  const progress = {
    ...bytesOf(inbound),
    ...{ helloBytes: inbound.helloBytes, resumed, chainBytes: offer().chainBytes },
    // Of a resumed session it is that of the ticket.
    leafSeen: leaf !== undefined && resumed !== true,
    leafKeyType: leaf === undefined ? null : keyTypeOf(leaf),
    tlsVersion: socket.getProtocol(),
  };
  const byError = inbound.timedOut ? explainTimeout(progress) : explainFault(fault, progress);
  const found = refine(byError, inbound, offer);
  // A mismatch is found after the version is agreed on and before anything but an alert is sent.
  const agreed = hasSentFlight(progress) || found.reason.startsWith('no_shared_');
  const parameters = readFailedParameters(socket, {
    agreed,
    offered: byError.reason === 'protocol_version' && isOldVersion(fault, progress),
  });
  return {
    ...failed(found, { code: inbound.timedOut ? null : (fault.code ?? null) }),
    peer: {
      ...parameters,
      resumed: parameters.resumed ?? (agreed ? resumed : null),
      tlsVersion: parameters.tlsVersion ?? inbound.agreed?.tlsVersion ?? null,
      alpn: inbound.agreed?.alpn ?? null,
      sni: parameters.sni ?? offeredName(inbound),
    },
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

/** Of a connection that closed, or was too slow, without an error from its TLS socket. */
export function failedByClose(
  inbound: Inbound,
  {
    isReset = false,
    code = null,
    offer,
  }: { readonly isReset?: boolean; readonly code?: string | null; readonly offer: () => Offer },
): HandshakeResult {
  // The address was not admitted yet: TLS had not begun.
  if (!inbound.admitted) return failed(failure('reset'));
  const progress = {
    ...bytesOf(inbound),
    ...{ leafSeen: false, tlsVersion: null, helloBytes: inbound.helloBytes },
    ...{ resumed: inbound.resumed, chainBytes: offer().chainBytes },
  };
  const found = inbound.timedOut ? explainTimeout(progress) : explainClose(progress, isReset);
  return {
    ...failed(refine(found, inbound, offer), { code }),
    peer: { ...unknownParameters, sni: offeredName(inbound) },
  };
}

const unknownParameters = { resumed: null, tlsVersion: null, cipher: null, sni: null, alpn: null } as const;

/** The first bytes are read only now, and only where they say more than the error. */
function refine(found: Failure, { firstBytes }: Inbound, offer: () => Offer): Failure {
  return firstBytes === null ? announceFirstBytes(found) : explainFirstBytes(found, firstBytes, offer());
}

/** The server name that the client asked for, where OpenSSL has not read it. */
function offeredName({ firstBytes }: Inbound): string | null {
  return (firstBytes === null ? null : readClientHello(firstBytes)?.serverName) ?? null;
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
