/** Takes the permit of an open connection away: counts it (`ehi_permits_withdrawn_total`), writes it to the audit log, and drains. */
import { leafJson, liveLine } from '../audit/record.ts';
import type { Inbound } from '../handshake/inbound.ts';
import type { ClientPermit } from '../identity/authorize.ts';
import { type Denial, explainDenial } from '../identity/verdict.ts';
import type { Downstream } from '../relay/downstream.ts';
import type { Recorder } from '../telemetry/recorder.ts';

interface PermittedClient {
  readonly inbound: Inbound;
  readonly permit: ClientPermit;
  /** null: not handed to the relay yet. */
  readonly downstream: Downstream | null;
}

/** `generation`: of the policy that denies. The exchange in progress ends; further messages are refused. */
export function withdrawPermit(
  { inbound, permit, downstream }: PermittedClient,
  denial: Denial,
  { recorder, generation }: { readonly recorder: Recorder; readonly generation: number },
): void {
  const { reason } = denial;
  recorder.meter.count('ehi_permits_withdrawn_total', [reason]);
  recorder.audit(
    liveLine({
      time: Date.now(),
      connId: inbound.connId,
      sourceAddress: inbound.address,
      leaf: permit.leaf && leafJson(permit.leaf),
      anchor: permit.anchor,
      generation,
      reason,
      detail: explainDenial(denial),
    }),
  );
  downstream?.drain({ now: true });
}
