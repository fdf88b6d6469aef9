/** Reads a certificate that the gateway presents, to clients or to upstream hosts, and checks it with its key and the clock. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { GatewayError } from '../../errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { describeFile } from '../../pki/file-kind.ts';
import { readCertificates } from '../../pki/pem.ts';
import type { ServerCertificate } from '../../policy/snapshot.ts';
import type { CertificateEntries } from '../schema/listen.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';
import { type ChainDiagnostics, type ChainPurpose, checkChain } from './server-chain.ts';

/** One entry of `listen.certificate`, its paths absolute. */
export type CertificateFiles = CertificateEntries[number];

/** A problem or a warning in one of the files of an entry. */
export interface CertificateDiagnostic {
  readonly field: keyof CertificateFiles;
  readonly found: string;
  readonly allowed: string;
}

export interface LoadedServerCertificate {
  readonly certificate: ServerCertificate;
  /** TLS selects the certificate by the key types that the client can verify. */
  readonly keyType: 'RSA' | 'ECDSA';
  /** The leaf, then the other certificates of the file: subjects and dates for the expiry metric. */
  readonly chain: readonly Certificate[];
}

interface ServerCertificateReading {
  /** Absent if there is a problem. */
  readonly loaded?: LoadedServerCertificate;
  /** The leaf is not valid now: the caller decides whether that is a problem or a warning. */
  readonly dateProblems: readonly CertificateDiagnostic[];
  readonly problems: readonly CertificateDiagnostic[];
  readonly warnings: readonly CertificateDiagnostic[];
}

/** A value, or the problem that keeps it from being read. */
type Reading<T> = { readonly value: T } | { readonly problem: CertificateDiagnostic };

/** Reads and checks one entry. Does not throw for what the files hold. `now`: milliseconds since the epoch. */
export async function readServerCertificate(
  files: CertificateFiles,
  { now, purpose }: { readonly now: number; readonly purpose: ChainPurpose },
): Promise<ServerCertificateReading> {
  const [chain, key] = await Promise.all([readChain(files.chain), readKey(files)]);
  const problems: CertificateDiagnostic[] = [];
  const dateProblems: CertificateDiagnostic[] = [];
  const warnings: CertificateDiagnostic[] = [];
  if ('problem' in chain) problems.push(chain.problem);
  else {
    const diagnostics: ChainDiagnostics = checkChain(chain.value, { now, purpose });
    problems.push(...diagnostics.problems.map((fault) => ({ field: 'chain', ...fault }) as const));
    dateProblems.push(...diagnostics.dateProblems.map((fault) => ({ field: 'chain', ...fault }) as const));
    warnings.push(...diagnostics.warnings.map((fault) => ({ field: 'chain', ...fault }) as const));
  }
  if ('problem' in key) problems.push(key.problem);
  warnings.push(...(await checkPermissions(files)));
  if ('problem' in chain || 'problem' in key) return { problems, dateProblems, warnings };

  const mismatch = checkKey(chain.value, key.value.object);
  if (mismatch !== undefined) problems.push(mismatch);
  const keyType = keyTypes[key.value.object.asymmetricKeyType ?? ''];
  if (problems.length > 0 || keyType === undefined) return { problems, dateProblems, warnings };
  const { pem, passphrase } = key.value;
  const certificate = {
    // Encoded again: other content of the file is not passed on.
    chain: chain.value.map(({ x509 }) => x509.toString()).join(''),
    key: pem,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  const refusal = refusalByOpenSsl(certificate);
  if (refusal !== undefined) return { problems: [refusal], dateProblems, warnings };
  return { loaded: { certificate, keyType, chain: chain.value }, problems, dateProblems, warnings };
}

/** OpenSSL refuses, for example, a key that is too short for its security level: no TLS context can use it. */
function refusalByOpenSsl({ chain, ...key }: ServerCertificate): CertificateDiagnostic | undefined {
  try {
    createSecureContext({ cert: chain, ...key });
    return undefined;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return {
      field: 'chain',
      found: `a certificate or key that OpenSSL refuses (${code})`,
      allowed: 'a certificate and key that OpenSSL accepts',
    };
  }
}

async function checkPermissions({ key, passphraseFile }: CertificateFiles): Promise<CertificateDiagnostic[]> {
  const [ofKey, ofPassphrase] = await Promise.all([
    rightsOfOthers(key),
    passphraseFile === undefined ? null : rightsOfOthers(passphraseFile),
  ]);
  const warning = (field: keyof CertificateFiles, name: string, rights: string | null) =>
    rights === null ? [] : [{ field, found: `${name} ${rights}`, allowed: ownersOnly }];
  return [...warning('key', key, ofKey), ...warning('passphraseFile', 'a file', ofPassphrase)];
}

const keyTypes: Readonly<Record<string, 'RSA' | 'ECDSA'>> = { rsa: 'RSA', ec: 'ECDSA' };

async function readChain(path: string): Promise<Reading<[Certificate, ...Certificate[]]>> {
  const bytes = await read('chain', path);
  if ('problem' in bytes) return bytes;
  const allowed = 'PEM: the leaf and then its intermediates';
  try {
    const [leaf, ...rest] = readCertificates(bytes.value);
    if (leaf !== undefined) return { value: [leaf, ...rest] };
    return { problem: { field: 'chain', found: `no certificate in ${path}`, allowed } };
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    return { problem: { field: 'chain', found: `${path}: ${cause.message}`, allowed } };
  }
}

interface PrivateKey {
  readonly object: KeyObject;
  readonly pem: string;
  readonly passphrase: string | undefined;
}

async function readKey({ key, passphraseFile }: CertificateFiles): Promise<Reading<PrivateKey>> {
  const [bytes, passphrase] = await Promise.all([read('key', key), readPassphrase(passphraseFile)]);
  if ('problem' in bytes) return bytes;
  if ('problem' in passphrase) return passphrase;
  // OpenSSL does not find a key behind a byte order mark. Certificate files are read in the same way.
  const pem = bytes.value.toString('utf8').replace(/^\ufeff/, '');
  const problem = (field: keyof CertificateFiles, found: string, allowed: string) => ({
    problem: { field, found, allowed },
  });
  try {
    const object = createPrivateKey({ key: pem, passphrase: passphrase.value });
    if (keyTypes[object.asymmetricKeyType ?? ''] === undefined) {
      return problem('key', `a key of type ${object.asymmetricKeyType}`, 'an RSA or EC key');
    }
    return { value: { object, pem, passphrase: passphrase.value } };
  } catch {
    // The messages of OpenSSL differ between versions and do not name the cause.
    const allowed = 'PEM with the leaf’s private key';
    if (!/-----BEGIN (?:ENCRYPTED |RSA |EC )?PRIVATE KEY-----/.test(pem)) {
      const content = describeFile(bytes.value);
      const but = content === null ? '' : `, but ${content}`;
      return problem('key', `no private key in PEM in ${key}${but}`, allowed);
    }
    if (!/ENCRYPTED/.test(pem)) return problem('key', `a private key in ${key} that cannot be read`, allowed);
    if (passphraseFile === undefined) {
      return problem(
        'key',
        `an encrypted key in ${key} and no passphraseFile`,
        'passphraseFile beside it, or a plain key',
      );
    }
    return problem(
      'passphraseFile',
      'a passphrase that does not open the key',
      'a file that holds the key’s passphrase',
    );
  }
}

async function readPassphrase(path: string | undefined): Promise<Reading<string | undefined>> {
  if (path === undefined) return { value: undefined };
  const bytes = await read('passphraseFile', path);
  if ('problem' in bytes) return bytes;
  const passphrase = bytes.value.toString('utf8').replace(/\r?\n$/, '');
  if (passphrase !== '') return { value: passphrase };
  return {
    problem: {
      field: 'passphraseFile',
      found: 'an empty file',
      allowed: 'a file that holds the key’s passphrase',
    },
  };
}

async function read(field: keyof CertificateFiles, path: string): Promise<Reading<Buffer>> {
  try {
    return { value: await readFile(path) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    // Operators write the passphrase itself here by mistake: the name is not repeated.
    const name = field === 'passphraseFile' ? 'a file' : path;
    return {
      problem: { field, found: `${name} that cannot be read (${code})`, allowed: 'a file that can be read' },
    };
  }
}

function checkKey(chain: readonly Certificate[], key: KeyObject): CertificateDiagnostic | undefined {
  const owner = chain.findIndex(({ x509 }) => x509.checkPrivateKey(key));
  if (owner === 0) return undefined;
  const found =
    owner < 0 ? 'a key of another certificate' : `the key of certificate ${owner + 1} of the chain`;
  return { field: 'key', found, allowed: `the key of the leaf ${chain[0]?.subject ?? ''}` };
}
