/** The result of a verification as one JSON document (docs/audit.md, "Verify"). */
import type { Place } from './finding.ts';
import { describeFinding } from './finding-meaning.ts';
import type { VerifySummary } from './summary.ts';
import type { Verification } from './verification.ts';

/** A new number means that a field was removed or changed its meaning. */
const version = 1;

export function verificationJson(
  { findings, files }: Verification,
  { summary, hasPublicKey }: { readonly summary: VerifySummary; readonly hasPublicKey: boolean },
): object {
  return {
    ...{ version, verdict: summary.verdict, signatures_checked: hasPublicKey },
    findings: findings.sorted.map((finding) => ({
      ...{ severity: finding.severity, kind: finding.kind, message: describeFinding(finding) },
      ...{ from: placeJson(finding.from), to: placeJson(finding.to), chain: finding.chain },
      ...{ seals: finding.seals, count: finding.count },
    })),
    omitted_findings: findings.omitted,
    ...{ lines: summary.lines, seals: summary.seals, sealed_lines: summary.sealedLines, keys: summary.keys },
    ...{ first_time: summary.firstTime, last_time: summary.lastTime },
    files: files.map(({ path, compression, lines, seals, firstTime, lastTime }) => ({
      ...{ path, compression, lines, seals, first_time: firstTime, last_time: lastTime },
    })),
    chains: summary.chains.map(
      ({ firstSeq, lastSeq, sealedLines, firstTime, lastTime, lastEvent, ...rest }) => ({
        ...{ chain: rest.chain, first_seq: firstSeq, last_seq: lastSeq, seals: rest.seals },
        ...{ sealed_lines: sealedLines, keys: rest.keys, first_time: firstTime, last_time: lastTime },
        last_event: lastEvent,
      }),
    ),
    not_proven: summary.notProven,
  };
}

function placeJson(place: Place | null): object | null {
  return place === null ? null : { file: place.file, line: place.line, time: place.time };
}
