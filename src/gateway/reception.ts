/** Receives whoever has come through the handshake: judged, recorded, and let in or refused. */
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
import { refuseConnection } from '../message/refused.ts';
import type { Certificate } from '../pki/certificate.ts';
import { outlineOf } from '../pki/certificate-outline.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { mayCall } from './admission.ts';
import type { FirstContacts } from './first-contact.ts';
import type { Policy } from './policy.ts';

/** Whoever has come through the handshake. */
export interface Visitor {
  readonly inbound: Inbound;
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

interface ReceptionOptions {
  readonly policy: () => Policy;
  readonly contacts: FirstContacts;
  readonly recorder: Recorder;
  readonly welcome: (visitor: Visitor, permit: ClientPermit) => void;
}

export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Judges now, or once the sources of an unseen leaf have had their time. */
  receive(inbound: Inbound, socket: TLSSocket): void {
    const peer = readPeer(socket);
    const { policy, contacts } = this.#options;
    const visitor = { inbound, socket, peer };
    const judge = () => authorizeClient(this.#claim(visitor, policy()), policy().identity);
    const judgement = judge();
    const { unseen, revocation } = judgement;
    if (unseen === null || revocation?.status !== 'unknown') {
      if (unseen !== null) void contacts.tell(unseen);
      return this.#conclude(visitor, judgement);
    }
    const limit = policy().identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
    // Nobody else hears of a client that ends meanwhile and has sent nothing: its 'end' comes only once.
    const leave = () => {
      inbound.record(failed(failure('reset'), { peer }));
      socket.destroy();
    };
    socket.once('end', leave).once('close', leave);
    void contacts.await(unseen, limit).then(() => {
      socket.off('end', leave).off('close', leave);
      if (!socket.destroyed) this.#conclude(visitor, judge());
    });
  }

  #claim({ inbound, peer }: Visitor, { admission }: Pick<Policy, 'admission'>): AuthorizationInput {
    return { source: { allowed: mayCall(inbound, admission) }, peer, now: Date.now() };
  }

  #conclude(visitor: Visitor, { verdict, revocation }: AuthorizationResult): void {
    const { inbound, peer } = visitor;
    const { policy, welcome, recorder } = this.#options;
    const { meter } = recorder;
    if (revocation !== null)
      meter.count('ehi_revocation_checks_total', [revocation.anchor, revocation.status]);
    const facts = {
      peer,
      opensslCode: peer.opensslCode,
      generation: policy().snapshot.generation,
      revocation: revocation?.status ?? null,
      shadow: this.#rehearse(visitor, verdict),
    };
    if (!verdict.allow) {
      const { reason, detail } = verdict;
      inbound.record({
        ...facts,
        verdict: 'deny',
        reason,
        detail,
        leaf: peer.leaf && describeLeaf(peer.leaf, policy()),
        anchor: null,
      });
      return this.#refuse(visitor, reason);
    }
    const { leaf, anchor, issuer } = verdict.permit;
    const client = { leaf: factsOf(leaf), anchor };
    inbound.client = client;
    inbound.record({ ...facts, ...client, verdict: 'allow', reason: null, detail: null });
    meter.clientCertificate(leaf, Date.now());
    meter.lastHandshake([anchor, issuer.subject, issuer.sha256], Date.now());
    welcome(visitor, verdict.permit);
  }

  /** What the rehearsed policy would have said. Candidates' leaves are looked after once they are let in by an anchor. */
  #rehearse(visitor: Visitor, verdict: AuthorizationResult['verdict']): ShadowFacts | null {
    const { policy, contacts, recorder } = this.#options;
    const { shadow } = policy();
    if (shadow === null) return null;
    const { anchor, denials, unseen } = evaluateShadow(this.#claim(visitor, shadow), shadow.identity);
    if (verdict.allow && unseen !== null) void contacts.tell(unseen);
    const reasons = denials.map(({ reason }) => reason);
    const would = reasons.length === 0 ? 'allow' : 'deny';
    const { meter } = recorder;
    meter.count('ehi_shadow_handshakes_total', [would, verdict.allow ? 'allow' : 'deny']);
    for (const reason of reasons) meter.count('ehi_shadow_denials_total', [reason]);
    return { verdict: would, reasons, anchor };
  }

  #refuse({ inbound, socket }: Visitor, reason: DenyReasonName): void {
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

/** The leaf's part of the record, made once a leaf. */
const knownFacts = new WeakMap<Certificate, string>();

function factsOf(leaf: Certificate): string {
  let facts = knownFacts.get(leaf);
  if (facts === undefined) {
    facts = leafJson(leaf);
    knownFacts.set(leaf, facts);
  }
  return facts;
}

/** What can be told of a leaf whose owner was not let in, which is read once for verdict and record. */
export function describeLeaf(leaf: X509Certificate, { identity }: Pick<Policy, 'identity'>): string | null {
  const reading = identity.paths.leaves.read(leaf);
  if (!reading.ok) return leafJson(reading.outline);
  try {
    return leafJson(reading.certificate);
  } catch {
    // Nobody has read its names before: they were not asked for.
    return leafJson(outlineOf(leaf));
  }
}
