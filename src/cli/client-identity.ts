/** The client certificate and key of `doctor` and `simulate`: from PEM files, or from a PKCS#12 file. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Identity } from '../doctor/attempt.ts';
import { GatewayError, UsageError } from '../errors.ts';
import type { Pkcs12Contents } from '../issuing/pkcs12/reader.ts';
import { isEncryptedPem } from '../issuing/private-key-file.ts';
import { toPem } from '../pki/pem.ts';
import { readInput } from '../terminal/input-file.ts';
import { printable } from '../terminal/printable.ts';
import { readSecret } from '../terminal/secret.ts';

export interface IdentityOptions {
  readonly cert?: string;
  readonly key?: string;
  readonly passphraseFile?: string;
  readonly p12?: string;
  readonly passwordFile?: string;
}

/** null: none is given. Throws UsageError; its message never has content of a file. */
export async function readIdentity(options: IdentityOptions): Promise<Identity | null> {
  const { cert, key, p12 } = options;
  if (p12 !== undefined) {
    if (cert !== undefined || key !== undefined)
      throw new UsageError('found --p12 with --cert or --key; allowed --p12 alone, or --cert and --key');
    return readP12Identity(p12, options.passwordFile);
  }
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined)
    throw new UsageError(
      `--${cert === undefined ? 'cert' : 'key'} is missing; allowed --cert and --key together`,
    );
  const identity = await readPemIdentity({ cert, key, passphraseFile: options.passphraseFile });
  const blamed = identity.passphrase === undefined ? '--cert or --key' : '--cert, --key or its passphrase';
  return usable(identity, blamed);
}

/** The certificate and key of `--other-cert` and `--other-key`; null: none is given. Throws as `readIdentity`. */
export async function readOtherIdentity(options: {
  readonly otherCert?: string;
  readonly otherKey?: string;
  readonly passphraseFile?: string;
}): Promise<Identity | null> {
  const { otherCert: cert, otherKey: key, passphraseFile } = options;
  if (cert === undefined && key === undefined) return null;
  if (cert === undefined || key === undefined)
    throw new UsageError(
      `--other-${cert === undefined ? 'cert' : 'key'} is missing; allowed --other-cert and --other-key together`,
    );
  const identity = await readPemIdentity({ cert, key, passphraseFile, prefix: '--other-' });
  return usable(identity, '--other-cert or --other-key');
}

/** Asks for the passphrase of an encrypted key if no file is given. Checks no content. Throws UsageError. */
export async function readPemIdentity(files: {
  readonly cert: string;
  readonly key: string;
  readonly passphraseFile: string | undefined;
  /** Of the options, for errors; default `--`. */
  readonly prefix?: string;
}): Promise<Identity> {
  const { passphraseFile: file, prefix = '--' } = files;
  const cert = (await readInput(files.cert, { option: `${prefix}cert` })).toString('latin1');
  const key = (await readInput(files.key, { option: `${prefix}key` })).toString('latin1');
  if (!isEncryptedPem(key)) return { cert, key };
  const secret = { name: `passphrase of ${printable(files.key)}`, option: '--passphrase-file' };
  return { cert, key, passphrase: await readSecret(file === undefined ? secret : { ...secret, file }) };
}

async function readP12Identity(file: string, passwordFile: string | undefined): Promise<Identity> {
  const { readPkcs12, WrongPasswordError } = await import('../issuing/pkcs12/reader.ts');
  const bytes = await readInput(file, { option: '--p12' });
  const read = (password: string) => {
    try {
      return identityOf(readPkcs12(bytes, password));
    } catch (cause) {
      if (cause instanceof WrongPasswordError && password === '' && passwordFile === undefined) return null;
      if (!(cause instanceof GatewayError)) throw cause;
      throw new UsageError(`--p12 ${printable(file)}: ${cause.message}`, cause);
    }
  };
  // Some files are protected with an empty password, which needs no question.
  const open = passwordFile === undefined ? read('') : null;
  if (open !== null) return usable(open, '--p12');
  const secret = { name: `password of ${printable(file)}`, option: '--password-file' };
  const password = await readSecret(passwordFile === undefined ? secret : { ...secret, file: passwordFile });
  const identity = read(password);
  if (identity === null) throw new UsageError(`--p12 ${printable(file)}: needs another password`);
  return usable(identity, '--p12');
}

/** The first key, the certificate that belongs to it, and all others as its chain. */
function identityOf({ certificates, privateKeys }: Pkcs12Contents): Identity {
  const [first] = privateKeys;
  if (first === undefined)
    throw new UsageError('--p12: found no private key; allowed a file with certificate and key');
  const leaf = certificates.find((der) => new X509Certificate(der).checkPrivateKey(first.key));
  if (leaf === undefined)
    throw new UsageError('--p12: found no certificate for the private key; allowed a file with both');
  const chain = [leaf, ...certificates.filter((der) => der !== leaf)];
  return {
    cert: chain.map(toPem).join(''),
    key: first.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Throws UsageError if it cannot be used; the message never repeats content. */
function usable(identity: Identity, options: string): Identity {
  const { cert, key, passphrase } = identity;
  const allowed = 'allowed a PEM certificate, and the key that belongs to it';
  let fits: boolean;
  try {
    const secret = passphrase === undefined ? { key } : { key, passphrase };
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(secret));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`${options}: found content that OpenSSL refuses (${code}); ${allowed}`, cause);
  }
  if (!fits) throw new UsageError(`${options}: found the key of another certificate; ${allowed}`);
  return identity;
}
