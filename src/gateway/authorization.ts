/** Authorizes the client of a connection after its handshake, writes the handshake record, and passes it on or refuses it. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { leafJson, type ShadowFacts } from '../audit/record.ts';
import { failed } from '../handshake/failed-handshake.ts';
import { failure } from '../handshake/failure-reasons.ts';
import type { Inbound } from '../handshake/inbound.ts';
import { type Peer, readPeer } from '../handshake/tls-parameters.ts';
import { type AuthorizationResult, authorizeClient, type ClientPermit } from '../identity/authorize.ts';
import type { AuthorizationInput } from '../identity/client-checks.ts';
import { type DenyReasonName, denyReasons } from '../identity/deny-reasons.ts';
import { evaluateShadow } from '../identity/shadow.ts';
import { explainDenial } from '../identity/verdict.ts';
import { refuseConnection } from '../message/refused-connection.ts';
import type { Certificate } from '../pki/certificate.ts';
import { summaryOf } from '../pki/certificate-summary.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { isSourceAllowed } from './admission.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { FirstContacts } from './first-contact.ts';

/** A connection whose handshake has succeeded. */
export interface SecureConnection {
  readonly inbound: Inbound;
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

interface AuthorizerOptions {
  readonly policy: () => CompiledPolicy;
  readonly contacts: FirstContacts;
  readonly recorder: Recorder;
  readonly onAuthorized: (connection: SecureConnection, permit: ClientPermit) => void;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Decides at once, or after the revocation sources of an unseen leaf have answered or `firstContact` has passed. */
  authorize(inbound: Inbound, socket: TLSSocket): void {
    const peer = readPeer(socket);
    const { policy, contacts } = this.#options;
    const connection = { inbound, socket, peer };
    const authorize = () => authorizeClient(this.#inputOf(connection, policy()), policy().identity);
    const result = authorize();
    const { unseen, revocation } = result;
    if (unseen === null || revocation?.status !== 'unknown') {
      if (unseen !== null) void contacts.request(unseen);
      return this.#conclude(connection, result);
    }
    const limit = policy().identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
    // Only this listener sees a client that disconnects while it waits without having sent anything: 'end' is emitted once.
    const onDisconnect = () => {
      inbound.record(failed(failure('closed_awaiting_revocation'), { peer }));
      socket.destroy();
    };
    socket.once('end', onDisconnect).once('close', onDisconnect);
    void contacts.requestWithin(unseen, limit).then(() => {
      socket.off('end', onDisconnect).off('close', onDisconnect);
      if (!socket.destroyed) this.#conclude(connection, authorize());
    });
  }

  #inputOf(
    { inbound, peer }: SecureConnection,
    { admission }: Pick<CompiledPolicy, 'admission'>,
  ): AuthorizationInput {
    return { source: { allowed: isSourceAllowed(inbound, admission) }, peer, now: Date.now() };
  }

  #conclude(connection: SecureConnection, { verdict, revocation }: AuthorizationResult): void {
    const { inbound, peer } = connection;
    const { policy, onAuthorized, recorder } = this.#options;
    const { meter } = recorder;
    if (revocation !== null)
      meter.count('ehi_revocation_checks_total', [revocation.anchor, revocation.status]);
    const permit = verdict.allow ? verdict.permit : null;
    const client =
      permit === null ? null : { leaf: permit.leaf && factsOf(permit.leaf), anchor: permit.anchor };
    inbound.client = client;
    inbound.record({
      verdict: verdict.allow ? 'allow' : 'deny',
      reason: verdict.allow ? null : verdict.reason,
      detail: verdict.allow ? null : explainDenial(verdict),
      leaf: client === null ? peer.leaf && describeLeaf(peer.leaf, policy()) : client.leaf,
      anchor: client?.anchor ?? null,
      opensslCode: peer.opensslCode,
      generation: policy().snapshot.generation,
      revocation: revocation?.status ?? null,
      shadow: this.#evaluateShadow(connection, verdict),
      peer,
    });
    if (!verdict.allow) return this.#refuse(connection, verdict.reason);
    const { leaf, anchor, issuer } = verdict.permit;
    if (leaf !== null) {
      meter.clientCertificate(leaf, Date.now());
      meter.lastHandshake([anchor, issuer.subject, issuer.sha256], Date.now());
    }
    onAuthorized(connection, verdict.permit);
  }

  /**
   * Evaluates the shadow policy, if there is one. Revocation of a leaf under a shadow anchor is requested only for clients
   * that the enforced policy allows.
   */
  #evaluateShadow(connection: SecureConnection, verdict: AuthorizationResult['verdict']): ShadowFacts | null {
    const { policy, contacts, recorder } = this.#options;
    const { shadow } = policy();
    if (shadow === null) return null;
    const { anchor, denials, unseen } = evaluateShadow(this.#inputOf(connection, shadow), shadow.identity);
    if (verdict.allow && unseen !== null) void contacts.request(unseen);
    const reasons = denials.map(({ reason }) => reason);
    const would = reasons.length === 0 ? 'allow' : 'deny';
    const { meter } = recorder;
    meter.count('ehi_shadow_handshakes_total', [would, verdict.allow ? 'allow' : 'deny']);
    for (const reason of reasons) meter.count('ehi_shadow_denials_total', [reason]);
    return { verdict: would, reasons, anchor };
  }

  #refuse({ inbound, socket }: SecureConnection, reason: DenyReasonName): void {
    const { policy, recorder } = this.#options;
    const { rejectWith, limits, timeouts } = policy().snapshot;
    if (rejectWith === 'close') return void socket.destroy();
    refuseConnection(socket, {
      connId: inbound.connId,
      status: denyReasons[reason].status,
      reason,
      limits,
      headTimeout: timeouts.head,
      recorder,
    });
  }
}

/** The leaf's fields of the audit record as JSON, made once for each leaf. */
const knownFacts = new WeakMap<Certificate, string>();

function factsOf(leaf: Certificate): string {
  let facts = knownFacts.get(leaf);
  if (facts === undefined) {
    facts = leafJson(leaf);
    knownFacts.set(leaf, facts);
  }
  return facts;
}

/** The audit fields of a refused client's leaf as JSON, as far as it can be parsed. Parsing is shared with the verdict. */
export function describeLeaf(
  leaf: X509Certificate,
  { identity }: Pick<CompiledPolicy, 'identity'>,
): string | null {
  const reading = identity.paths.leaves.read(leaf);
  if (!reading.ok) return leafJson(reading.outline);
  try {
    return leafJson(reading.certificate);
  } catch {
    // Its names were not parsed before, and are malformed.
    return leafJson(summaryOf(leaf));
  }
}
