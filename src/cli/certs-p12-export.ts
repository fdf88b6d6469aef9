/** `ehi-gateway certs p12 export`: a private key and its certificates to PKCS#12. */
import { resolve } from 'node:path';
import { exitCodes, UsageError } from '../errors.ts';
import { chainOf } from '../issuing/chain.ts';
import { writePkcs12 } from '../issuing/pkcs12/writer.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { readCertificateFile, readKeyFile } from './certs-files.ts';
import { type Pkcs12Options, readPassword } from './certs-p12-password.ts';

export interface ExportOptions extends Pkcs12Options {
  readonly cert: string;
  readonly key: string;
  readonly keyPassphraseFile?: string;
  readonly chain?: string;
  /** friendlyName. */
  readonly name?: string;
  readonly legacy: boolean;
}

/** Resolves with the exit code; throws UsageError. */
export async function exportPkcs12(options: ExportOptions): Promise<number> {
  const { cert, chain, out, name, legacy, force, json } = options;
  refuseOverInput(out, [cert, options.key, ...(chain === undefined ? [] : [chain])]);
  const [leaf, ...rest] = await readCertificateFile(cert);
  const more = chain === undefined ? [] : await readCertificateFile(chain);
  const key = await readKeyFile(options.key, {
    passphraseFile: options.keyPassphraseFile,
    option: '--key-passphrase-file',
  });
  if (!leaf.x509.checkPrivateKey(key))
    throw new UsageError(
      `${printable(options.key)}: found another key than that of ${printable(cert)} (${printable(leaf.subject)}); allowed its key`,
    );
  const { issuers, others } = chainOf(leaf, [...rest, ...more]);
  const [stranger] = others;
  if (stranger !== undefined)
    throw new UsageError(
      `${printable(chain ?? cert)}: found ${printable(stranger.subject)}, which is not on the chain of ${printable(leaf.subject)}; allowed its issuers`,
    );
  const password = await readPassword({ file: out, options, confirm: true });
  const certificates = [leaf, ...issuers].map(({ der }) => der) as [Buffer, ...Buffer[]];
  const contents = writePkcs12({ certificates, key, password, name, legacy });
  await writeOutput({ file: out, contents, secret: true, force });
  const encryption = legacy ? '3DES and SHA-1' : 'AES-256 and PBKDF2 with SHA-256';
  process.stdout.write(
    json
      ? jsonLine({ file: out, certificates: certificates.length, encryption })
      : `${printable(out)} has the key, its certificate and ${issuers.length} of its issuers, protected with ${encryption}.\n`,
  );
  return exitCodes.drained;
}

/** With --force, the output would destroy what the command reads. */
function refuseOverInput(out: string, inputs: readonly string[]): void {
  if (inputs.some((each) => resolve(each) === resolve(out)))
    throw new UsageError(`--out ${printable(out)}: found the name of an input; allowed another name`);
}
