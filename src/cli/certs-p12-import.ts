/** `ehi-gateway certs p12 import`: the private key and the certificates of a PKCS#12 file to PEM. */
import type { KeyObject } from 'node:crypto';
import { exitCodes, GatewayError, UsageError } from '../errors.ts';
import { chainOf } from '../issuing/chain.ts';
import {
  type Pkcs12Contents,
  type Pkcs12PrivateKey,
  readPkcs12,
  WrongPasswordError,
} from '../issuing/pkcs12/reader.ts';
import { privateKeyPem } from '../issuing/private-key-file.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import { isSelfSigned } from '../pki/issued.ts';
import { toPem } from '../pki/pem.ts';
import { readInput } from '../terminal/input-file.ts';
import { jsonLine } from '../terminal/json.ts';
import { type OutputFile, writeOutputs } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { type PassphraseOptions, readNewPassphrase } from './certs-files.ts';
import { type Pkcs12Options, readPassword } from './certs-p12-password.ts';

export interface ImportOptions extends Pkcs12Options, PassphraseOptions {
  /** friendlyName of the key to take, if there are several. */
  readonly name?: string;
}

/** Writes NAME.pem and NAME.key, and NAME-ca.pem if there is more; all or none. Resolves with the exit code. */
export async function importPkcs12(file: string, options: ImportOptions): Promise<number> {
  const { out, force, json } = options;
  const { contents, certificates } = await open(file, options);
  const key = chooseKey(contents.privateKeys, file, options.name);
  const { chain, others } =
    key === null ? { chain: certificates, others: [] } : sort(key.key, certificates, file);
  const names = { certificate: `${out}.pem`, key: `${out}.key`, others: `${out}-ca.pem` };
  const passphrase = key === null ? null : await readNewPassphrase(options, names.key);
  const pem = (list: readonly Certificate[]) => list.map(({ der }) => toPem(der)).join('');
  const outputs: OutputFile[] = [
    { file: names.certificate, contents: pem(chain), force },
    ...(others.length === 0 ? [] : [{ file: names.others, contents: pem(others), force }]),
    ...(key === null
      ? []
      : [{ file: names.key, contents: privateKeyPem(key.key, passphrase), secret: true, force }]),
  ];
  await writeOutputs(outputs);
  const [first] = chain;
  process.stdout.write(
    json
      ? jsonLine({
          files: outputs.map((each) => each.file),
          subject: first?.subject ?? null,
          encryption: contents.encryption,
        })
      : textOf({ names, chain, others, hasKey: key !== null, encryption: contents.encryption }),
  );
  return exitCodes.drained;
}

/** Tries the empty password first, where none is given. */
async function open(
  file: string,
  options: Pkcs12Options,
): Promise<{ readonly contents: Pkcs12Contents; readonly certificates: readonly Certificate[] }> {
  const bytes = await readInput(file, { standardInput: true });
  try {
    const contents = await read(bytes, () => readPassword({ file, options, confirm: false }), options);
    const certificates = contents.certificates.map(parse);
    if (certificates.length === 0)
      throw new UsageError(`${printable(file)}: found no certificate; allowed at least one`);
    return { contents, certificates };
  } catch (error) {
    if (!(error instanceof GatewayError) || error instanceof UsageError) throw error;
    throw new UsageError(`${printable(file)}: ${error.message}`, error);
  }
}

function parse(der: Buffer, index: number): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new GatewayError({
      code: error.code,
      message: `certificate ${index + 1}: ${error.message}`,
      cause: error,
    });
  }
}

async function read(
  bytes: Uint8Array,
  password: () => Promise<string>,
  { passwordFile }: Pkcs12Options,
): Promise<Pkcs12Contents> {
  if (passwordFile !== undefined) return readPkcs12(bytes, await password());
  try {
    return readPkcs12(bytes, '');
  } catch (error) {
    if (!(error instanceof WrongPasswordError)) throw error;
    return readPkcs12(bytes, await password());
  }
}

/** null: the file has none. Throws UsageError if the choice is not clear. */
function chooseKey(
  keys: readonly Pkcs12PrivateKey[],
  file: string,
  name: string | undefined,
): Pkcs12PrivateKey | null {
  const fitting =
    name === undefined ? keys : keys.filter((key) => key.name?.toLowerCase() === name.toLowerCase());
  const [key, another] = fitting;
  const names = keys.map((each) => printable(each.name ?? '(no name)')).join(', ');
  if (another !== undefined)
    throw new UsageError(
      `${printable(file)}: found ${fitting.length} private keys: ${names}; choose one with --name`,
    );
  if (key === undefined && name !== undefined)
    throw new UsageError(
      `--name ${printable(name)}: found no private key of this name; allowed ${names === '' ? 'none: the file has no private key' : names}`,
    );
  return key ?? null;
}

/** The chain as a server sends it: without a self-signed root (RFC 8446 §4.4.2), which goes to the others. */
function sort(
  key: KeyObject,
  certificates: readonly Certificate[],
  file: string,
): { readonly chain: readonly Certificate[]; readonly others: readonly Certificate[] } {
  const leaf = certificates.find((certificate) => certificate.x509.checkPrivateKey(key));
  if (leaf === undefined)
    throw new UsageError(
      `${printable(file)}: found no certificate of its private key; allowed a key with its certificate`,
    );
  const { issuers, others } = chainOf(leaf, certificates);
  const roots = issuers.filter(isSelfSigned);
  return { chain: [leaf, ...issuers.filter((each) => !roots.includes(each))], others: [...roots, ...others] };
}

function textOf(imported: {
  readonly names: { readonly certificate: string; readonly key: string; readonly others: string };
  readonly chain: readonly Certificate[];
  readonly others: readonly Certificate[];
  readonly hasKey: boolean;
  readonly encryption: string;
}): string {
  const { names, chain, others, hasKey, encryption } = imported;
  const list = (certificates: readonly Certificate[]) =>
    certificates.map(({ subject }) => `  ${printable(subject)}\n`).join('');
  return [
    `${printable(names.certificate)}\n${list(chain)}`,
    hasKey
      ? `${printable(names.key)}\n  the private key of the first certificate\n`
      : 'The file has no private key.\n',
    others.length === 0 ? '' : `${printable(names.others)}\n${list(others)}`,
    `The file was protected with ${encryption}.\n`,
  ].join('');
}
