/** Why a file cannot be read as PKCS#12, in sentences that say what to do; never with its content or password. */
import { GatewayError } from '../../errors.ts';
import { describeFile } from '../../pki/file-kind.ts';
import { BerError } from './ber.ts';
import { UnsupportedScheme } from './password-decryption.ts';

/** A file that cannot be read; the message continues "FILE: ". */
export class Pkcs12Error extends GatewayError {
  constructor(message: string, cause?: unknown) {
    super({ code: 'CERTIFICATE_UNREADABLE', message, cause });
  }
}

/** The password is not that of the file. */
export class WrongPasswordError extends Pkcs12Error {}

/** Magic numbers of Java's own key stores. */
const javaStores: Readonly<Record<string, string>> = { feedfeed: 'JKS', cececece: 'JCEKS' };

/** Throws Pkcs12Error for Java's own formats, and for what is not DER. */
export function refuseOtherKinds(bytes: Uint8Array): void {
  const store = javaStores[Buffer.from(bytes.subarray(0, 4)).toString('hex')];
  if (store !== undefined)
    throw new Pkcs12Error(
      `is a Java key store in the format ${store}; convert it to PKCS#12 first: keytool -importkeystore -srckeystore FILE -srcstoretype ${store} -destkeystore FILE.p12 -deststoretype PKCS12`,
    );
  if (bytes[0] === 0x30) return;
  const kind = describeFile(bytes);
  throw new Pkcs12Error(`is no PKCS#12 file${kind === null ? '' : `, but ${kind}`}`);
}

/** The error to report for one that reading the file has thrown. */
export function described(error: unknown): unknown {
  if (error instanceof BerError)
    return new Pkcs12Error(`is no PKCS#12 file, or is damaged (${error.message})`, error);
  if (error instanceof UnsupportedScheme)
    return new Pkcs12Error(
      `is protected with ${error.message}, which is not supported; export it again with AES-256 and PBKDF2`,
      error,
    );
  return error;
}
