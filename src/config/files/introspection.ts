/** Reads the files of `routes[].bearer.introspection`: CAs, and the credentials of the gateway. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IntrospectionAuth, IntrospectionSettings } from '../../introspection/settings.ts';
import { isKeyFor, type SignatureAlgorithm } from '../../jose/algorithm.ts';
import { describeFile } from '../../pki/file-kind.ts';
import { type Diagnostics, noDiagnostics, type Path } from '../diagnostic.ts';
import type { RouteParts } from '../parse.ts';
import type { IntrospectionConfig } from '../schema/bearer.ts';
import { readAuthorities } from './ca-file.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';
import { readServerCertificate } from './server-certificate.ts';

interface IntrospectionsReading extends Diagnostics {
  /** Incomplete if there are problems. */
  readonly settings: readonly IntrospectionSettings[];
}

interface ReadContext {
  /** Path of `auth`. */
  readonly at: Path;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly diagnostics: Diagnostics;
}

/** Reports what is wrong in a file, without throwing and without its content. */
export async function readIntrospections(
  parts: readonly RouteParts[],
  now: number,
): Promise<IntrospectionsReading> {
  const diagnostics = noDiagnostics();
  const settings: IntrospectionSettings[] = [];
  for (const [index, { route, bearer }] of parts.entries()) {
    if (bearer?.introspection === undefined) continue;
    const at = ['routes', index, 'bearer', 'introspection'];
    const { endpoint, ca, auth, cache, timeout } = bearer.introspection;
    const authorities = ca === undefined ? null : await readAuthorities(ca, { at, now, diagnostics });
    const credentials = await readAuth(auth, bearer.issuer, { at: [...at, 'auth'], now, diagnostics });
    if (route === undefined || credentials === null) continue;
    settings.push({ id: route.path, endpoint, ca: authorities, auth: credentials, cache, timeout });
  }
  return { settings, ...diagnostics };
}

/** null: there is a problem. */
async function readAuth(
  { kind, clientId, ...auth }: IntrospectionConfig['auth'],
  audience: string,
  context: ReadContext,
): Promise<IntrospectionAuth | null> {
  switch (kind) {
    case 'client_secret_basic': {
      const secret = await readSecret(auth.secretFile ?? '', context);
      return secret === null ? null : { kind, clientId, secret };
    }
    case 'private_key_jwt': {
      const { algorithm = 'PS256', kid = null } = auth;
      const key = await readSigningKey(auth.keyFile ?? '', algorithm, context);
      return key === null ? null : { kind, clientId, key, kid, algorithm, audience };
    }
    case 'tls_client_auth': {
      const { chain = '', key = '', passphraseFile } = auth;
      const files = { chain, key, ...(passphraseFile === undefined ? {} : { passphraseFile }) };
      const certificate = await readCertificate(files, context);
      return certificate === null ? null : { kind, clientId, certificate };
    }
    default:
      return kind satisfies never;
  }
}

async function readSecret(file: string, { at, diagnostics }: ReadContext): Promise<string | null> {
  const path = [...at, 'secretFile'];
  const refuse = (found: string): null => {
    diagnostics.problems.push({ path, found, allowed: 'a file with the client secret, in one line' });
    return null;
  };
  try {
    const secret = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (secret === '') return refuse('an empty file');
    if (/\p{Cc}/u.test(secret)) return refuse('a file with several lines or control characters');
    const rights = await rightsOfOthers(file);
    if (rights !== null) diagnostics.warnings.push({ path, found: `a file ${rights}`, allowed: ownersOnly });
    return secret;
  } catch (cause) {
    // Operators write the secret itself here by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

async function readSigningKey(
  file: string,
  algorithm: SignatureAlgorithm,
  { at, diagnostics }: ReadContext,
): Promise<KeyObject | null> {
  const path = [...at, 'keyFile'];
  const refuse = (found: string): null => {
    const allowed = `a PEM file with an unencrypted private key for ${algorithm}`;
    diagnostics.problems.push({ path, found, allowed });
    return null;
  };
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    return refuse(`${file} that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
  try {
    const key = createPrivateKey(bytes.toString('utf8').replace(/^\ufeff/, ''));
    if (!isKeyFor(key, algorithm)) return refuse(`${file}, whose key ${algorithm} does not take`);
    const rights = await rightsOfOthers(file);
    if (rights !== null) diagnostics.warnings.push({ path, found: `${file} ${rights}`, allowed: ownersOnly });
    return key;
  } catch {
    // The messages of OpenSSL differ between versions and do not name the cause.
    const content = describeFile(bytes);
    return refuse(`no private key that can be read in ${file}${content === null ? '' : `, but ${content}`}`);
  }
}

async function readCertificate(
  files: { readonly chain: string; readonly key: string; readonly passphraseFile?: string },
  { at, now, diagnostics }: ReadContext,
) {
  const reading = await readServerCertificate(files, { now, purpose: 'client' });
  const locate = ({ field, ...fault }: (typeof reading.problems)[number]) => ({
    path: [...at, field],
    ...fault,
  });
  diagnostics.problems.push(...reading.problems.map(locate));
  // An expired certificate for one endpoint does not affect the rest of the gateway.
  diagnostics.warnings.push(...reading.warnings.map(locate), ...reading.dateProblems.map(locate));
  return reading.loaded?.certificate ?? null;
}
