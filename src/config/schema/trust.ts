/** `trust`: whose client certificates are accepted, and how their revocation is checked. */
import { z } from 'zod';
import { choice, duration, file, flag, listOf, section } from './field-types.ts';
import * as value from './formats.ts';

/** Addresses that are followed for one anchor. */
const mostSources = 16;

/** `trust`, alone: its files are read even while another part of the configuration is wrong. */
export function trustSchema(folder: string) {
  const anchor = anchorSchema(folder);
  return section({
    anchors: listOf(anchor, 'anchors').describe(
      'Where path validation ends. Each has exactly one of `preset`, `files` and `urls`.',
    ),
    candidates: listOf(anchor, 'anchors')
      .meta({ like: 'trust.anchors' })
      .exactOptional()
      .describe(
        'Anchors that are rehearsed: each handshake is judged by them too, and nobody comes in by them.',
      ),
    requirePin: flag()
      .prefault(false)
      .describe('Refuses an anchor from a URL or preset without `rootSha256`.'),
    refresh: duration().prefault('6h').describe('How often anchors are fetched again.'),
    cacheDir: file(folder, 'the path of a directory')
      .prefault('var/trust')
      .describe('Keeps the last good anchors: a start takes them first, then asks their URLs.'),
  }).describe('Whose client certificates are accepted.');
}

function anchorSchema(folder: string) {
  return section({
    name: value.anchorName.describe('Names the anchor in audit records and metrics; no two alike.'),
    preset: choice('sandbox', 'production')
      .exactOptional()
      .describe('The guide’s URLs of one environment; never both in one configuration.'),
    files: listOf(file(folder), 'files')
      .exactOptional()
      .describe('PEM or DER: the root and the issuing CAs.'),
    urls: listOf(value.anchorUrl, 'https:// URLs')
      .exactOptional()
      .describe('Where the root and the issuing CAs are fetched from.'),
    tls: section({ ca: file(folder).describe('PEM: the CA of the servers behind `urls`.') })
      .exactOptional()
      .describe('Only with `urls`: how their servers are verified.'),
    rootSha256: value.rootSha256
      .exactOptional()
      .describe('The root’s pin: without it, the first root fetched from a URL is trusted.'),
    revocation: revocationSchema(folder),
  });
}

/** Assignable to RevocationPolicy (revocation/state.ts) after parsing. */
function revocationSchema(folder: string) {
  const sources = 'auto, off, or a list of http:// or https:// URLs and paths of files';
  return section({
    crl: z
      .union([choice('auto', 'off'), listOf(value.crlSource(folder), 'URLs and paths', mostSources)], sources)
      .meta({ allowed: sources })
      .prefault('auto')
      .describe('Revocation lists: those that the certificates name, or these and no others.'),
    ocsp: value.ocspSource
      .prefault('auto')
      .describe('OCSP responders: those that the certificates name, or this one for all of them.'),
    scope: choice('leaf', 'chain')
      .prefault('chain')
      .describe('Whether the CAs between leaf and root are asked about too.'),
    onUnknown: choice('deny', 'allow')
      .prefault('deny')
      .describe('What becomes of a caller when no source can say whether its certificate is revoked.'),
    grace: duration('0s').prefault('24h').describe('How long a list or an answer counts after its end.'),
    firstContact: duration('0s', '5s')
      .prefault('1s')
      .describe(
        'How long the first handshake of a certificate waits for its first answer. No other client waits.',
      ),
    refresh: duration()
      .prefault('1h')
      .describe('How often lists and answers are asked for again; sooner when they end before.'),
  })
    .prefault({})
    .describe('How it is known that a certificate was revoked.');
}
