/** `ehi-gateway doctor`: examines an endpoint, prints what it found, and writes an evidence page. */
import { fileAnchors, publicAnchors } from '../doctor/anchors.ts';
import type { Identity } from '../doctor/attempt.ts';
import { type CaName, presetNames, subjectOf } from '../doctor/ca-name.ts';
import { type CheckId, checkIds } from '../doctor/check.ts';
import { examine } from '../doctor/examine.ts';
import { harmlessMessage, readMessage } from '../doctor/message.ts';
import { countOf, type Report } from '../doctor/report.ts';
import { reportJson } from '../doctor/report-json.ts';
import { reportText } from '../doctor/report-text.ts';
import { readSignatureFields, type SignatureFields } from '../doctor/signature.ts';
import { readTarget } from '../doctor/target.ts';
import { readToken } from '../doctor/token.ts';
import { exitCodes, GatewayError, UnreachableError, UsageError } from '../errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import { readCertificates } from '../pki/pem.ts';
import { readInput } from '../terminal/input-file.ts';
import { jsonLine } from '../terminal/json.ts';
import { checkOutput, writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { openProgress } from '../terminal/progress.ts';
import { version } from '../version.ts';
import { type IdentityOptions, readIdentity, readOtherIdentity } from './client-identity.ts';

export interface DoctorOptions extends IdentityOptions {
  readonly tokenFile?: string;
  readonly signatureFile?: string;
  readonly otherCert?: string;
  readonly otherKey?: string;
  readonly ca?: string;
  readonly servername?: string;
  readonly preset?: keyof typeof presetNames;
  readonly expectCa?: string;
  readonly tolerate?: string;
  readonly data?: string;
  readonly count: number;
  /** Milliseconds. */
  readonly budget: number;
  readonly timeout: number;
  readonly maxTime: number;
  readonly report?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** Prints the report on stdout. Resolves with 0, or 1 if a check failed. Throws UsageError and UnreachableError. */
export async function doctor(url: string, options: DoctorOptions): Promise<number> {
  const target = readTarget(url, options.servername);
  // Before the examination, which takes its time.
  if (options.report !== undefined) await checkOutput({ file: options.report, force: options.force });
  const tolerated = toleratedChecks(options.tolerate);
  const expected = await expectedNames(options);
  const identity = await readIdentity(options);
  const { token, other } = await readTokenOptions(options, identity);
  const signature = await readSignatureOption(options);
  const body = options.data === undefined ? harmlessMessage() : await readMessage(options.data);
  const anchors = options.ca === undefined ? publicAnchors() : fileAnchors(await readCas('--ca', options.ca));
  const progress = openProgress();
  const { count, budget: budgetMs, timeout: timeoutMs, maxTime: maxTimeMs } = options;
  const report = await examine({
    ...{
      target,
      anchors,
      expected,
      tolerated,
      identity,
      token,
      other,
      body,
      signature,
      count,
      budgetMs,
      timeoutMs,
      maxTimeMs,
      version,
    },
    now: Date.now(),
    onStep: (text) => progress.show(text),
  }).finally(() => progress.end());
  const error = unreachableReason(report);
  const text = options.json
    ? jsonLine(reportJson(report, error))
    : reportText(report, process.stdout.columns);
  process.stdout.write(text);
  await writeReport(report, options);
  if (error !== undefined) throw new UnreachableError(error);
  return countOf(report, 'fail') === 0 ? exitCodes.drained : exitCodes.failed;
}

/** Throws UsageError; its message never has content of a file. */
async function readTokenOptions(
  options: DoctorOptions,
  identity: Identity | null,
): Promise<{ readonly token: string | null; readonly other: Identity | null }> {
  const { tokenFile } = options;
  if (tokenFile !== undefined && identity === null)
    throw new UsageError(
      '--token-file without a client certificate; allowed with the certificate that the token is bound to: --cert and --key, or --p12',
    );
  const other = await readOtherIdentity(options);
  if (other !== null && tokenFile === undefined)
    throw new UsageError('--other-cert without --token-file; allowed with the token that it must not admit');
  return { token: tokenFile === undefined ? null : await readToken(tokenFile), other };
}

/** Throws UsageError; its message never has content of a file. */
async function readSignatureOption({ signatureFile, data }: DoctorOptions): Promise<SignatureFields | null> {
  if (signatureFile === undefined) return null;
  if (data === undefined)
    throw new UsageError('--signature-file without --data; allowed with the body that is signed: --data');
  return readSignatureFields(signatureFile);
}

function unreachableReason({ url, address, checks }: Report): string | undefined {
  if (address !== null) return undefined;
  const failed = checks.find(({ outcome }) => outcome === 'fail');
  return `${url} cannot be reached: ${failed?.name ?? 'the name'}: ${failed?.fact ?? 'unknown'}`;
}

async function writeReport(report: Report, options: DoctorOptions): Promise<void> {
  if (options.report === undefined) return;
  const { evidencePage } = await import('../evidence/page.ts');
  const { reportPage } = await import('../doctor/report-page.ts');
  const contents = evidencePage(reportPage(report, triedOf(options)));
  await writeOutput({ file: options.report, contents, force: options.force });
}

/** For the evidence page. Names of files, never their contents. */
function triedOf(options: DoctorOptions): (readonly [string, string])[] {
  const { ca, cert, p12, tokenFile, signatureFile, preset, expectCa, data, count, budget, tolerate } =
    options;
  return [
    ['Server verified with', ca ?? 'the public roots'],
    ['Client certificate', cert ?? p12 ?? 'none'],
    ['Access token', tokenFile ?? 'none'],
    ['Signature', signatureFile ?? 'none'],
    ['Tolerated', tolerate ?? 'nothing'],
    ['CA names expected', preset ?? expectCa ?? 'any'],
    ['Message', data ?? 'the harmless one of the command'],
    ['Tries, budget', `${count}, ${budget} ms`],
  ];
}

function toleratedChecks(list: string | undefined): CheckId[] {
  return (list === undefined ? [] : list.split(',')).map((name) => {
    const id = checkIds.find((each) => each === name);
    if (id !== undefined) return id;
    throw new UsageError(
      `--tolerate: found ${JSON.stringify(name.slice(0, 80))}; allowed ${checkIds.join(', ')}`,
    );
  });
}

async function expectedNames({ preset, expectCa }: DoctorOptions): Promise<readonly CaName[] | null> {
  if (preset !== undefined && expectCa !== undefined)
    throw new UsageError('found both --preset and --expect-ca; allowed one of them');
  if (preset !== undefined) return presetNames[preset];
  return expectCa === undefined ? null : (await readCas('--expect-ca', expectCa)).map(subjectOf);
}

async function readCas(option: string, file: string): Promise<Certificate[]> {
  const bytes = await readInput(file, { option });
  try {
    return readCertificates(bytes);
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw new UsageError(
      `${option} ${printable(file)}: ${cause.message}; allowed PEM or DER certificates`,
      cause,
    );
  }
}
