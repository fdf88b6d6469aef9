/** Checks what a start needs from this machine: sockets, audit destination, cache folder. Keeps and changes nothing. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { destinationProblem, rotationProblem } from '../audit/destination-check.ts';
import { sealCopyFile } from '../audit/seals/seal-copy.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, type ConfigProblem, describeProblem, type ErrorCode, GatewayError } from '../errors.ts';
import { canSharePort } from '../thread/machine-resources.ts';
import { probePort } from '../thread/port-in-use.ts';

export interface StartCheck {
  /** These prevent the start. */
  readonly problems: readonly ConfigProblem[];
  /** Addresses that this machine does not have, and ports that this user may not open. These prevent the start, too. */
  readonly refusedSockets: readonly ConfigProblem[];
  /** Ports in use, by another program or by a gateway that is already running. `run` fails on these, `check` only warns. */
  readonly socketsInUse: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** Binds both ports for a moment, and checks the audit destination, the folder of the copy of the last seal and `trust.cacheDir`. */
export async function checkStart({ config, keySources, locate }: LoadedConfig): Promise<StartCheck> {
  const { listen, admin, audit, trust } = config;
  const sockets = [await trySocket('listen', listen), await trySocket('admin', admin)];
  const fetchesKeys = keySources.some(({ kind }) => kind === 'uri');
  const cache = fetchesKeys || needsCache(trust) ? await folderProblem(trust.cacheDir) : null;
  const inUse = (attempt: SocketAttempt | null) => attempt?.code === 'ADDRESS_IN_USE';
  const placed = (attempts: readonly (SocketAttempt | null)[]) =>
    attempts.flatMap((attempt) => (attempt === null ? [] : locate(attempt.diagnostic)));
  return {
    problems: [...(await relayProblems(config)), ...(await auditProblems(audit))].map(locate),
    refusedSockets: placed(sockets.filter((attempt) => !inUse(attempt))),
    socketsInUse: placed(sockets.filter(inUse)),
    warnings: [...cacheWarnings(trust.cacheDir, cache), ...(await copyWarnings(config))].map(locate),
  };
}

/** Several relay threads share the port of the listener, which not every platform allows. */
async function relayProblems({ relays, listen }: LoadedConfig['config']): Promise<Diagnostic[]> {
  if (relays === 'auto' || relays === 1 || (await canSharePort(listen.address))) return [];
  const found = `${relays}, and threads cannot share a port on this platform (${process.platform})`;
  return [{ path: ['relays'], found, allowed: '1 or auto on this platform' }];
}

function cacheWarnings(cacheDir: string, cause: string | null): Diagnostic[] {
  if (cause === null) return [];
  const found = `${cacheDir}, which cannot be written (${cause}); nothing that was fetched survives a restart`;
  return [{ path: ['trust', 'cacheDir'], found, allowed: 'a folder that can be created and written' }];
}

/** The copy of the last seal is no condition of a start: the seals are made without it. */
async function copyWarnings({ audit, trust }: LoadedConfig['config']): Promise<Diagnostic[]> {
  const { destination, seal } = audit;
  if (seal === undefined || destination === 'stdout' || destination === 'stderr') return [];
  const file = seal.copy ?? sealCopyFile(trust.cacheDir, destination);
  const cause = await folderProblem(dirname(file));
  if (cause === null) return [];
  const found = `${file}, whose folder cannot be written (${cause}); a removal of seals while the gateway is stopped is not noticed`;
  const path = seal.copy === undefined ? ['trust', 'cacheDir'] : ['audit', 'seal', 'copy'];
  return [{ path, found, allowed: 'a folder that can be created and written' }];
}

async function auditProblems({
  destination,
  rotate,
}: LoadedConfig['config']['audit']): Promise<Diagnostic[]> {
  const found = await destinationProblem(destination);
  if (found !== null)
    return [
      { path: ['audit', 'destination'], found, allowed: 'stdout, stderr or a file that can be written' },
    ];
  const rotation = rotate === undefined ? null : await rotationProblem(destination);
  if (rotation === null) return [];
  const allowed = 'rotate beside a regular file in a folder that the gateway can write to';
  return [{ path: ['audit', 'rotate'], found: rotation, allowed }];
}

/**
 * Called before anything is opened, so that all problems are reported together. Throws ConfigError. If only sockets are
 * refused it throws GatewayError `ADDRESS_IN_USE` or `LISTEN`, which have their own exit codes: a port may become free
 * and an address may come up later, so a restart can succeed.
 */
export function assertStart({ problems, refusedSockets, socketsInUse }: StartCheck): void {
  const refuse = (code: ErrorCode, found: readonly ConfigProblem[]) => {
    if (found.length === 0) return;
    const message = [...problems, ...found].map(describeProblem).join('\n');
    throw new GatewayError({ code, message });
  };
  if (problems.length > 0) throw new ConfigError([...problems, ...refusedSockets, ...socketsInUse]);
  refuse('ADDRESS_IN_USE', socketsInUse);
  refuse('LISTEN', refusedSockets);
}

interface SocketAttempt {
  readonly code: ErrorCode;
  readonly diagnostic: Diagnostic;
}

/** null: the gateway can listen on it. */
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
    const { field, says, allowed } = socketProblems[cause] ?? otherSocketProblem;
    const diagnostic = { path: [section, field], found: `${socket}, ${says} (${cause})`, allowed };
    return { code: error.code, diagnostic };
  }
}

interface SocketProblem {
  readonly field: 'address' | 'port';
  readonly says: string;
  readonly allowed: string;
}

const otherSocketProblem: SocketProblem = {
  field: 'port',
  says: 'on which the gateway cannot listen',
  allowed: 'an address and a port that the gateway can listen on',
};

/** By the system's error code. */
const socketProblems: Readonly<Record<string, SocketProblem>> = {
  EADDRINUSE: {
    field: 'port',
    says: 'which is in use by another program, or by this gateway if it is running',
    allowed: 'a port that is free when the gateway starts',
  },
  EADDRNOTAVAIL: {
    field: 'address',
    says: 'an address that this machine does not have',
    allowed: 'an address of this machine, 0.0.0.0 or ::',
  },
  EAFNOSUPPORT: {
    field: 'address',
    says: 'an address whose family (IPv4 or IPv6) this machine does not have',
    allowed: 'an address of this machine, 0.0.0.0 or ::',
  },
  EACCES: {
    field: 'port',
    says: 'a port that this user may not open',
    allowed: 'a port of 1024 or above, or the capability CAP_NET_BIND_SERVICE',
  },
};

/** Whether an anchor, a CRL or an OCSP response is fetched, which must survive a restart. */
function needsCache({ anchors, candidates = [] }: LoadedConfig['config']['trust']): boolean {
  return [...anchors, ...candidates].some(
    ({ files, revocation: { crl, ocsp } }) => files === undefined || crl !== 'off' || ocsp !== 'off',
  );
}

/** The error code if the folder cannot be written, or cannot be created if it does not exist; null: it can. */
async function folderProblem(folder: string): Promise<string | null> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return code === 'ENOENT' && dirname(folder) !== folder ? folderProblem(dirname(folder)) : code;
  }
}
