/** When a certificate was last used, as far as a running gateway knows it. Where it does not know, it says so. */
import type { Holding } from '../holdings/holding.ts';
import type { RunningGateway } from './running-gateway.ts';

export interface LastUse {
  /** Whether the running gateway has the certificate; null: not asked, or it does not say. */
  readonly running: boolean | null;
  /** ISO 8601. */
  readonly last_use: string | null;
  readonly last_use_note: string | null;
}

export interface LastUseContext {
  readonly running: RunningGateway | null;
  readonly holdings: readonly Holding[];
}

const notKnown = 'not known';

export function lastUseOf(holding: Holding, { running, holdings }: LastUseContext): LastUse {
  if (running === null) return { running: null, last_use: null, last_use_note: null };
  return { running: isRunning(holding, running), ...timeOf(holding, { running, holdings }) };
}

function timeOf(
  holding: Holding,
  { running, holdings }: { readonly running: RunningGateway; readonly holdings: readonly Holding[] },
): Omit<LastUse, 'running'> {
  switch (holding.purpose) {
    case 'server':
    case 'server_chain':
      return serverUse(holding, { running, holdings });
    case 'anchor_root':
      return anchorUse(holding, running);
    case 'anchor_ca':
      return issuerUse(holding, running);
    case 'upstream_ca':
    case 'upstream_client':
    case 'upstream_chain':
      return hostUse(holding, running);
    default:
      return { last_use: null, last_use_note: notKnown };
  }
}

/** With two server certificates it is not known which of them a client got. */
function serverUse(
  { usedBy }: Holding,
  { running, holdings }: { readonly running: RunningGateway; readonly holdings: readonly Holding[] },
): Omit<LastUse, 'running'> {
  const leaves = holdings.filter(({ purpose, kind }) => purpose === 'server' && kind === 'certificate');
  if (leaves.length !== 1)
    return {
      last_use: null,
      last_use_note: `${notKnown}: the ${usedBy} has ${leaves.length} server certificates`,
    };
  const isSame = leaves.every((leaf) => isRunning(leaf, running) === true);
  return isSame
    ? latest(
        running.handshakes.map(({ at }) => at),
        running,
      )
    : { last_use: null, last_use_note: 'the running gateway has another one' };
}

/** The root is on the path of each client of its anchor. `usedBy`: `clients of anchor NAME`. */
function anchorUse({ usedBy }: Holding, running: RunningGateway): Omit<LastUse, 'running'> {
  const own = running.handshakes.filter(({ anchor }) =>
    usedBy.split(', ').includes(`clients of anchor ${anchor}`),
  );
  return latest(
    own.map(({ at }) => at),
    running,
  );
}

function issuerUse(holding: Holding, running: RunningGateway): Omit<LastUse, 'running'> {
  if (holding.kind !== 'certificate') return { last_use: null, last_use_note: notKnown };
  const { sha256 } = holding.certificate;
  return latest(
    running.handshakes.filter(({ issuerSha256 }) => issuerSha256 === sha256).map(({ at }) => at),
    running,
  );
}

/** The last admitted handshake. */
function latest(times: readonly number[], { since }: RunningGateway): Omit<LastUse, 'running'> {
  if (times.length > 0) return { last_use: new Date(Math.max(...times)).toISOString(), last_use_note: null };
  const from = since === null ? '' : ` since ${new Date(since).toISOString()}`;
  return { last_use: null, last_use_note: `no admitted handshake${from}` };
}

function hostUse({ usedBy }: Holding, running: RunningGateway): Omit<LastUse, 'running'> {
  const open = usedBy
    .split(', ')
    .map((each) => running.connections.get(each.replace(/^host /, '')) ?? 0)
    .reduce((sum, count) => sum + count, 0);
  const note = open === 0 ? `${notKnown}: no connection is open` : `in use now: ${open} open connections`;
  return { last_use: null, last_use_note: note };
}

/** By subject and serial, which is all that the gateway's metrics say of a certificate. */
function isRunning(holding: Holding, { certificates }: RunningGateway): boolean | null {
  if (holding.kind !== 'certificate') return null;
  const role = roles[holding.purpose];
  if (role === undefined) return null;
  const { subject, serial } = holding.certificate;
  return certificates.some(
    (each) => each.role === role && each.subject === subject && each.serial === serial,
  );
}

const roles: Partial<Record<Holding['purpose'], string>> = {
  server: 'server',
  server_chain: 'server',
  anchor_root: 'anchor',
  anchor_ca: 'anchor',
  crl_signer: 'anchor',
};

/** The client certificates that it has authorized; the metrics have at most 100. */
export function seenClients({ certificates }: RunningGateway) {
  return certificates
    .filter(({ role }) => role === 'client')
    .map(({ subject, serial, notAfter, lastSeen }) => ({
      ...{ subject, serial, notAfter },
      lastUse: {
        last_use: lastSeen === null ? null : new Date(lastSeen).toISOString(),
        last_use_note: lastSeen === null ? notKnown : null,
      },
    }));
}
