/** `trust`: the CAs whose client certificates are accepted, and how revocation is checked. */
import { z } from 'zod';
import { choice, duration, file, flag, listOf, mapping } from './field-types.ts';
import * as format from './formats.ts';

/** Limits the revocation sources of one anchor. */
const maxSources = 16;

export function trustSchema(folder: string) {
  const anchor = anchorSchema(folder);
  return mapping({
    mode: choice('anchors', 'registered')
      .prefault('anchors')
      .describe(
        '`anchors`: a client needs a path to one of `anchors`. `registered`: for self-signed clients; `clients.registered` takes the place of the anchors, no CA vouches for a client, nothing is checked for revocation, and no CA names are sent in the handshake.',
      ),
    anchors: listOf(anchor, 'anchors')
      .default([])
      .describe(
        'The CAs whose client certificates are accepted. Each anchor has exactly one of `preset`, `files` and `urls`. Required under `mode: anchors`, not allowed under `mode: registered`.',
      ),
    candidates: listOf(anchor, 'anchors')
      .meta({ like: 'trust.anchors' })
      .exactOptional()
      .describe(
        'A trial of future anchors: each handshake is also checked against them. The result is logged and counted, and never allows a client.',
      ),
    requirePin: flag()
      .prefault(false)
      .describe('true: an anchor with `preset` or `urls` and without `rootSha256` is an error.'),
    refresh: duration().prefault('6h').describe('How often anchors are fetched from their URLs.'),
    cacheDir: file(folder, 'the path of a directory')
      .prefault('var/trust')
      .describe(
        'Directory for the last valid anchors, key sets, CRLs and OCSP responses that were fetched. A start uses these first, then fetches new ones.',
      ),
  }).describe('The CAs whose client certificates are accepted.');
}

function anchorSchema(folder: string) {
  return mapping({
    name: format.anchorName.describe(
      'Name of the anchor in audit records and metrics. No other anchor may have it.',
    ),
    preset: choice('sandbox', 'production')
      .exactOptional()
      .describe(
        'The URLs that the EHI guide gives for this environment. One configuration must not use both.',
      ),
    files: listOf(file(folder), 'files')
      .exactOptional()
      .describe('PEM or DER files: the root and the issuing CAs.'),
    urls: listOf(format.anchorUrl, 'https:// URLs')
      .exactOptional()
      .describe('URLs that the root and the issuing CAs are fetched from.'),
    tls: mapping({ ca: file(folder).describe('PEM file: the CA of the servers of `urls`.') })
      .exactOptional()
      .describe(
        'How the servers of `urls` are verified. Absent: with the root CAs that Node.js brings along.',
      ),
    rootSha256: format.rootSha256
      .exactOptional()
      .describe(
        'SHA-256 of the root certificate; another root is refused. Without it, the first root that is fetched is trusted.',
      ),
    revocation: revocationSchema(folder),
  });
}

/** Assignable to RevocationPolicy (revocation/state.ts) after parsing. */
function revocationSchema(folder: string) {
  const sources = 'auto, off, or a list of http:// or https:// URLs and paths of files';
  return mapping({
    crl: z
      .union([choice('auto', 'off'), listOf(format.crlSource(folder), 'URLs and paths', maxSources)], sources)
      .meta({ allowed: sources })
      .prefault('auto')
      .describe(
        'Where CRLs come from. `auto`: the addresses in the certificates. A list: these and no others. `off`: no CRLs.',
      ),
    ocsp: format.ocspSource
      .prefault('auto')
      .describe(
        'Which OCSP responder is asked. `auto`: the addresses in the certificates. A URL: this one for all certificates. `off`: none.',
      ),
    scope: choice('leaf', 'chain')
      .prefault('chain')
      .describe('`chain`: the leaf and the CAs between leaf and root are checked. `leaf`: only the leaf.'),
    onUnknown: choice('deny', 'allow')
      .prefault('deny')
      .describe(
        'What happens if no source says whether a certificate is revoked. `deny`: the client is denied. `allow` (soft-fail): it is allowed.',
      ),
    grace: duration('0s')
      .prefault('24h')
      .describe('How long a CRL or an OCSP response is still used after its `nextUpdate`.'),
    firstContact: duration('0s', '5s')
      .prefault('1s')
      .describe(
        'How long the first handshake with a certificate waits for its first CRL or OCSP response. Other clients do not wait.',
      ),
    refresh: duration()
      .prefault('1h')
      .describe(
        'How often CRLs and OCSP responses are fetched. They are fetched earlier if they end earlier.',
      ),
  })
    .prefault({})
    .describe('How the revocation of certificates is checked.');
}
