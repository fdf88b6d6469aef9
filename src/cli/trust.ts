/** `ehi-gateway trust`: what the anchors are, what another root would change, and the operator's word for it. */

import { acceptAnchor, preflight } from '../control/preflight.ts';
import { describeProblem, exitCodes } from '../errors.ts';
import { normalizeSha256 } from '../pki/fingerprint.ts';
import { type AnchorStatus, readAnchorStatus } from '../trust/anchor-status.ts';
import type { AnchorOptions } from '../trust/configured-anchors.ts';
import { writeRequest } from '../trust/request-files.ts';
import { describeDiff, describeList, diffJson, fingerprint, listJson } from './trust-report.ts';

export interface TrustCommandOptions {
  readonly config: string;
  readonly json: boolean;
  readonly anchor?: string;
  readonly sha256?: string;
  readonly address?: string;
}

/** What cannot be done as it was asked for. */
class Refusal extends Error {}

/**
 * `list` and `diff` print on stdout, the others write one file. Answers the exit code: 64 for what cannot be done as it
 * was asked for, 70 where the cache cannot be read or written, 78 for a configuration with problems.
 */
export async function trust(
  command: 'list' | 'diff' | 'approve' | 'refresh' | 'forget',
  options: TrustCommandOptions,
): Promise<number> {
  const { loaded, problems } = await preflight(options.config);
  if (loaded === null) {
    for (const problem of problems) process.stderr.write(`${describeProblem(problem)}\n`);
    return exitCodes.configuration;
  }
  const { clients, ...config } = loaded.config;
  const lists: AnchorLists = config.trust;
  const common = { cacheDir: config.trust.cacheDir, accept: acceptAnchor(clients), now: Date.now() };
  try {
    const holdings = [
      ...(await readAnchorStatus({ ...common, anchors: lists.anchors, list: 'anchors' })),
      ...(await readAnchorStatus({ ...common, anchors: lists.candidates ?? [], list: 'candidates' })),
    ];
    const chosen = choose(holdings, options.anchor);
    if (command === 'refresh') await askToRefresh(config.trust.cacheDir, options);
    else if (command === 'forget') await askToForget(chosen[0], config.trust.cacheDir, options);
    else if (command === 'approve')
      await approve(chosen.find(({ pending }) => pending) ?? chosen[0], options);
    else if (command === 'list') print(options.json ? listJson(chosen) : describeList(chosen));
    else print(options.json ? diffJson(chosen) : describeDiff(chosen));
    return exitCodes.drained;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof Refusal ? exitCodes.usage : exitCodes.fault;
  }
}

interface AnchorLists {
  readonly anchors: readonly AnchorOptions[];
  readonly candidates?: readonly AnchorOptions[];
}

/** All of them, or those of that name, at least one. */
function choose(
  holdings: readonly AnchorStatus[],
  name: string | undefined,
): readonly [AnchorStatus, ...AnchorStatus[]] {
  const [first, ...further] = holdings.filter((holding) => name === undefined || holding.name === name);
  if (first !== undefined) return [first, ...further];
  const names = holdings.map((holding) => holding.name).join(', ');
  throw new Refusal(`there is no anchor ${name} in the configuration: there are ${names}`);
}

/**
 * Writes the approval, and nothing else: the gateway judges what waits by then, takes it and clears it away. What is
 * asked for here is the SHA-256 itself, so that whoever approves has it before the eyes.
 */
async function approve(holding: AnchorStatus, { sha256 = '', json }: TrustCommandOptions): Promise<void> {
  const { name, pending, rootSha256, cache } = holding;
  if (!/^[0-9a-f]{2}(?::?[0-9a-f]{2}){31}$/i.test(sha256))
    throw new Refusal('--sha256 takes 64 hex digits, colons allowed');
  if (cache === null) throw new Refusal(`${name} comes from files: there is nothing to approve`);
  if (pending === null) throw new Refusal(`${name}: nothing waits for approval`);
  const given = normalizeSha256(sha256);
  if (given !== pending.rootSha256) {
    const waits = `${pending.certificates[0]?.subject}, SHA-256 ${fingerprint(pending.rootSha256)}`;
    throw new Refusal(
      `${name}: nothing is approved. The root that waits is ${waits}, not ${fingerprint(given)}`,
    );
  }
  if (rootSha256 !== undefined && rootSha256 !== given)
    throw new Refusal(
      `${name}: nothing is approved. rootSha256 in the configuration allows only ${fingerprint(rootSha256)}: change it there`,
    );
  if (pending.problem !== null)
    throw new Refusal(`${name}: nothing is approved, for what waits cannot be taken now: ${pending.problem}`);
  await cache.approve(given);
  print(
    json
      ? JSON.stringify({ anchor: name, root_sha256: given })
      : `${name}: approved. A running gateway takes it within seconds, another one at its start.`,
  );
}

async function askToRefresh(cacheDir: string, { json }: TrustCommandOptions): Promise<void> {
  await writeRequest(cacheDir, { command: 'refresh' });
  print(json ? JSON.stringify({ refresh: true }) : 'A running gateway fetches everything within seconds.');
}

/** Revocations that are known are dropped too, so what they are about is unknown until it is fetched anew. */
async function askToForget(
  { name, list }: AnchorStatus,
  cacheDir: string,
  options: TrustCommandOptions,
): Promise<void> {
  const { json } = options;
  const address = options.address ?? null;
  await writeRequest(cacheDir, {
    ...{ command: 'forget', anchor: name, candidate: list === 'candidates', address },
  });
  const what = address === null ? 'every CRL and OCSP answer' : `what came from ${address}`;
  print(
    json
      ? JSON.stringify({ anchor: name, address })
      : `${name}: a running gateway drops ${what} within seconds, another one at its start, and fetches it anew.`,
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
