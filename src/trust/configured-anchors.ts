/** Reads the anchors of the configuration: files are read and checked at once, URLs are fetched later. */
import { readFile } from 'node:fs/promises';
import { type ConfigProblem, GatewayError } from '../errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import { normalizeSha256 } from '../pki/fingerprint.ts';
import { type CertificateBundle, readBundle, readCertificates } from '../pki/pem.ts';
import type { AnchorList } from './disk-cache.ts';
import { type PresetName, presetUrls } from './preset.ts';
import { rootsOf } from './root-choice.ts';
import { skippedAt } from './skipped-certificates.ts';
import type { AnchorState } from './state.ts';
import { type Accept, type Anchor, buildAnchor } from './trust-anchor.ts';
import { type SourceCertificates, unusedSource } from './unused-source.ts';

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

/** An anchor whose certificates come from URLs. */
export interface UrlAnchor {
  readonly name: string;
  readonly urls: readonly string[];
  /** PEM of the CAs that verify the URLs' servers. */
  readonly ca: Buffer | undefined;
  /** The pinned root in lower hex. */
  readonly rootSha256: string | undefined;
}

/** Whether both have the same name and URLs, and so the same cached set (disk-cache.ts). */
export function hasSameSources(one: UrlAnchor, other: UrlAnchor): boolean {
  const sameUrls =
    one.urls.length === other.urls.length && one.urls.every((url, index) => url === other.urls[index]);
  return one.name === other.name && sameUrls;
}

export function isSameAnchor(one: UrlAnchor, other: UrlAnchor): boolean {
  const sameCa = one.ca === other.ca || (one.ca !== undefined && other.ca?.equals(one.ca) === true);
  return hasSameSources(one, other) && one.rootSha256 === other.rootSha256 && sameCa;
}

/** Whether the anchor is unpinned, or the pin names its root. */
export function allowsRoot({ rootSha256 }: UrlAnchor, anchor: Anchor): boolean {
  return rootSha256 === undefined || rootsOf(anchor).some(({ sha256 }) => sha256 === rootSha256);
}

/** A problem at a path of the configuration; the reader of the configuration adds file and line. */
export type TrustProblem = Pick<ConfigProblem, 'path' | 'found' | 'allowed'>;

/** Anchors cannot be used as configured; holds all problems of all anchors. */
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
  /** The list of the configuration, for the paths of problems; default `anchors`. */
  readonly list?: AnchorList | undefined;
  /** Refuses anchors from URLs without a pinned root. */
  readonly requirePin: boolean;
  readonly accept: Accept;
  /** Called for each skipped certificate of an anchor that is used. */
  readonly onSkipped?: (warning: TrustProblem) => void;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Reads every file that the anchors name, in the order of the configuration. Throws TrustError. */
export async function readConfiguredAnchors(options: ReadOptions): Promise<(AnchorState | UrlAnchor)[]> {
  const { list = 'anchors' } = options;
  const problems: TrustProblem[] = [];
  const anchors: (AnchorState | UrlAnchor)[] = [];
  // Sequentially, so that problems are in the order of the configuration.
  for (const [index, anchor] of options.anchors.entries()) {
    const problemAt = (field: string, found: string, allows: string): TrustProblem => {
      return { path: `trust.${list}[${index}]${field}`, found, allowed: allows };
    };
    const report: Report = (...problem) => problems.push(problemAt(...problem));
    const warn: Report = (...warning) => options.onSkipped?.(problemAt(...warning));
    const read =
      anchor.files === undefined
        ? await urlAnchor(anchor, options, report)
        : await readFiles(anchor, anchor.files, options, { report, warn });
    if (read !== null) anchors.push(read);
  }
  if (problems.length > 0) throw new TrustError(problems);
  return anchors;
}

type Report = (field: string, found: string, allows: string) => unknown;

async function urlAnchor(
  { name, preset, urls = [], tls, rootSha256 }: AnchorOptions,
  { requirePin }: ReadOptions,
  report: Report,
): Promise<UrlAnchor> {
  if (requirePin && rootSha256 === undefined) report('', 'no rootSha256', allowed.pin);
  const ca = tls?.ca === undefined ? undefined : await readPem(tls.ca, '.tls.ca', report);
  return {
    name,
    urls: preset === undefined ? urls : presetUrls[preset],
    ca,
    rootSha256: rootSha256 === undefined ? undefined : normalizeSha256(rootSha256),
  };
}

/** PEM for the `ca` option of a TLS client; checked here, since OpenSSL ignores what it cannot read. */
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
  const bundles: SourceCertificates[] = [];
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
  const result = buildAnchor({ name, certificates, unreadable, rootSha256, now });
  if (!result.ok) {
    for (const problem of result.problems) report('.files', problem, allowed.anchor);
    return null;
  }
  const unused = unusedSource(result.anchor, bundles, now);
  if (unused !== null) {
    report(`.files[${unused.index}]`, unused.problem, allowed.anchor);
    return null;
  }
  for (const { detail } of skippedAt(result.anchor, now)) warn('.files', detail, allowed.anchor);
  const refusal = accept(result.anchor);
  if (refusal !== null) {
    report('.files', refusal, allowed.anchor);
    return null;
  }
  const pinned = rootSha256 !== undefined;
  return { ...result.anchor, fetchedAt: now, pinned, source: 'files', origins };
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
