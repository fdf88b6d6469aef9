/** The client certificate and key of `doctor`: from PEM files, or from a PKCS#12 file. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Identity } from '../doctor/attempt.ts';
import { GatewayError, UsageError } from '../errors.ts';
import type { Pkcs12Contents } from '../issuing/pkcs12.ts';
import { toPem } from '../pki/pem.ts';
import { readLimited } from '../terminal/limited-input.ts';
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
  const identity = {
    cert: (await readInput('--cert', cert)).toString('latin1'),
    key: (await readInput('--key', key)).toString('latin1'),
  };
  const isEncrypted = /^-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(identity.key);
  if (!isEncrypted) return usable(identity, '--cert or --key');
  const secret = { name: `passphrase of ${printable(key)}`, option: '--passphrase-file' };
  const file = options.passphraseFile;
  const passphrase = await readSecret(file === undefined ? secret : { ...secret, file });
  return usable({ ...identity, passphrase }, '--cert, --key or its passphrase');
}

async function readP12Identity(file: string, passwordFile: string | undefined): Promise<Identity> {
  const { readPkcs12, WrongPasswordError } = await import('../issuing/pkcs12.ts');
  const bytes = await readInput('--p12', file);
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

/** Bytes; certificates, keys and key stores are much smaller. */
const maxFile = 16 * 1024 * 1024;

/** Throws UsageError. */
export async function readInput(option: string, file: string): Promise<Buffer> {
  const where = `${option} ${printable(file)}`;
  const bytes = await readLimited(file, maxFile).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`${where}: cannot be read (${cause.code ?? 'unknown'})`, cause);
  });
  if (bytes === null)
    throw new UsageError(`${where}: found more than ${maxFile} bytes; allowed at most ${maxFile}`);
  return bytes;
}
