/** The certificates that the gateway shows, as a server or as a client of its hosts: read, checked against their keys and the clock, and ready for TLS. */
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
import { type ChainNotes, type ChainPurpose, checkChain } from './server-chain.ts';

/** One entry of `listen.certificate`, its paths absolute. */
export type CertificateFiles = CertificateEntries[number];

/** What is wrong or doubtful in one of an entry's files. */
export interface CertificateNote {
  readonly field: keyof CertificateFiles;
  readonly found: string;
  readonly allowed: string;
}

export interface LoadedServerCertificate {
  readonly certificate: ServerCertificate;
  /** TLS picks one certificate per type, by what the client can verify. */
  readonly keyType: 'RSA' | 'ECDSA';
  /** The leaf first, then what the file holds with it: subjects and dates for the expiry metric. */
  readonly chain: readonly Certificate[];
}

export interface ServerCertificateReading {
  /** Absent where there is a problem. */
  readonly loaded?: LoadedServerCertificate;
  /** What is wrong with the leaf's dates alone. */
  readonly dated: readonly CertificateNote[];
  readonly problems: readonly CertificateNote[];
  readonly warnings: readonly CertificateNote[];
}

/** A value, or why there is none. */
type Reading<T> = { readonly value: T } | { readonly note: CertificateNote };

/** Reads and checks one entry; whatever the files hold is told, not thrown. `now`: milliseconds since the epoch. */
export async function readServerCertificate(
  files: CertificateFiles,
  { now, purpose }: { readonly now: number; readonly purpose: ChainPurpose },
): Promise<ServerCertificateReading> {
  const [chain, key] = await Promise.all([readChain(files.chain), readKey(files)]);
  const problems: CertificateNote[] = [];
  const dated: CertificateNote[] = [];
  const warnings: CertificateNote[] = [];
  if ('note' in chain) problems.push(chain.note);
  else {
    const notes: ChainNotes = checkChain(chain.value, { now, purpose });
    problems.push(...notes.problems.map((note) => ({ field: 'chain', ...note }) as const));
    dated.push(...notes.dated.map((note) => ({ field: 'chain', ...note }) as const));
    warnings.push(...notes.warnings.map((note) => ({ field: 'chain', ...note }) as const));
  }
  if ('note' in key) problems.push(key.note);
  warnings.push(...(await openToOthers(files)));
  if ('note' in chain || 'note' in key) return { problems, dated, warnings };

  const mismatch = checkKey(chain.value, key.value.object);
  if (mismatch !== undefined) problems.push(mismatch);
  const keyType = keyTypes[key.value.object.asymmetricKeyType ?? ''];
  if (problems.length > 0 || keyType === undefined) return { problems, dated, warnings };
  const { pem, passphrase } = key.value;
  const certificate = {
    // Written anew: what a file holds beside its certificates goes no further.
    chain: chain.value.map(({ x509 }) => x509.toString()).join(''),
    key: pem,
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  const refusal = refusalByOpenSsl(certificate);
  if (refusal !== undefined) return { problems: [refusal], dated, warnings };
  return { loaded: { certificate, keyType, chain: chain.value }, problems, dated, warnings };
}

/** A key that is too short for OpenSSL's security level, for one: no listener and no connection could begin with it. */
function refusalByOpenSsl({ chain, ...key }: ServerCertificate): CertificateNote | undefined {
  try {
    createSecureContext({ cert: chain, ...key });
    return undefined;
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return {
      field: 'chain',
      found: `what OpenSSL refuses (${code})`,
      allowed: 'a certificate and key that OpenSSL takes',
    };
  }
}

async function openToOthers({ key, passphraseFile }: CertificateFiles): Promise<CertificateNote[]> {
  const [ofKey, ofPassphrase] = await Promise.all([
    rightsOfOthers(key),
    passphraseFile === undefined ? null : rightsOfOthers(passphraseFile),
  ]);
  const note = (field: keyof CertificateFiles, name: string, rights: string | null) =>
    rights === null ? [] : [{ field, found: `${name} ${rights}`, allowed: ownersOnly }];
  return [...note('key', key, ofKey), ...note('passphraseFile', 'a file', ofPassphrase)];
}

const keyTypes: Readonly<Record<string, 'RSA' | 'ECDSA'>> = { rsa: 'RSA', ec: 'ECDSA' };

async function readChain(path: string): Promise<Reading<[Certificate, ...Certificate[]]>> {
  const bytes = await read('chain', path);
  if ('note' in bytes) return bytes;
  const allowed = 'PEM: the leaf and then its intermediates';
  try {
    const [leaf, ...rest] = readCertificates(bytes.value);
    if (leaf !== undefined) return { value: [leaf, ...rest] };
    return { note: { field: 'chain', found: `no certificate in ${path}`, allowed } };
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    return { note: { field: 'chain', found: `${path}: ${cause.message}`, allowed } };
  }
}

interface PrivateKey {
  readonly object: KeyObject;
  readonly pem: string;
  readonly passphrase: string | undefined;
}

async function readKey({ key, passphraseFile }: CertificateFiles): Promise<Reading<PrivateKey>> {
  const [bytes, passphrase] = await Promise.all([read('key', key), readPassphrase(passphraseFile)]);
  if ('note' in bytes) return bytes;
  if ('note' in passphrase) return passphrase;
  // As in certificate files, a byte order mark at the start is passed over: OpenSSL would see no key behind it.
  const pem = bytes.value.toString('utf8').replace(/^\ufeff/, '');
  const problem = (field: keyof CertificateFiles, found: string, allowed: string) => ({
    note: { field, found, allowed },
  });
  try {
    const object = createPrivateKey({ key: pem, passphrase: passphrase.value });
    if (keyTypes[object.asymmetricKeyType ?? ''] === undefined) {
      return problem('key', `a key of type ${object.asymmetricKeyType}`, 'an RSA or EC key');
    }
    return { value: { object, pem, passphrase: passphrase.value } };
  } catch {
    // OpenSSL's own words differ from version to version and are no help here.
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
  if ('note' in bytes) return bytes;
  const passphrase = bytes.value.toString('utf8').replace(/\r?\n$/, '');
  if (passphrase !== '') return { value: passphrase };
  return {
    note: {
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
    // Here people put the passphrase itself by mistake: the name is not repeated.
    const name = field === 'passphraseFile' ? 'a file' : path;
    return {
      note: { field, found: `${name} that cannot be read (${code})`, allowed: 'a file that can be read' },
    };
  }
}

function checkKey(chain: readonly Certificate[], key: KeyObject): CertificateNote | undefined {
  const owner = chain.findIndex(({ x509 }) => x509.checkPrivateKey(key));
  if (owner === 0) return undefined;
  const found =
    owner < 0 ? 'a key of another certificate' : `the key of certificate ${owner + 1} of the chain`;
  return { field: 'key', found, allowed: `the key of the leaf ${chain[0]?.subject ?? ''}` };
}
