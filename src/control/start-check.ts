/** What a start needs of this machine beside its configuration: tried without keeping or changing anything. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { objectionToDestination } from '../audit/probe.ts';
import type { Finding } from '../config/document.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, type ConfigProblem, describeProblem, GatewayError } from '../errors.ts';
import { probePort } from '../thread/port-probe.ts';

export interface StartCheck {
  /** What keeps the gateway from starting. */
  readonly problems: readonly ConfigProblem[];
  /** The same of sockets: addresses that this machine does not have, ports that this user may not open. */
  readonly refusedSockets: readonly ConfigProblem[];
  /** Ports in use: by another program, or by the gateway itself where it is running. */
  readonly socketsInUse: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** Binds both ports for a moment, and looks at the audit's destination and at `trust.cacheDir`. Never throws. */
export async function checkStart({ config, place }: LoadedConfig): Promise<StartCheck> {
  const { listen, admin, audit, trust } = config;
  const destination = await objectionToDestination(audit.destination);
  const sockets = [await trySocket('listen', listen), await trySocket('admin', admin)];
  const cache = needsCache(trust) ? await objectionToFolder(trust.cacheDir) : null;
  const inUse = (attempt: SocketAttempt | null) => attempt?.code === 'ADDRESS_IN_USE';
  const placed = (attempts: readonly (SocketAttempt | null)[]) =>
    attempts.flatMap((attempt) => (attempt === null ? [] : place(attempt.finding)));
  return {
    problems:
      destination === null
        ? []
        : [
            place({
              path: ['audit', 'destination'],
              found: destination,
              allowed: 'stdout, stderr or a file that can be written',
            }),
          ],
    refusedSockets: placed(sockets.filter((attempt) => !inUse(attempt))),
    socketsInUse: placed(sockets.filter(inUse)),
    warnings:
      cache === null
        ? []
        : [
            place({
              path: ['trust', 'cacheDir'],
              found: `${trust.cacheDir}, which cannot be written (${cache}): after a restart nothing fetched is known`,
              allowed: 'a folder that can be made and written',
            }),
          ],
  };
}

/**
 * Called before anything is opened, so that all of it is reported at once. Throws ConfigError; for sockets GatewayError
 * `ADDRESS_IN_USE` or `LISTEN`, which have exit codes of their own: a port may become free, and an address may come up
 * later than the gateway.
 */
export function assertStart({ problems, refusedSockets, socketsInUse }: StartCheck): void {
  const refuse = (code: string, found: readonly ConfigProblem[]) => {
    if (found.length === 0) return;
    const message = [...problems, ...found].map(describeProblem).join('\n');
    throw new GatewayError({ code, side: 'internal', message });
  };
  if (problems.length > 0) throw new ConfigError([...problems, ...refusedSockets, ...socketsInUse]);
  refuse('ADDRESS_IN_USE', socketsInUse);
  refuse('LISTEN', refusedSockets);
}

interface SocketAttempt {
  readonly code: string;
  readonly finding: Finding;
}

/** null: it can be listened on. */
async function trySocket(
  section: 'listen' | 'admin',
  { address, port }: { readonly address: string; readonly port: number },
): Promise<SocketAttempt | null> {
  try {
    await probePort({ address, port });
    return null;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const cause = (error.cause as NodeJS.ErrnoException).code ?? 'unknown';
    const socket = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    const { field, says, allowed } = socketWords[cause] ?? { field: 'port', ...otherwise };
    const finding = { path: [section, field], found: `${socket}, ${says} (${cause})`, allowed };
    return { code: error.code, finding };
  }
}

const otherwise = {
  says: 'which cannot be listened on',
  allowed: 'an address and a port that can be listened on',
};

const socketWords: Readonly<Record<string, { field: 'address' | 'port'; says: string; allowed: string }>> = {
  EADDRINUSE: {
    field: 'port',
    says: 'which is in use, by another program or by this gateway where it is running',
    allowed: 'a port that is free when the gateway starts',
  },
  EADDRNOTAVAIL: {
    field: 'address',
    says: 'an address that this machine does not have',
    allowed: 'an address of this machine, 0.0.0.0 or ::',
  },
  EAFNOSUPPORT: {
    field: 'address',
    says: 'an address of a family that this machine does not have',
    allowed: 'an address of this machine, 0.0.0.0 or ::',
  },
  EACCES: {
    field: 'port',
    says: 'a port that this user may not open',
    allowed: 'a port of 1024 or above, or the capability CAP_NET_BIND_SERVICE',
  },
};

/** Whether anything is fetched that has to outlive a restart. */
function needsCache({ anchors, candidates = [] }: LoadedConfig['config']['trust']): boolean {
  return [...anchors, ...candidates].some(
    ({ files, revocation: { crl, ocsp } }) => files === undefined || crl !== 'off' || ocsp !== 'off',
  );
}

/** Why the folder cannot be written, or made where it is not there yet. */
async function objectionToFolder(folder: string): Promise<string | null> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return code === 'ENOENT' && dirname(folder) !== folder ? objectionToFolder(dirname(folder)) : code;
  }
}
