/** Tries to get in without a certificate, with certificates of a wrong CA, and with a session that was made without one. */
import type { SecureVersion } from 'node:tls';
import { issueStranger } from '../issuing/stranger.ts';
import { type Attempt, type AttemptOptions, attempt } from './attempt.ts';

export interface StrangerAttempt {
  /** Of its issuer: a name that the endpoint accepts, or one that it cannot know. */
  readonly issuer: 'accepted name' | 'unknown name';
  readonly attempt: Attempt;
}

export interface ResumedAttempt {
  readonly version: SecureVersion;
  /** Without a handshake, if none was completed; null: the server issued no session to a client without a certificate. */
  readonly attempt: Attempt | null;
}

export interface AdmissionFacts {
  readonly without: Attempt;
  readonly strangers: readonly StrangerAttempt[];
  readonly resumed: readonly ResumedAttempt[];
}

export interface AdmissionOptions {
  readonly attempt: AttemptOptions;
  /** DER of the first acceptable CA name; null: none is known. */
  readonly caName: Uint8Array | null;
  /** TLS 1.2 and 1.3, as far as the endpoint offers them: each resumes in its own way. */
  readonly versions: readonly SecureVersion[];
}

export async function measureAdmission({
  attempt: options,
  caName,
  versions,
}: AdmissionOptions): Promise<AdmissionFacts> {
  const without = await attempt(options);
  const strangers: StrangerAttempt[] = [];
  for (const name of caName === null ? [null] : [null, caName]) {
    const { chainPem: cert, keyPem: key } = issueStranger(name ?? undefined);
    const issuer = name === null ? 'unknown name' : 'accepted name';
    strangers.push({ issuer, attempt: await attempt({ ...options, identity: { cert, key } }) });
  }
  const resumed: ResumedAttempt[] = [];
  for (const version of versions) resumed.push({ version, attempt: await resume({ ...options, version }) });
  return { without, strangers, resumed };
}

async function resume(options: AttemptOptions): Promise<Attempt | null> {
  const first = await attempt(options);
  // Without a handshake it is not known whether there are sessions.
  if (first.handshake === null) return first;
  if (first.session !== null) return attempt({ ...options, session: first.session });
  // In TLS 1.3 sessions come after the handshake: it may have been cut off before that.
  return first.failure?.kind === 'cut' ? first : null;
}
