/** `ehi-gateway certs csr`: a private key and a certificate request, and what to do with them. */
import { exitCodes, UsageError } from '../errors.ts';
import {
  createRequest,
  type RequestKey,
  type RequestType,
  requestKeys,
  usagesFor,
} from '../issuing/certificate-request.ts';
import { serverHosts } from '../issuing/host-names.ts';
import { privateKeyPem } from '../issuing/private-key-file.ts';
import { parseSubject, type SubjectAttribute } from '../issuing/subject.ts';
import { makeKey } from '../pki/key.ts';
import { paint } from '../terminal/colours.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutputs } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { type PassphraseOptions, readNewPassphrase } from './certs-files.ts';

export interface CsrOptions extends PassphraseOptions {
  readonly subject: string;
  /** Names the files: NAME.csr, NAME.key. */
  readonly out: string;
  readonly type: RequestType;
  /** Host names and addresses; for the type `server` only. */
  readonly dns?: readonly string[];
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
  const hosts = hostsOf(options, subject);
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
      contents: createRequest({ subject, type: extensions ? type : null, hosts, key, hash }),
      force,
    },
    { file: files.key, contents: privateKeyPem(key, passphrase), secret: true, force },
  ]);
  const usages = extensions ? usagesFor(type, key.asymmetricKeyType === 'rsa') : [];
  const facts = {
    ...files,
    type,
    subject,
    hosts,
    usages,
    encrypted: passphrase !== null,
    keyType: options.key,
  };
  process.stdout.write(json ? jsonLine(documentOf(facts)) : textOf(facts));
  return exitCodes.drained;
}

/** Throws UsageError. */
function hostsOf(
  { type, dns, extensions }: CsrOptions,
  subject: readonly SubjectAttribute[],
): readonly string[] {
  if (dns !== undefined && (type !== 'server' || !extensions))
    throw new UsageError(
      '--dns: found a request without host names; allowed with --type server and extensions',
    );
  return type === 'server' && extensions ? serverHosts(dns ?? [], subject) : [];
}

interface Facts {
  readonly request: string;
  readonly key: string;
  readonly type: RequestType;
  readonly subject: readonly SubjectAttribute[];
  readonly hosts: readonly string[];
  readonly usages: readonly string[];
  readonly encrypted: boolean;
  readonly keyType: RequestKey;
}

function documentOf({ request, key, type, subject, hosts, usages, encrypted, keyType }: Facts) {
  return {
    request,
    key,
    type,
    subject: subject.map((attribute) => ({ ...attribute })),
    key_type: keyType,
    key_encrypted: encrypted,
    key_usage: usages,
    hosts,
    missing: missingIn(type, subject),
  };
}

/** The attributes of the portals' subjects that this one lacks. A public CA takes the subject from its own checks. */
function missingIn(type: RequestType, subject: readonly SubjectAttribute[]): string[] {
  if (type === 'server') return [];
  return ['C', 'O', 'OU', 'CN'].filter((name) => !subject.some((each) => each.type === name));
}

function textOf(facts: Facts): string {
  const { request, key, type, subject, hosts, encrypted, keyType } = facts;
  const missing = missingIn(type, subject);
  const warning = `! The portals expect C, O, OU and CN; the subject lacks ${missing.join(', ')}.`;
  return [
    `${paint('bold', printable(request))}  the request: ${type === 'server' ? 'give it to the CA' : 'upload it'}`,
    `${paint('bold', printable(key))}  the private key${encrypted ? ', encrypted' : ''}: keep it here, and give it to no one`,
    '',
    `Subject    ${subject.map((each) => `${each.type}=${printable(each.value)}`).join(', ')}`,
    ...(hosts.length === 0 ? [] : [`Names      ${hosts.join(', ')}`]),
    `Key        ${keyType}`,
    `Asks for   ${askedFor(facts)}`,
    ...(missing.length === 0 ? [] : ['', paint('yellow', warning)]),
    '',
    'Next:',
    ...nextSteps(facts).map((step, index) => `${index + 1}. ${step}`),
    '',
  ].join('\n');
}

function askedFor({ type, usages }: Facts): string {
  if (usages.length === 0) return 'no extensions: the CA chooses them';
  const purpose = { transport: '; TLS client', server: '; TLS server', signing: '', encryption: '' }[type];
  return usages.join(', ') + purpose;
}

/** The menus are those of Raidiam Connect, on which Thredd's portal is built. */
const menuNames = { transport: 'Transport', signing: 'Signing', encryption: 'Encryption' } as const;

function nextSteps({ request, type, encrypted }: Facts): string[] {
  const csr = printable(request);
  const passphrase = encrypted
    ? ['Name the file with the passphrase where the key is configured: passphraseFile.']
    : [];
  const check = 'Check it: ehi-gateway certs inspect CERTIFICATE';
  if (type === 'server')
    return [
      `Give ${csr} to a public CA, which verifies that the names are yours.`,
      'Put the issued certificate and then its intermediates, without the root, into the file of listen.certificate.chain.',
      check,
      ...passphrase,
    ];
  return [
    'In the portal of Thredd, or in Raidiam Connect: Applications > your application > App Certificates >\n' +
      `   New Certificate > ${menuNames[type]}. Upload ${csr}.\n` +
      '   For a certificate of the whole organisation: Organisation Certificates > New Certificate.',
    'Download the issued certificate and its CA chain.',
    check,
    ...passphrase,
  ];
}
