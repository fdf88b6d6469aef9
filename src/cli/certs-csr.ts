/** `ehi-gateway certs csr`: a private key and a certificate request, and what to do with them. */
import { exitCodes } from '../errors.ts';
import { privateKeyPem } from '../issuing/private-key-file.ts';
import {
  createRequest,
  type RequestKey,
  type RequestType,
  requestKeys,
  usagesFor,
} from '../issuing/request.ts';
import { parseSubject, type SubjectAttribute } from '../issuing/subject.ts';
import { makeKey } from '../pki/key.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutputs } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { paint } from '../terminal/style.ts';
import { type PassphraseOptions, readNewPassphrase } from './certs-files.ts';

export interface CsrOptions extends PassphraseOptions {
  readonly subject: string;
  /** Names the files: NAME.csr, NAME.key. */
  readonly out: string;
  readonly type: RequestType;
  readonly key: RequestKey;
  /** false: ask for no extensions. */
  readonly extensions: boolean;
  readonly force: boolean;
  readonly json: boolean;
}

/** Writes both files or none. Resolves with the exit code; throws UsageError. */
export async function makeRequest(options: CsrOptions): Promise<number> {
  const { out, type, extensions, force, json } = options;
  const subject = parseSubject(options.subject);
  const files = { request: `${out}.csr`, key: `${out}.key` };
  const passphrase = await readNewPassphrase(options, files.key);
  const { kind, hash } = requestKeys[options.key];
  const progress = openProgress();
  progress.show(`making a key, ${options.key}`);
  const key = makeKey(kind);
  progress.end();
  await writeOutputs([
    {
      file: files.request,
      contents: createRequest({ subject, type: extensions ? type : null, key, hash }),
      force,
    },
    { file: files.key, contents: privateKeyPem(key, passphrase), secret: true, force },
  ]);
  const usages = extensions ? usagesFor(type, key.asymmetricKeyType === 'rsa') : [];
  const facts = { ...files, type, subject, usages, encrypted: passphrase !== null, keyType: options.key };
  process.stdout.write(json ? jsonLine(documentOf(facts)) : textOf(facts));
  return exitCodes.drained;
}

interface Facts {
  readonly request: string;
  readonly key: string;
  readonly type: RequestType;
  readonly subject: readonly SubjectAttribute[];
  readonly usages: readonly string[];
  readonly encrypted: boolean;
  readonly keyType: RequestKey;
}

function documentOf({ request, key, type, subject, usages, encrypted, keyType }: Facts) {
  return {
    request,
    key,
    type,
    subject: subject.map((attribute) => ({ ...attribute })),
    key_type: keyType,
    key_encrypted: encrypted,
    key_usage: usages,
    missing: missingIn(subject),
  };
}

/** The menu of Raidiam Connect, on which Thredd's portal is built, for each type. */
const menuNames: Readonly<Record<RequestType, string>> = {
  transport: 'Transport',
  signing: 'Signing',
  encryption: 'Encryption',
};

/** The attributes of the portals' subjects that this one lacks. */
function missingIn(subject: readonly SubjectAttribute[]): string[] {
  return ['C', 'O', 'OU', 'CN'].filter((type) => !subject.some((each) => each.type === type));
}

function textOf({ request, key, type, subject, usages, encrypted, keyType }: Facts): string {
  const [csr, secret] = [printable(request), printable(key)];
  const missing = missingIn(subject);
  const menu = menuNames[type];
  return [
    `${paint('bold', csr)}  the request: upload it`,
    `${paint('bold', secret)}  the private key${encrypted ? ', encrypted' : ''}: keep it here, and give it to no one`,
    '',
    `Subject    ${subject.map((each) => `${each.type}=${printable(each.value)}`).join(', ')}`,
    `Key        ${keyType}`,
    `Asks for   ${usages.length === 0 ? 'no extensions: the CA chooses them' : usages.join(', ')}${type === 'transport' && usages.length > 0 ? '; TLS client' : ''}`,
    ...(missing.length === 0
      ? []
      : [
          '',
          paint('yellow', `! The portals expect C, O, OU and CN; the subject lacks ${missing.join(', ')}.`),
        ]),
    '',
    'Next:',
    `1. In the portal of Thredd, or in Raidiam Connect: Applications > your application > App Certificates >`,
    `   New Certificate > ${menu}. Upload ${csr}.`,
    '   For a certificate of the whole organisation: Organisation Certificates > New Certificate.',
    '2. Download the issued certificate and its CA chain.',
    '3. Check it: ehi-gateway certs inspect CERTIFICATE',
    ...(encrypted
      ? ['4. Name the file with the passphrase where the key is configured: passphraseFile.']
      : []),
    '',
  ].join('\n');
}
