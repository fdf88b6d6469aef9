/** The anchors as they are configured: files are read and judged at once, URLs only named. */
import { readFile } from 'node:fs/promises';
import { type ConfigProblem, GatewayError } from '../errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import { type CertificateBundle, readBundle, readCertificates } from '../pki/pem.ts';
import { type Anchor, normalizeSha256, readAnchor, rootsOf } from './bundle.ts';
import { passedOverAt } from './passed-over.ts';
import { type PresetName, presets } from './preset.ts';
import { idleSource, type Sourced } from './reading.ts';
import type { AnchorState } from './state.ts';
import type { AnchorList } from './store.ts';

/** Exactly one of `preset`, `files` and `urls`; paths are absolute. */
export interface AnchorOptions {
  readonly name: string;
  readonly preset?: PresetName | undefined;
  readonly files?: readonly string[] | undefined;
  readonly urls?: readonly string[] | undefined;
  /** The CAs that verify the URLs' servers: a PEM file. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
  /** Hex SHA-256 of the root's DER; colons allowed. */
  readonly rootSha256?: string | undefined;
}

/** An anchor that is still to be fetched. */
export interface UrlAnchor {
  readonly name: string;
  readonly urls: readonly string[];
  /** PEM of the CAs that verify the URLs' servers. */
  readonly ca: Buffer | undefined;
  /** Lower hex: the pin. */
  readonly rootSha256: string | undefined;
}

/** Whether what is known of the one is known of the other: the cache asks the same (trust/store.ts). */
export function hasSameSources(one: UrlAnchor, other: UrlAnchor): boolean {
  const sameUrls =
    one.urls.length === other.urls.length && one.urls.every((url, index) => url === other.urls[index]);
  return one.name === other.name && sameUrls;
}

export function isSameAnchor(one: UrlAnchor, other: UrlAnchor): boolean {
  const sameCa = one.ca === other.ca || (one.ca !== undefined && other.ca?.equals(one.ca) === true);
  return hasSameSources(one, other) && one.rootSha256 === other.rootSha256 && sameCa;
}

/** Whether the pin, if there is one, names the root. */
export function allowsRoot({ rootSha256 }: UrlAnchor, anchor: Anchor): boolean {
  return rootSha256 === undefined || rootsOf(anchor).some(({ sha256 }) => sha256 === rootSha256);
}

/** Where in the configuration something is wrong; file and line are its reader's to find. */
export type TrustProblem = Pick<ConfigProblem, 'path' | 'found' | 'allowed'>;

/** Anchors that cannot be used as they are configured: all problems of all of them. */
export class TrustError extends GatewayError {
  readonly problems: readonly TrustProblem[];

  constructor(problems: readonly TrustProblem[]) {
    const message = problems.map(({ path, found }) => `${path}: ${found}`).join('\n');
    super({ code: 'TRUST', message });
    this.problems = problems;
  }
}

export const allowed = {
  file: 'PEM or DER certificates',
  anchor: 'one self-signed root and the CAs below it, valid now',
  pin: 'an anchor with rootSha256, as trust.requirePin demands',
};

export interface ReadOptions {
  readonly anchors: readonly AnchorOptions[];
  /** Which list of the configuration they are: its problems are told there; default `anchors`. */
  readonly list?: AnchorList | undefined;
  /** Refuses anchors from URLs that name no root. */
  readonly requirePin: boolean;
  /** A last word on every set before it is used: null, or why it is refused. */
  readonly accept: (anchor: Anchor) => string | null;
  /** Told of what is passed over in an anchor that is used all the same. */
  readonly onPassedOver?: (warning: TrustProblem) => void;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Reads every file that the anchors name, in the order of the configuration. Throws TrustError. */
export async function readConfiguredAnchors(options: ReadOptions): Promise<(AnchorState | UrlAnchor)[]> {
  const { list = 'anchors' } = options;
  const problems: TrustProblem[] = [];
  const anchors: (AnchorState | UrlAnchor)[] = [];
  // One after the other, so that the problems come in the order of the configuration.
  for (const [index, anchor] of options.anchors.entries()) {
    const place = (field: string, found: string, allows: string): TrustProblem => {
      return { path: `trust.${list}[${index}]${field}`, found, allowed: allows };
    };
    const report: Report = (...problem) => problems.push(place(...problem));
    const warn: Report = (...warning) => options.onPassedOver?.(place(...warning));
    const read =
      anchor.files === undefined
        ? await nameUrls(anchor, options, report)
        : await readFiles(anchor, anchor.files, options, { report, warn });
    if (read !== null) anchors.push(read);
  }
  if (problems.length > 0) throw new TrustError(problems);
  return anchors;
}

type Report = (field: string, found: string, allows: string) => unknown;

async function nameUrls(
  { name, preset, urls = [], tls, rootSha256 }: AnchorOptions,
  { requirePin }: ReadOptions,
  report: Report,
): Promise<UrlAnchor> {
  if (requirePin && rootSha256 === undefined) report('', 'no rootSha256', allowed.pin);
  const ca = tls?.ca === undefined ? undefined : await readPem(tls.ca, '.tls.ca', report);
  return {
    name,
    urls: preset === undefined ? urls : presets[preset],
    ca,
    rootSha256: rootSha256 === undefined ? undefined : normalizeSha256(rootSha256),
  };
}

/** What a TLS client gets as its CAs: checked here, since OpenSSL would pass over what it cannot read. */
async function readPem(file: string, field: string, report: Report): Promise<Buffer | undefined> {
  const certificates = await readFileCertificates(file, field, report);
  return certificates && Buffer.from(certificates.map(({ x509 }) => x509.toString()).join(''));
}

async function readFiles(
  { name, rootSha256 }: AnchorOptions,
  files: readonly string[],
  { now, accept }: ReadOptions,
  { report, warn }: { readonly report: Report; readonly warn: Report },
): Promise<AnchorState | null> {
  const bundles: Sourced[] = [];
  const unreadable: string[] = [];
  const origins = new Map<string, string>();
  for (const [index, file] of files.entries()) {
    const bundle = await readFileBundle(file, `.files[${index}]`, report);
    if (bundle === undefined) continue;
    bundles.push({ source: file, certificates: bundle.certificates });
    unreadable.push(...bundle.unreadable.map((fault) => `${file}: ${fault}`));
    for (const { sha256 } of bundle.certificates) if (!origins.has(sha256)) origins.set(sha256, file);
  }
  if (bundles.length < files.length) return null;

  const certificates = bundles.flatMap((bundle) => bundle.certificates);
  const reading = readAnchor({ name, certificates, unreadable, rootSha256, now });
  if (!reading.ok) {
    for (const problem of reading.problems) report('.files', problem, allowed.anchor);
    return null;
  }
  const idle = idleSource(reading.anchor, bundles, now);
  if (idle !== null) {
    report(`.files[${idle.index}]`, idle.problem, allowed.anchor);
    return null;
  }
  for (const { detail } of passedOverAt(reading.anchor, now)) warn('.files', detail, allowed.anchor);
  const refusal = accept(reading.anchor);
  if (refusal !== null) {
    report('.files', refusal, allowed.anchor);
    return null;
  }
  const pinned = rootSha256 !== undefined;
  return { ...reading.anchor, fetchedAt: now, pinned, source: 'files', origins };
}

function readFileCertificates(
  file: string,
  field: string,
  report: Report,
): Promise<Certificate[] | undefined> {
  return readWith(readCertificates, { file, field, report });
}

function readFileBundle(file: string, field: string, report: Report): Promise<CertificateBundle | undefined> {
  return readWith(readBundle, { file, field, report });
}

async function readWith<T>(
  read: (bytes: Uint8Array) => T,
  { file, field, report }: { readonly file: string; readonly field: string; readonly report: Report },
): Promise<T | undefined> {
  try {
    return read(await readFile(file));
  } catch (cause) {
    const message =
      cause instanceof GatewayError ? cause.message : `${(cause as NodeJS.ErrnoException).code}`;
    report(field, `${file}: ${message}`, allowed.file);
    return undefined;
  }
}
